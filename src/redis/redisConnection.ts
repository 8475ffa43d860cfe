/**
 * Connection of a directory to Redis, which is made again whenever it is lost or silent. What was underway fails then:
 * the users of the connection know what they want to be written, and begin anew when it is up.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { Backoff } from '../core/backoff.ts';
import { logger } from '../core/logger.ts';
import type { RedisClient } from './redisClient.ts';
import type { Timing } from './timing.ts';

const log = logger('redis');

/** Number of commands without an answer from which on no more are sent. */
const MAX_UNDERWAY = 4096;

export type RedisConnectionEvents = {
  up: [];
  /** Emitted when the connection is lost, and when it could not be made. */
  down: [error: Error];
  message: [channel: string, message: string];
};

export class RedisConnection extends EnhancedEventEmitter<RedisConnectionEvents> {
  readonly #pattern: RedisClient;
  readonly #timing: Pick<Timing, 'answer'>;
  readonly #backoff: Backoff;
  /** The present client, connected or not. */
  #client: RedisClient | undefined;
  #isUp = false;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  /** Functions that reject the commands without an answer. */
  readonly #underway = new Set<(error: Error) => void>();
  readonly #onMessage = (message: string, channel: string): void => void this.safeEmit('message', channel, message);

  /** @param pattern of which a duplicate is connected */
  constructor(pattern: RedisClient, timing: Pick<Timing, 'answer' | 'retry'>) {
    super();
    this.#pattern = pattern;
    this.#timing = timing;
    this.#backoff = new Backoff(...timing.retry);
    void this.#connect();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /**
   * Runs a script that only reads.
   * @throws {Error} as {@link write}
   */
  read(script: string, key: string, args: readonly (string | number)[] = []): Promise<unknown> {
    return this.#ask(client => client.evalRo(script, { keys: [key], arguments: args.map(String) }));
  }

  /**
   * Runs a script.
   * @throws {Error} if Redis refuses it, or can't be reached at present
   */
  write(script: string, key: string, args: readonly (string | number)[] = []): Promise<unknown> {
    return this.#ask(client => client.eval(script, { keys: [key], arguments: args.map(String) }));
  }

  /** @throws {Error} as {@link write} */
  async subscribe(channels: string[]): Promise<void> {
    await this.#ask(client => client.subscribe(channels, this.#onMessage));
  }

  /** @throws {Error} as {@link write} */
  async unsubscribe(channels: string[]): Promise<void> {
    await this.#ask(client => client.unsubscribe(channels));
  }

  /** Makes another connection, since Redis refuses what it must not refuse: it may be starting, or a replica by now. */
  fail(error: Error): void {
    if (this.#client) this.#drop(this.#client, error);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    if (this.#client) this.#drop(this.#client, new Error('the directory is closed'));
  }

  async #connect(): Promise<void> {
    const client = this.#pattern.duplicate();
    this.#client = client;
    client.on('error', error => this.#drop(client, error));
    try {
      await this.#within(client, client.connect());
    } catch (error) {
      return this.#drop(client, toError(error));
    }
    if (this.#client !== client) return;
    this.#isUp = true;
    this.safeEmit('up');
  }

  async #ask<T>(act: (client: RedisClient) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (!client || !this.#isUp) throw new Error('there is no connection to Redis at present');
    if (this.#underway.size >= MAX_UNDERWAY) throw new Error(`${MAX_UNDERWAY} commands wait for Redis already`);
    try {
      const answer = await this.#within(client, act(client));
      this.#backoff.reset();
      return answer;
    } catch (thrown) {
      const error = toError(thrown);
      if (!isReply(error)) this.#drop(client, error);
      throw error;
    }
  }

  /** Waits for an answer; without one in time the client is given up. */
  async #within<T>(client: RedisClient, answer: Promise<T>): Promise<T> {
    const { answer: limit } = this.#timing;
    const timer = setTimeout(() => this.#drop(client, new Error(`no answer within ${limit} ms`)), limit);
    let reject!: (error: Error) => void;
    try {
      return await new Promise<T>((resolve, refuse) => {
        reject = refuse;
        this.#underway.add(reject);
        answer.then(resolve, refuse);
      });
    } finally {
      clearTimeout(timer);
      this.#underway.delete(reject);
    }
  }

  #drop(client: RedisClient, error: Error): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#isUp = false;
    // Clusters and Sentinels answer later whether they could be destroyed, and clients that never connected throw.
    Promise.resolve()
      .then(() => client.destroy())
      .catch(failure => log('destroying a client: %o', failure));
    for (const reject of this.#underway) reject(error);
    if (this.#closed) return;
    log.warn('the connection is down: %o', error);
    this.#retry = setTimeout(() => void this.#connect(), this.#backoff.next());
    this.safeEmit('down', error);
  }
}

/** Returns whether an error is an answer of Redis, which begins with a word in capitals, rather than the lack of one. */
export function isReply({ message }: Error): boolean {
  return /^[A-Z]{2,}( |$)/.test(message);
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
