/** Debian packages: installed as root, else named in the command for the user to run. */
import { SetupError, step } from './console.mjs';
import { findOnPath } from './files.mjs';
import { CommandError, run } from './run.mjs';

// apt-get waits for another one that is running instead of failing at once.
const APT_OPTIONS = ['-q', '-o', 'DPkg::Lock::Timeout=300'];

/**
 * @param {string[]} packages
 * @param {string} purpose what they are for
 */
export async function installPackages(packages, purpose) {
  const names = packages.join(' ');
  if (!findOnPath('apt-get')) {
    throw new SetupError(
      `${purpose} needs what these Debian packages hold, and there is no apt-get to install them: ${names}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      `${purpose} needs packages that are missing; install them with\n  sudo apt-get update && sudo apt-get install -y ${names}`,
    );
  }
  // In this run level no service of a package starts: tests start what they need themselves.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await step(`installing ${names} with apt-get`, async () => {
    try {
      await run('apt-get', [...APT_OPTIONS, 'update'], { env });
    } catch (error) {
      // One unreachable source fails the update; what is known may still be enough, and the install says so if not.
      if (!(error instanceof CommandError)) throw error;
    }
    await run('apt-get', [...APT_OPTIONS, 'install', '-y', '--no-install-recommends', ...packages], { env });
  });
}
