/** A RemoteMafaldaServer in a process of its own, on the loopback address: it can be killed, or stopped for a while. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServerSetup } from './processes/server.ts';

const script = fileURLToPath(new URL('processes/server.ts', import.meta.url));

export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;

  static async start(setup: Omit<ServerSetup, 'address'> = {}): Promise<ServerProcess> {
    const child = fork(script, [JSON.stringify({ address: '127.0.0.1', ...setup })], { execArgv: ['--import', 'tsx'] });
    const exit = once(child, 'exit');
    const ended = exit.then((): never => {
      throw new Error('the server ended before it listened');
    });
    ended.catch(() => undefined);
    const [url] = (await Promise.race([once(child, 'message'), ended])) as [string];
    return new ServerProcess(child, exit, url);
  }

  private constructor(child: ChildProcess, exit: Promise<unknown>, url: string) {
    this.#child = child;
    this.#exit = exit;
    this.url = url;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills it, stopped or not. Its Workers notice that, and end. */
  async close(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exit;
  }
}
