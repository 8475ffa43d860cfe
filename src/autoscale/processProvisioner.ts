/** Provisioner of processes on this machine: for development and tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as v from 'valibot';
import { optionsOf, resolveOptions } from '../api/optionsSchema.ts';
import { duration, text, texts } from '../api/optionTypes.ts';
import { logger } from '../core/logger.ts';
import { within } from '../core/within.ts';
import {
  checkProvisioned,
  type ListedServer,
  type ProvisionedServer,
  type Provisioner,
  type StartRequest,
} from './provisioner.ts';
import { commandType, type Command } from './runCommand.ts';

const log = logger('autoscale');

/** Options of a ProcessProvisioner. */
export interface ProcessProvisionerOptions {
  /**
   * Environment variables beside those of this process.
   * @default {}
   */
  env?: Readonly<Record<string, string>>;
  /**
   * Folder in which the processes run.
   * @default that of this process
   */
  cwd?: string;
  /**
   * Time that a process has to end at SIGTERM, in ms, before SIGKILL.
   * @default 10_000
   */
  stopTimeout?: number;
}

export const processProvisionerOptions = optionsOf<ProcessProvisionerOptions>()({
  env: v.optional(texts),
  cwd: v.optional(text),
  stopTimeout: v.optional(duration(0), 10_000),
});

/**
 * Starts a process for each server, with a channel to this process (`process.send`): as soon as its server listens, it
 * sends `{ url }`. It should end when the channel closes (`disconnect`): this process is gone then. Region and fencing
 * token are in its environment, as `MAFALDA_REGION` and `MAFALDA_FENCE`. The id is that of the process.
 *
 * ```ts
 * const provisioner = new ProcessProvisioner([process.execPath, 'media-server.js']);
 * ```
 */
export class ProcessProvisioner implements Provisioner {
  readonly #command: Command;
  readonly #options: v.InferOutput<typeof processProvisionerOptions>;
  readonly #processes = new Map<string, { child: ChildProcess; server: ListedServer }>();

  /**
   * @param command the file to run, and its arguments
   * @throws {TypeError} for a command or an option that can't be used
   */
  constructor(command: Command, options: ProcessProvisionerOptions = {}) {
    this.#command = resolveOptions('ProcessProvisioner', commandType, command);
    this.#options = resolveOptions('ProcessProvisioner', processProvisionerOptions, options);
  }

  async start({ region, fence, signal }: StartRequest): Promise<ProvisionedServer> {
    const [file, ...args] = this.#command;
    const { env, cwd } = this.#options;
    const child = spawn(file, args, {
      cwd,
      env: {
        ...process.env,
        ...env,
        ...(region === undefined ? {} : { MAFALDA_REGION: region }),
        ...(fence === undefined ? {} : { MAFALDA_FENCE: String(fence) }),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const id = String(child.pid);
    child.on('error', error => log('%s: %o', id, error));
    child.once('exit', () => this.#processes.delete(id));
    const where = region === undefined ? {} : { region };
    if (child.pid !== undefined) this.#processes.set(id, { child, server: { id, ...where } });
    try {
      const server = checkProvisioned({ id, ...((await firstMessage(child, signal)) as object) });
      this.#processes.set(id, { child, server: { ...server, ...where } });
      return { id, url: server.url };
    } catch (error) {
      await this.stop(id);
      throw error;
    }
  }

  async stop(id: string): Promise<void> {
    const child = this.#processes.get(id)?.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await within(exit, this.#options.stopTimeout);
    child.kill('SIGKILL');
    await exit;
  }

  async list(): Promise<ListedServer[]> {
    return [...this.#processes.values()].map(({ server }) => server);
  }
}

/** Resolves with the first message of a process. @throws {Error} if it ends before, can't be started, or is given up */
async function firstMessage(child: ChildProcess, signal: AbortSignal): Promise<unknown> {
  const over = new AbortController();
  const until = { signal: over.signal };
  try {
    return await Promise.race([
      once(child, 'message', until).then(([message]: unknown[]) => message),
      once(child, 'exit', until).then((): never => {
        const how = child.signalCode ?? `exit code ${child.exitCode}`;
        throw new Error(`the process has ended before it sent { url } (${how})`);
      }),
      aborted(signal, over.signal),
    ]);
  } finally {
    over.abort();
  }
}

async function aborted(signal: AbortSignal, over: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort', { signal: over });
  throw signal.reason instanceof Error ? signal.reason : new Error('the start was given up');
}
