/** Runs a command, bounded in time and output. */
import { execFile } from 'node:child_process';
import * as v from 'valibot';
import { expecting } from '../api/optionsSchema.ts';

/** File to run, and its arguments: no shell sees them. */
export type Command = readonly [file: string, ...args: string[]];

export const commandType = expecting(
  'an array of texts: the file to run, and its arguments',
  v.custom<Command>(
    command => Array.isArray(command) && command.length > 0 && command.every(part => typeof part === 'string'),
  ),
);

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** In ms. */
  readonly timeout: number;
  /** Ends the command when it is aborted. */
  readonly signal?: AbortSignal;
}

/** Time from SIGTERM to SIGKILL, in ms. */
const KILL_AFTER_MS = 5000;
const MAX_OUTPUT_BYTES = 4_000_000;
/** End of the standard error that is repeated in an error, in characters. */
const MAX_COMPLAINT = 1000;

/**
 * @returns its standard output
 * @throws {Error} if it can't be run, fails, takes too long, prints too much, or is aborted; with the end of its
 * standard error
 */
export function runCommand([file, ...args]: Command, { env, cwd, timeout, signal }: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new Error(`${file} was not run: ${reasonOf(signal)}`));
    let ending: string | undefined;
    let killing: NodeJS.Timeout | undefined;
    const child = execFile(file, args, { env, cwd, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      clearTimeout(timer);
      clearTimeout(killing);
      signal?.removeEventListener('abort', onAbort);
      if (!error) return resolve(stdout);
      const complaint = stderr.trim().slice(-MAX_COMPLAINT);
      reject(new Error(`${file} ${ending ?? reasonFor(error)}${complaint ? `: ${complaint}` : ''}`, { cause: error }));
    });
    const end = (reason: string): void => {
      ending ??= reason;
      child.kill('SIGTERM');
      // Processes that the command has started may keep its outputs open, which would otherwise be waited for.
      killing ??= setTimeout(() => {
        child.kill('SIGKILL');
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, KILL_AFTER_MS);
    };
    const timer = setTimeout(() => end(`has taken longer than ${timeout} ms`), timeout);
    const onAbort = (): void => end(`was ended: ${reasonOf(signal!)}`);
    signal?.addEventListener('abort', onAbort);
  });
}

function reasonFor({ code, signal, message }: { code?: unknown; signal?: unknown; message: string }): string {
  if (typeof code === 'number') return `has ended with exit code ${code}`;
  if (typeof signal === 'string') return `was ended by ${signal}`;
  return `can’t be run (${typeof code === 'string' ? code : message})`;
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : String(reason);
}
