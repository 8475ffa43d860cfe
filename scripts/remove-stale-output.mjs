/** Removes what the compiler has made of sources that are gone: it would be published, and its maps lead nowhere. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [source, output] = ['src', 'dist'].map(folder => fileURLToPath(new URL(`../${folder}/`, import.meta.url)));

for (const file of readdirSync(output, { recursive: true })) {
  const [, module] = /^(.*?)(?:\.d\.ts|\.js|\.js\.map)$/.exec(file.replace(/^node10\//, '')) ?? [];
  if (module !== undefined && !existsSync(`${source}${module}.ts`)) rmSync(`${output}${file}`);
}
