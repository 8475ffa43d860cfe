/** The directory on Redis, or on Valkey: for clusters whose nodes come and go, and for rooms of many controllers. */
import { createClient } from 'redis';
import { ClosedError } from '../api/errors.ts';
import { optionsOf, resolveOptions } from '../api/optionsSchema.ts';
import { duration } from '../api/optionTypes.ts';
import type { DirectoryStatistics } from '../api/statistics.ts';
import { logger } from '../core/logger.ts';
import { PublicEmitter } from '../core/publicEmitter.ts';
import type {
  Directory,
  DirectoryEvents,
  NodeRecord,
  Registration,
  RoomWatch,
} from '../horizontal/directory/directory.ts';
import type { Lease } from '../horizontal/directory/lease.ts';
import { NodeList } from './nodeList.ts';
import { Outage } from './outage.ts';
import type { RedisClient } from './redisClient.ts';
import { RedisConnection } from './redisConnection.ts';
import { keyName, redisDirectoryOptions, type RedisDirectoryOptions } from './redisDirectoryOptions.ts';
import { MAX_RECORD_BYTES, RedisRegistration } from './redisRegistration.ts';
import { RedisLease } from './redisLease.ts';
import { RoomWatches } from './roomWatches.ts';
import { Keys } from './scripts.ts';
import { defaultTiming, type Timing } from './timing.ts';

const log = logger('redis');

/** Duration of a lease: another process has it 15 s after its holder was killed, at the latest. */
const LEASE_MS = 10_000;
const leaseOptions = optionsOf<{ name: string; duration: number }>()({ name: keyName, duration: duration(1) });

/** Largest message of another user of the directory, in characters. */
const MAX_MESSAGE_LENGTH = MAX_RECORD_BYTES + 1;

/**
 * Directory on Redis 7, on Valkey, or on what speaks their language.
 *
 * @example
 * const directory = new RedisDirectory('rediss://user:password@redis.example:6379');
 * const server = new RemoteMafaldaServer(mafalda, { auth: token, directory, publicUrl: 'wss://media-1.example:4443' });
 * const cluster = new MafaldaHorizontal({ directory, token });
 */
