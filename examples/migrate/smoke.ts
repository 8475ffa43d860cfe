/** For CI: the example checks that the application does the same on one machine and on two; here, that its README tells the truth. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import './migrate.ts';

const [readme, before, after] = ['README.md', 'media.oneMachine.ts', 'media.manyMachines.ts'].map(name =>
  readFileSync(new URL(name, import.meta.url), 'utf8'),
) as [string, string, string];
const lines = (text: string): string[] => text.split('\n').filter(Boolean);
const removed = lines(before).filter(line => !lines(after).includes(line));
const added = lines(after).filter(line => !lines(before).includes(line));
for (const line of [...removed.map(text => `-${text}`), ...added.map(text => `+${text}`)]) {
  assert.ok(
    lines(readme).includes(line),
    `README.md of examples/migrate does not show this line of the difference: ${line}`,
  );
}
