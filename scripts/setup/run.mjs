/** Child processes: their output is for the error message, and they all end when set-up is interrupted. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { SetupError } from './console.mjs';
import { root } from './files.mjs';

// npm names its reason first and compilers name theirs last: an error shows both ends of a long output.
const SHOWN_FIRST = 10;
const SHOWN_LAST = 30;

const windows = process.platform === 'win32';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
/** @type {NodeJS.Signals | undefined} */
let interruptedBy;

/** Set-up was told to stop. No step catches this one, so that all of them clean up and set-up ends. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** A command that could not be started or did not succeed; the message ends with its output. */
export class CommandError extends SetupError {
  /**
   * @param {string} summary
   * @param {string[]} output
   */
  constructor(summary, output) {
    const left = output.length - SHOWN_FIRST - SHOWN_LAST;
    const shown =
      left > 0
        ? [...output.slice(0, SHOWN_FIRST), `... (${left} lines left out)`, ...output.slice(-SHOWN_LAST)]
        : output;
    super([summary, ...shown.map(line => `  | ${line}`)].join('\n'));
    this.output = output;
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function kill(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(windows ? child.pid : -child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Ends the children at the first signal, and without mercy at the second; what waits for them then rejects. */
export function stopOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      for (const child of running) kill(child, interruptedBy ? 'SIGKILL' : 'SIGTERM');
      interruptedBy ??= signal;
    });
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, abort?: AbortSignal, onLine?: (line: string) => void }} [options]
 * @returns {Promise<void>}
 */
export function run(command, args, { cwd = root, env = process.env, abort, onLine } = {}) {
  return new Promise((resolve, reject) => {
    if (interruptedBy) return reject(new Interrupted(interruptedBy));

    const commandLine = [command, ...args].join(' ');
    const child = spawn(command, args, {
      cwd,
      env,
      // A process group of its own on POSIX, so that the children of the child end with it.
      detached: !windows,
      // npm and what it puts in .bin are batch files on Windows.
      shell: windows && command !== process.execPath,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => kill(child, 'SIGTERM');
    const output = [];
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', line => {
        output.push(line);
        onLine?.(line);
      });
    }

    const settle = problem => {
      running.delete(child);
      abort?.removeEventListener('abort', stop);
      if (interruptedBy) reject(new Interrupted(interruptedBy));
      else if (problem) reject(new CommandError(`\`${commandLine}\` ${problem}`, output));
      else resolve();
    };
    running.add(child);
    abort?.addEventListener('abort', stop);
    child.on('error', error => settle(`could not be started: ${error.message}`));
    child.on('close', (code, signal) =>
      settle(code === 0 ? undefined : signal ? `was ended by ${signal}` : `failed with exit code ${code}`),
    );
  });
}
