/** iproute2, for the tests that make networks of their own. Where it can't be had, they are skipped and say so. */
import { findOnPath } from './files.mjs';
import { installPackages } from './packages.mjs';
import { CommandError } from './run.mjs';

export async function ensureNetworkTools() {
  // Only root may make network namespaces.
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || findOnPath('ip') || !findOnPath('apt-get')) return;
  try {
    await installPackages(['iproute2'], 'a network of its own for tests');
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(
      `setup: ${error.message}\nsetup: without iproute2 the tests that need network namespaces are skipped`,
    );
  }
}
