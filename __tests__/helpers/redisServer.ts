/** A Redis of its own for a test: Debian's `redis-server`, which keeps nothing on disk. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createClient } from 'redis';
import { pickPort } from 'pick-port';

/** Why there can be none here; undefined if there can. */
export function whyNoRedis(): string | undefined {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `there is no redis-server (${(error as Error).message.trim()})`;
  }
}

export class RedisServer {
  readonly #port: number;
  #child: ChildProcess | undefined;

  static async create(): Promise<RedisServer> {
    const redis = new RedisServer(await pickPort({ type: 'tcp', ip: '127.0.0.1', reserveTimeout: 0 }));
    await redis.start();
    return redis;
  }

  private constructor(port: number) {
    this.#port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Starts it, with nothing in it. Resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn('redis-server', [
      ...['--port', String(this.#port), '--bind', '127.0.0.1'],
      ...['--save', '', '--appendonly', 'no', '--dir', '/tmp', '--logfile', ''],
    ]);
    this.#child = child;
    child.stderr.resume();
    let said = '';
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Ready to accept connections')) resolve();
      });
      child.once('exit', () => reject(new Error(`redis-server has ended: ${said}`)));
      child.once('error', reject);
    });
    await ready;
    child.removeAllListeners('exit');
  }

  /** Kills it: what was in it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Stops the process, which keeps its connections and answers nothing, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child!.kill(signal);
  }

  /** Runs a command. */
  async command<T>(...args: string[]): Promise<T> {
    const client = createClient({ url: this.url });
    await client.connect();
    try {
      return await client.sendCommand<T>(args);
    } finally {
      client.destroy();
    }
  }

  async close(): Promise<void> {
    await this.kill();
  }
}
