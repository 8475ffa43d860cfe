/**
 * Copies the declarations of the package for TypeScript's `moduleResolution: node10`, which knows no `exports` of a
 * package.json: mediasoup's `mediasoup/types` is a file of another path there. `typesVersions` in our package.json, which
 * only that resolution looks at, leads to the copies.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const dist = new URL('../dist/', import.meta.url).pathname;
const copies = join(dist, 'node10');

rmSync(copies, { recursive: true, force: true });
for (const file of readdirSync(dist, { recursive: true }).filter(name => name.endsWith('.d.ts'))) {
  const copy = join(copies, file);
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(
    copy,
    readFileSync(join(dist, file), 'utf8').replace(/(['"])mediasoup\/(\w+)\1/g, '$1mediasoup/node/lib/$2$1'),
  );
}
