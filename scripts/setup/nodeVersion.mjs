import { say, SetupError } from './console.mjs';

const OLDEST = [20, 19];
const RECOMMENDED = 22;

const [major, minor] = process.versions.node.split('.').map(Number);

export function checkNodeVersion() {
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new SetupError(
    `this is Node.js ${process.versions.node}, but ${OLDEST.join('.')} or newer is needed: install Node.js ${RECOMMENDED} or newer and start again`,
  );
}

export function recommendNodeVersion() {
  if (major < RECOMMENDED)
    say(`Node.js ${process.versions.node} works, but is no longer maintained: ${RECOMMENDED} or newer is recommended`);
}
