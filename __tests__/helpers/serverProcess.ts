/** A media server in a process of its own: it can be frozen and killed, and what goes wrong in it ends it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServerCounts } from '../../src/index.ts';
import type { LongestTurn } from './fuzz/starvation.ts';
import type { ServerSetup } from './processes/server.ts';

export interface ServerState extends ServerCounts {
  routers: number;
  transports: number;
  /** Whether JavaScript's own prototypes have got or lost members. */
  polluted: boolean;
  /** In bytes. */
  memory: number;
  /** Since it was asked last. */
  longestTurn: LongestTurn;
}

export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  #errors = '';

  /** @param setup what can be sent as JSON */
  static async create(setup: Omit<ServerSetup, 'address'> = {}): Promise<ServerProcess> {
    const script = fileURLToPath(new URL('processes/server.ts', import.meta.url));
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const;
    const child = fork(script, [JSON.stringify({ address: '127.0.0.1', ...setup })], {
      execArgv: ['--import', 'tsx'],
      stdio: [...stdio],
    });
    const ended = once(child, 'exit').then((): never => {
      throw new Error('the server ended before it listened');
    });
    ended.catch(() => undefined);
    const [url] = (await Promise.race([once(child, 'message'), ended])) as [string];
    return new ServerProcess(child, url);
  }

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    child.stderr!.on('data', (text: Buffer) => (this.#errors += text.toString()));
  }

  /** @throws if the process is no more */
  async state(): Promise<ServerState> {
    if (!this.#child.connected) throw new Error(`the server's process has ended: ${this.#errors}`);
    const decided = new AbortController();
    const { signal } = decided;
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`the server's process has ended: ${this.#errors}`);
    });
    const answer = once(this.#child, 'message', { signal });
    this.#child.send('state?');
    try {
      const [state] = (await Promise.race([answer, ended])) as [ServerState];
      return state;
    } finally {
      decided.abort();
    }
  }

  /** SIGSTOP freezes it, SIGCONT lets it go on, SIGTERM closes it as an application does. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGTERM'): void {
    this.#child.kill(name);
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    // Its Workers end when their channel to it is closed.
    this.#child.kill('SIGKILL');
    await ended;
  }
}
