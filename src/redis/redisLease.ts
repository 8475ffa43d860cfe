/** Lease in Redis, whose clock decides when it runs out. */
import { randomUUID } from 'node:crypto';
import type { Lease } from '../horizontal/directory/lease.ts';
import type { RedisConnection } from './redisConnection.ts';
import { GIVE_LEASE_BACK, TAKE_LEASE } from './scripts.ts';

export class RedisLease implements Lease {
  readonly duration: number;
  readonly #connection: RedisConnection;
  readonly #key: string;
  readonly #holder = randomUUID();

  /** @param duration in ms */
  constructor(connection: RedisConnection, key: string, duration: number) {
    this.#connection = connection;
    this.#key = key;
    this.duration = duration;
  }

  async acquire(): Promise<number | undefined> {
    const fence = await this.#connection.write(TAKE_LEASE, this.#key, [this.#holder, this.duration]);
    if (typeof fence !== 'number') throw new Error('Redis has given no number for the lease');
    return fence > 0 ? fence : undefined;
  }

  async release(): Promise<void> {
    await this.#connection.write(GIVE_LEASE_BACK, this.#key, [this.#holder]);
  }
}
