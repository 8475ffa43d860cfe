/** A controller in a process of its own, for servers that mean to bring it down: see `processes/victim.ts`. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LongestTurn } from './fuzz/starvation.ts';
import type { RemoteMafaldaClientOptions } from '../../src/remote/client/index.ts';

export interface VictimRequest {
  /** Of a bad server, which it is to use from now on. */
  url?: string;
  clients: number;
  limits?: RemoteMafaldaClientOptions['limits'];
}

export interface VictimState {
  /** In bytes. */
  memory: number;
  /** The errors that its client of this bad server has emitted. */
  errors: string[];
  /** Names of the warnings that Node.js has ever given there. */
  warnings: string[];
  polluted: boolean;
  /** How many Transports each of its Mafaldas has that use the bad one. */
  objects: number[];
  /** Since it was asked last. */
  longestTurn: LongestTurn;
}

export class VictimProcess {
  readonly #child: ChildProcess;
  #errors = '';

  static async create(goodUrl: string): Promise<VictimProcess> {
    const script = fileURLToPath(new URL('processes/victim.ts', import.meta.url));
    const child = fork(script, [goodUrl], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const victim = new VictimProcess(child);
    await victim.#next('it is ready');
    return victim;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr!.on('data', (text: Buffer) => (this.#errors += text.toString()));
  }

  /** @throws if the process has ended */
  async meet(url: string, clients = 1, limits?: VictimRequest['limits']): Promise<VictimState> {
    return this.#ask({ url, clients, limits });
  }

  async state(): Promise<VictimState> {
    return this.#ask({ clients: 0 });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ask(request: VictimRequest): Promise<VictimState> {
    const answer = this.#next('it has answered');
    if (this.#child.connected) this.#child.send(request);
    return (await answer) as VictimState;
  }

  async #next(what: string): Promise<unknown> {
    const decided = new AbortController();
    const { signal } = decided;
    const ended = once(this.#child, 'exit', { signal }).then(() => undefined);
    if (this.#child.exitCode !== null) throw new Error(`the controller's process has ended: ${this.#errors}`);
    try {
      const message = await Promise.race([once(this.#child, 'message', { signal }), ended]);
      if (!message) throw new Error(`the controller's process has ended before ${what}: ${this.#errors}`);
      return message[0] as unknown;
    } finally {
      decided.abort();
      // The wait that lost the race rejects now, and must be handled.
      await ended.catch(() => undefined);
    }
  }
}
