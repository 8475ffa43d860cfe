/** Writes what is generated of the options: `npm run docs:configuration`. */
import { writeFile } from 'node:fs/promises';
import { generated } from './generated.ts';

for (const { file, present, text } of await generated()) if (text !== present) await writeFile(file, text);
