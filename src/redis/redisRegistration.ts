/**
 * Record of a node in Redis, and the rooms that it holds: written by the node itself, and renewed, since Redis forgets
 * what is not. The registration knows what is to be there; what an outage has kept from being written is written after it.
 */
import type { NodeRecord, Registration } from '../horizontal/directory/directory.ts';
import { checkedRecord } from '../horizontal/directory/nodeRecord.ts';
import { logger } from '../core/logger.ts';
import { within } from '../core/within.ts';
import { KeyedQueue } from './keyedQueue.ts';
import { toError, type RedisConnection } from './redisConnection.ts';
import { HOLD_ROOM, MARK_USE, RELEASE_ROOM, REMOVE_NODE, WRITE_NODE, type Keys } from './scripts.ts';
import { varied, type Timing } from './timing.ts';

const log = logger('redis');

/** Number of rooms that are written at once. */
const BATCH = 256;
/** Largest record, in bytes of JSON. */
export const MAX_RECORD_BYTES = 16_384;
/** Change of the load, in percent of the node, that is written before the next renewal. */
const LOAD_STEP = 5;
/** Limit for taking everything back, in ms. What Redis has not heard by then it forgets by itself. */
const CLOSE_TIMEOUT_MS = 2000;

export interface RegistrationOptions {
  connection: RedisConnection;
  keys: Keys;
  timing: Timing;
  onClose: () => void;
}

export class RedisRegistration implements Registration {
  readonly #options: RegistrationOptions;
  #record: NodeRecord;
  readonly #held = new Set<string>();
  /** Rooms that may be in Redis, with the time of the latest write, the earliest first. */
  readonly #written = new Map<string, number>();
  readonly #rooms = new KeyedQueue(BATCH, roomId => this.#writeRoom(roomId));
  #timer: NodeJS.Timeout | undefined;
  #restoring: NodeJS.Timeout | undefined;
  #wroteAt = -Infinity;
  #writtenLoad: number;
  /** Whether the record was ever written: if it is missing later, Redis has lost the rooms too. */
  #wasThere = false;
  #closed: Promise<void> | undefined;

  /** @throws {TypeError} if the record is not one, or too large */
  constructor(record: NodeRecord, options: RegistrationOptions) {
    const checked = checkedRecord(record);
    if (!checked) throw new TypeError('this is no record of a node: names may have 200 characters, labels be 64');
    if (Buffer.byteLength(JSON.stringify(checked)) > MAX_RECORD_BYTES)
      throw new TypeError(`the record of a node may have ${MAX_RECORD_BYTES} bytes: use fewer labels`);
    this.#record = rounded(checked);
    this.#writtenLoad = this.#record.load;
    this.#options = options;
    this.renew().catch(error => log.warn('%s: %o', record.url, error));
  }

  update(change: Partial<Pick<NodeRecord, 'load' | 'draining'>>): void {
    const { draining } = this.#record;
    this.#record = rounded({ ...this.#record, ...change });
    const hasChanged =
      this.#record.draining !== draining || Math.abs(this.#record.load - this.#writtenLoad) >= LOAD_STEP;
    if (!hasChanged || !this.#options.connection.isUp) return;
    this.#schedule(Math.max(0, this.#wroteAt + this.#options.timing.change - performance.now()));
  }

  hold(roomId: string): void {
    if (this.#closed || this.#held.has(roomId)) return;
    this.#held.add(roomId);
    this.#rooms.add(roomId);
  }

  release(roomId: string): void {
    if (!this.#held.delete(roomId)) return;
    if (this.#written.has(roomId)) this.#rooms.add(roomId);
    else this.#rooms.delete(roomId);
  }

  async close(): Promise<void> {
    this.#closed ??= this.#takeBack();
    await this.#closed;
  }

  /**
   * Writes the record, and the rooms that are due.
   * @throws {Error} if it can't be written
   */
  async renew(): Promise<void> {
    const { connection, keys, timing } = this.#options;
    if (this.#closed || !connection.isUp) return;
    this.#schedule(varied(timing.beat));
    this.#wroteAt = performance.now();
    this.#writtenLoad = this.#record.load;
    const { url } = this.#record;
    try {
      const [isKnown] = await Promise.all([
        connection.write(WRITE_NODE, keys.nodes, [url, timing.nodeTtl, JSON.stringify(this.#record)]),
        connection.write(MARK_USE, keys.since),
      ]);
      if (this.#wasThere && isKnown !== 1) this.restore(timing.spread);
      this.#wasThere = true;
    } catch (error) {
      connection.fail(toError(error));
      throw error;
    }
    for (const [roomId, at] of this.#written) {
      if (at > this.#wroteAt - timing.rooms) break;
      this.#rooms.add(roomId);
    }
  }

  /** Writes all rooms again, at a moment within the given time, in ms. */
  restore(spread: number): void {
    if (this.#restoring || this.#closed) return;
    this.#restoring = setTimeout(() => {
      this.#restoring = undefined;
      for (const roomId of new Set([...this.#held, ...this.#written.keys()])) this.#rooms.add(roomId);
    }, Math.random() * spread).unref();
  }

  /** Stops writing. Must be called when the connection is down. */
  pause(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#restoring);
    this.#restoring = undefined;
    this.#rooms.clear();
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.renew().catch(error => log.warn('%s: %o', this.#record.url, error));
    }, ms).unref();
  }

  async #writeRoom(roomId: string): Promise<void> {
    const { connection, keys, timing } = this.#options;
    if (!connection.isUp) return;
    const { url } = this.#record;
    const isHeld = this.#held.has(roomId);
    try {
      if (isHeld) {
        this.#written.delete(roomId);
        this.#written.set(roomId, performance.now());
        await connection.write(HOLD_ROOM, keys.room(roomId), [url, timing.roomTtl]);
      } else {
        await connection.write(RELEASE_ROOM, keys.room(roomId), [url]);
        if (!this.#held.has(roomId)) this.#written.delete(roomId);
      }
    } catch (error) {
      // A room that Redis refuses is written again when it is due, and all of them after an outage.
      log.warn('room %s: %o', roomId, error);
    }
  }

  async #takeBack(): Promise<void> {
    const { connection, keys, onClose } = this.#options;
    const { url, serverId } = this.#record;
    this.pause();
    onClose();
    if (!connection.isUp) return;
    const rooms = [...this.#written.keys()];
    this.#held.clear();
    this.#written.clear();
    const released = async (): Promise<void> => {
      await connection.write(REMOVE_NODE, keys.nodes, [url, `"serverId":${JSON.stringify(serverId)}`]);
      for (let next = 0; next < rooms.length; next += BATCH)
        await Promise.all(
          rooms.slice(next, next + BATCH).map(id => connection.write(RELEASE_ROOM, keys.room(id), [url])),
        );
    };
    await within(
      released().catch(error => log.warn('%s: %o', url, error)),
      CLOSE_TIMEOUT_MS,
    );
  }
}

/** Rounds the load: a smaller change is not worth telling all controllers of. */
function rounded(record: NodeRecord): NodeRecord {
  return { ...record, load: Math.round(record.load) };
}
