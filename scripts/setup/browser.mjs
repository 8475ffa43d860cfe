/** A Chromium for the tests with real WebRTC clients. */
import { SetupError } from './console.mjs';
import { findOnPath, isExecutable } from './files.mjs';
import { installPackages } from './packages.mjs';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];

/** @returns {string | undefined} the path of the browser's program */
export function findBrowser() {
  return process.env.CHROMIUM_BIN || findOnPath(...COMMANDS);
}

export async function ensureBrowser() {
  const given = process.env.CHROMIUM_BIN;
  if (given && !isExecutable(given)) {
    throw new SetupError(
      `CHROMIUM_BIN is ${given}, which is not a program: correct it, or unset it to use a Chromium from the PATH`,
    );
  }
  if (findBrowser()) return;
  try {
    await installPackages(['chromium'], 'testing with a browser');
    if (!findBrowser()) throw new SetupError('the Debian package chromium is installed, but holds no such program');
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    throw new SetupError(
      `there is no Chromium (${COMMANDS.join(', ')}) on the PATH\n${error.message}\nor set CHROMIUM_BIN to the program of a Chromium or Chrome`,
    );
  }
}
