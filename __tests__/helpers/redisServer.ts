/** A Redis of its own for a test: Debian's `redis-server`, which keeps nothing on disk. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { pickPort } from 'pick-port';
import type { Certificate } from './tls.ts';

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
  readonly port: number;
  /** A certificate for TLS. */
  readonly #certificate: Certificate | undefined;
  /** Files, and arguments that name them. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'mafalda-redis-'));
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  static async create(certificate?: Certificate, args?: readonly string[]): Promise<RedisServer> {
    const port = await pickPort({ type: 'tcp', ip: '127.0.0.1', reserveTimeout: 0 });
    const redis = new RedisServer(port, certificate, args);
    await redis.start();
    return redis;
  }

  /**
   * A Sentinel that watches a master under the name `mymaster`, and makes a replica the master half a second after that
   * one is gone.
   */
  static async sentinel(master: RedisServer): Promise<RedisServer> {
    const port = await pickPort({ type: 'tcp', ip: '127.0.0.1', reserveTimeout: 0 });
    const sentinel = new RedisServer(port, undefined, []);
    const config = join(sentinel.#folder, 'sentinel.conf');
    writeFileSync(
      config,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds mymaster 500',
        'sentinel failover-timeout mymaster 2000',
      ].join('\n'),
    );
    await sentinel.#spawn([config, '--sentinel'], 'monitor master');
    return sentinel;
  }

  private constructor(port: number, certificate?: Certificate, args: readonly string[] = []) {
    this.port = port;
    this.#certificate = certificate;
    const listening = certificate ? ['--port', '0', ...this.#tlsArgs(certificate)] : ['--port', String(port)];
    this.#args = [
      ...[...listening, '--bind', '127.0.0.1'],
      ...['--save', '', '--appendonly', 'no', '--dir', this.#folder, '--logfile', ''],
      ...args,
    ];
  }

  get url(): string {
    return `${this.#certificate ? 'rediss' : 'redis'}://127.0.0.1:${this.port}`;
  }

  /** Starts it, with nothing in it. Resolves when it answers. */
  async start(): Promise<void> {
    await this.#spawn(this.#args, 'Ready to accept connections');
  }

  async #spawn(args: readonly string[], until: string): Promise<void> {
    const child = spawn('redis-server', args);
    this.#child = child;
    child.stderr.resume();
    let said = '';
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(until)) resolve();
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
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tlsArgs({ cert, key }: Certificate): string[] {
    const [certFile, keyFile] = [join(this.#folder, 'cert.pem'), join(this.#folder, 'key.pem')];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    return [
      ...['--tls-port', String(this.port), '--tls-auth-clients', 'no'],
      ...['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile],
    ];
  }
}