export class RedisDirectory extends PublicEmitter<DirectoryEvents> implements Directory {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #timing: Timing;
  readonly #outage = new Outage(
    error => {
      this.#watches.mistrust();
      this.reportError(error);
    },
    () => this.safeEmit('recovered'),
  );
  readonly #list: NodeList;
  #isFollowed = false;
  #markFollowed!: () => void;
  readonly #followed = new Promise<void>(resolve => (this.#markFollowed = resolve));
  readonly #watches: RoomWatches;
  readonly #registrations = new Set<RedisRegistration>();
  #wasUp = false;
  #closed = false;

  /**
   * @param redis URL (`redis://` or, with TLS, `rediss://`), or a client made by `createClient()`, `createCluster()` or
   * `createSentinel()` of node-redis, which serves as a pattern: the directory connects a duplicate, and closes it
   * @param timing times that differ from the defaults, for tests
   * @throws {TypeError} for an option that is unknown, or can't be used
   */
  constructor(redis: string | RedisClient, options: RedisDirectoryOptions = {}, timing: Partial<Timing> = {}) {
    super();
    const { prefix } = resolveOptions('RedisDirectory', redisDirectoryOptions, options);
    this.#keys = new Keys(prefix);
    this.#timing = { ...defaultTiming, ...timing };
    this.#connection = new RedisConnection(patternOf(redis), this.#timing);
    const parts = { connection: this.#connection, keys: this.#keys, timing: this.#timing, outage: this.#outage };
    this.#list = new NodeList(parts);
    this.#watches = new RoomWatches(parts);
    this.#list.on('node', record => this.safeEmit('node', record));
    this.#list.on('nodegone', url => this.safeEmit('nodegone', url));
    this.#connection.on('up', () => void this.#onUp());
    this.#connection.on('down', error => this.#onDown(error));
    this.#connection.on('message', (channel, message) => this.#onMessage(channel, message));
  }

  get nodes(): ReadonlyMap<string, NodeRecord> {
    void this.#follow();
    return this.#list.nodes;
  }

  get statistics(): DirectoryStatistics {
    return { up: this.#connection.isUp && !this.#outage.isOn, outages: this.#outage.count };
  }

  get known(): Promise<void> {
    return this.#follow();
  }

  /** @throws {ClosedError} if the directory is closed */
  watch(roomId: string): RoomWatch {
    this.#assertOpen();
    return this.#watches.open(roomId);
  }

  /**
   * @throws {ClosedError} if the directory is closed
   * @throws {TypeError} if the record is not one, or too large
   */
  register(record: NodeRecord): Registration {
    this.#assertOpen();
    const registration = new RedisRegistration(record, {
      connection: this.#connection,
      keys: this.#keys,
      timing: this.#timing,
      onClose: () => this.#registrations.delete(registration),
    });
    this.#registrations.add(registration);
    return registration;
  }

  /**
   * Returns a lease of this name, for an `Autoscaler`: of all processes that want it one has it.
   * @param duration time for which it is taken each time, in ms; after it another process can have it
   * @throws {ClosedError} if the directory is closed
   * @throws {TypeError} if the name is empty or too long, or `duration` is not a duration
   */
  lease(name = 'autoscaler', duration = LEASE_MS): Lease {
    this.#assertOpen();
    resolveOptions('lease()', leaseOptions, { name, duration });
    return new RedisLease(this.#connection, this.#keys.lease(name), duration);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#markFollowed();
    this.#list.pause();
    this.#watches.close();
    await Promise.all([...this.#registrations].map(registration => registration.close()));
    this.#connection.close();
  }

  #follow(): Promise<void> {
    if (this.#isFollowed || this.#closed) return this.#followed;
    this.#isFollowed = true;
    if (this.#connection.isUp) {
      const followed = this.#list.follow().catch(error => log.warn('the nodes can’t be followed: %o', error));
      void followed.then(() => this.#markFollowed());
    }
    return this.#followed;
  }

  async #onUp(): Promise<void> {
    const isFirst = !this.#wasUp;
    this.#wasUp = true;
    try {
      const renewed = [...this.#registrations].map(registration => registration.renew());
      await Promise.all([this.#isFollowed && this.#list.follow(), ...renewed]);
    } catch (error) {
      return log.warn('the connection is no longer up: %o', error);
    }
    if (!this.#connection.isUp) return;
    if (this.#isFollowed) this.#markFollowed();
    // After an outage all servers and controllers are back at about the same time.
    const spread = isFirst ? 0 : this.#timing.spread;
    for (const registration of this.#registrations) registration.restore(spread);
    this.#watches.resume(spread);
    this.#outage.end('connection');
  }

  #onDown(error: Error): void {
    this.#list.pause();
    this.#watches.pause();
    for (const registration of this.#registrations) registration.pause();
    if (this.#isFollowed) this.#markFollowed();
    this.#outage.begin(
      'connection',
      new Error(`Redis can’t be reached, what is known of the nodes stays in use: ${error.message}`, { cause: error }),
    );
  }

  #onMessage(channel: string, message: string): void {
    if (message.length > MAX_MESSAGE_LENGTH) return;
    if (channel === this.#keys.nodes) return this.#list.onMessage(message);
    const roomId = this.#keys.roomOf(channel);
    if (roomId !== undefined) this.#watches.onMessage(roomId, message);
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('this RedisDirectory is closed: make another one');
  }
}

/** @throws {TypeError} if it is neither a URL of Redis nor a client of node-redis */
function patternOf(redis: string | RedisClient): RedisClient {
  if (typeof redis === 'string') {
    // The message must not repeat the URL, which may have a password.
    if (!URL.canParse(redis) || !/^rediss?:$/.test(new URL(redis).protocol))
      throw new TypeError('the URL of Redis must begin with redis:// or, with TLS, rediss://');
    return createClient({ url: redis, disableOfflineQueue: true, socket: { reconnectStrategy: false } });
  }
  if (typeof redis?.duplicate !== 'function' || typeof redis.eval !== 'function')
    throw new TypeError('a RedisDirectory needs the URL of Redis, or a client of node-redis');
  if (redis.options?.RESP === 2)
    throw new TypeError(
      'a RedisDirectory needs RESP 3, the default: with RESP 2 a connection only listens or only asks',
    );
  return redis;
}
