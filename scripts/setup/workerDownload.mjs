/** The prebuilt worker that mediasoup publishes with each version. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, step } from './console.mjs';
import { CommandError, run } from './run.mjs';

const ANSWER_TIMEOUT = 8_000;
const DOWNLOAD_TIMEOUT = 180_000;

/**
 * Lets mediasoup's own install script download, as it knows the addresses. It works in the current folder, here a
 * temporary one; and where it can't download it builds with pip, which needs further downloads: with a Python that
 * doesn't exist it fails there at once.
 * @param {{ packageFolder: string, program: string, folder: string }} options
 * @returns {Promise<string>} the binary, in the given folder
 */
export async function downloadWorker({ packageFolder, program, folder }) {
  if (process.env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) {
    throw new SetupError('not tried, because MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD is set');
  }
  const release = join(folder, 'worker', 'out', 'Release');
  const env = { ...process.env, PYTHON: 'no-python-only-download' };
  delete env.MEDIASOUP_LOCAL_DEV;

  const timeouts = new AbortController();
  // The script makes this folder as soon as the server has answered.
  const noAnswer = setTimeout(() => existsSync(release) || timeouts.abort('no answer from the server'), ANSWER_TIMEOUT);
  const tooSlow = setTimeout(() => timeouts.abort('too slow'), DOWNLOAD_TIMEOUT);
  try {
    await step("downloading mediasoup's prebuilt worker", () =>
      run(process.execPath, [join(packageFolder, 'npm-scripts.mjs'), 'postinstall'], {
        cwd: folder,
        env,
        abort: timeouts.signal,
      }),
    );
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new SetupError(timeouts.signal.reason ?? reasonIn(error.output));
  } finally {
    clearTimeout(noAnswer);
    clearTimeout(tooSlow);
  }
  return join(release, program);
}

/** @param {string[]} output */
function reasonIn(output) {
  const reasons = output.map(line => /downloadPrebuiltWorker\(\) \| (.*)/.exec(line)?.[1]);
  return reasons.findLast(Boolean) ?? output.at(-1);
}
