/** A server's process, from its start to its end, and what it says of Redis. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pickPort } from 'pick-port';
import type { ServerMessage, ServerSetup } from './server.ts';

export class ServerProcess {
  readonly #setup: ServerSetup;
  readonly #token: string;
  #child!: ChildProcess;
  /** Its latest message. */
  #word: ServerMessage | undefined;

  static async start(setup: Omit<ServerSetup, 'port'>, token: string): Promise<ServerProcess> {
    const port = await pickPort({ type: 'tcp', ip: setup.address, reserveTimeout: 0 });
    const server = new ServerProcess({ ...setup, port }, token);
    await server.start();
    return server;
  }

  private constructor(setup: ServerSetup, token: string) {
    this.#setup = setup;
    this.#token = token;
  }

  get name(): string {
    return this.#setup.name;
  }

  get url(): string {
    return `ws://${this.#setup.address}:${this.#setup.port}`;
  }

  /** Starts it, also again after {@link kill}: resolves when it listens. */
  async start(): Promise<void> {
    const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [JSON.stringify(this.#setup)], {
      execArgv: ['--import', 'tsx'],
      // Not among the arguments, which everybody on the machine can read.
      env: { ...process.env, CENTRAL_TOKEN: this.#token },
    });
    this.#child = child;
    this.#word = undefined;
    child.on('message', message => (this.#word = message as ServerMessage));
    const ended = once(child, 'exit').then((): never => {
      throw new Error(`${this.name} ended`);
    });
    ended.catch(() => undefined);
    await Promise.race([this.hears('listening'), ended]);
  }

  /** Resolves when the latest that it has said is this. */
  async hears(word: ServerMessage): Promise<void> {
    while (this.#word !== word) await once(this.#child, 'message');
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
