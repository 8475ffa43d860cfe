/** A Redis as a process of its own, with its files in a temporary folder, that can be killed and started again with nothing in it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Returns whether this machine has a redis-server. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

export class Redis {
  readonly url: string;
  readonly #arguments: string[];
  readonly #folder: string;
  #child: ChildProcess | undefined;

  static async start(address: string, port: number): Promise<Redis> {
    const redis = new Redis(address, port, await mkdtemp(join(tmpdir(), 'mafalda-central-')));
    await redis.start();
    return redis;
  }

  private constructor(address: string, port: number, folder: string) {
    this.url = `redis://${address}:${port}`;
    this.#folder = folder;
    const place = ['--bind', address, '--port', String(port), '--dir', folder];
    // Nothing is kept on disk: what starts again is empty.
    this.#arguments = [...place, '--save', '', '--appendonly', 'no'];
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn('redis-server', this.#arguments, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    for await (const line of createInterface(child.stdout)) {
      if (!line.includes('Ready to accept connections')) continue;
      child.stdout.resume();
      return;
    }
    throw new Error('redis-server ended before it was ready');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true });
  }
}
