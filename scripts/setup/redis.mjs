/** Debian's redis-server, for the tests of the directory on Redis. Where it can't be had, they are left out and say so. */
import { findOnPath } from './files.mjs';
import { installPackages } from './packages.mjs';
import { CommandError } from './run.mjs';

export async function ensureRedis() {
  if (findOnPath('redis-server')) return;
  const leftOut = 'setup: without redis-server the tests of the directory on Redis are left out';
  // Only root may install packages; other tests need none of this.
  if (process.getuid?.() !== 0 || !findOnPath('apt-get')) return console.error(leftOut);
  try {
    await installPackages(['redis-server'], 'testing the directory on Redis');
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(`setup: ${error.message}\n${leftOut}`);
  }
}
