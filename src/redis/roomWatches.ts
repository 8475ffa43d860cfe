/**
 * Rooms that a controller watches: which nodes hold them. Each has a channel of its own, so that a controller hears of
 * its own rooms only, and is read when the watch begins, and now and then after that.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { RoomWatch } from '../horizontal/directory/directory.ts';
import { isNodeUrl } from '../horizontal/directory/nodeRecord.ts';
import { logger } from '../core/logger.ts';
import { KeyedQueue } from './keyedQueue.ts';
import type { RedisConnection } from './redisConnection.ts';
import { READ_AGE, READ_ROOM, type Keys } from './scripts.ts';
import { varied, type Timing } from './timing.ts';

const log = logger('redis');

/** Number of rooms that are read at once, and subscribed to by one command. */
const BATCH = 256;
/** Largest number of nodes that hold a room. */
const MAX_HOLDERS = 1000;

export interface RoomWatchesOptions {
  connection: RedisConnection;
  keys: Keys;
  timing: Timing;
}

export class RoomWatches {
  readonly #options: RoomWatchesOptions;
  readonly #rooms = new Map<string, WatchedRoom>();
  readonly #reading = new KeyedQueue(BATCH, roomId => this.#read(roomId));
  #timer: NodeJS.Timeout | undefined;
  /** Question for how long Redis has been in use, which all that ask at once share. */
  #age: Promise<unknown> | undefined;
  /** Time until which Redis may lack holders that there are. */
  #lenientUntil = -Infinity;

  constructor(options: RoomWatchesOptions) {
    this.#options = options;
  }

  open(roomId: string): RoomWatch {
    const room = this.#rooms.get(roomId) ?? this.#begin(roomId);
    const watch = new RedisRoomWatch(room, {
      isTrusted: () => this.#isTrusted(),
      onClose: () => {
        if (!room.watches.delete(watch) || room.watches.size > 0 || this.#rooms.get(roomId) !== room) return;
        this.#end(roomId, room);
      },
    });
    room.watches.add(watch);
    return watch;
  }

  /** Notes a message of a room's channel. */
  onMessage(roomId: string, message: string): void {
    const url = message.slice(1);
    if (isNodeUrl(url)) this.#rooms.get(roomId)?.change(url, message.startsWith('+'));
  }

  /**
   * Subscribes to all rooms and reads them, from a moment within the given time on, in ms. Must be called when the
   * connection is up.
   */
  resume(spread: number): void {
    this.mistrust();
    this.#schedule(Math.random() * spread, () => void this.#subscribeAll([...this.#rooms.keys()]));
  }

  /**
   * Takes it that Redis may lack holders that there are.
   * @param ms default: the time that servers have to write them again
   */
  mistrust(ms = this.#options.timing.settle): void {
    this.#lenientUntil = performance.now() + ms;
  }

  /** Reads no more. Must be called when the connection is down: what is known stays. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#reading.clear();
    for (const room of this.#rooms.values()) room.markKnown(false);
  }

  /** Ends all watches. */
  close(): void {
    this.pause();
    for (const { watches } of this.#rooms.values()) for (const watch of watches) watch.close();
  }

  get #isLenient(): boolean {
    return performance.now() < this.#lenientUntil;
  }

  /**
   * Returns whether Redis lacks no holder that there is. It may soon after it was emptied, which this controller may not
   * have noticed.
   */
  async #isTrusted(): Promise<boolean> {
    const { connection, keys, timing } = this.#options;
    if (!connection.isUp || this.#isLenient) return false;
    this.#age ??= connection.read(READ_AGE, keys.since).finally(() => (this.#age = undefined));
    try {
      const age = await this.#age;
      const untrustedFor = timing.settle - (typeof age === 'number' ? Math.max(0, age) : 0);
      if (untrustedFor > 0) this.mistrust(untrustedFor);
      return untrustedFor <= 0;
    } catch (error) {
      log.warn('the age of what is in Redis can’t be read: %o', error);
      return false;
    }
  }

  #begin(roomId: string): WatchedRoom {
    const { connection, keys } = this.#options;
    const room = new WatchedRoom();
    this.#rooms.set(roomId, room);
    if (!connection.isUp) {
      room.markKnown(false);
      return room;
    }
    this.#reading.add(roomId);
    // A change that was written between this read and the subscription is seen by another read.
    connection.subscribe([keys.room(roomId)]).then(
      () => this.#rooms.get(roomId) === room && this.#reading.add(roomId),
      error => log.warn('room %s can’t be watched: %o', roomId, error),
    );
    return room;
  }

  #end(roomId: string, room: WatchedRoom): void {
    const { connection, keys } = this.#options;
    this.#rooms.delete(roomId);
    this.#reading.delete(roomId);
    room.markKnown(false);
    if (!connection.isUp) return;
    connection.unsubscribe([keys.room(roomId)]).catch(error => log.warn('room %s: %o', roomId, error));
  }

  async #subscribeAll(roomIds: readonly string[]): Promise<void> {
    const { connection, keys } = this.#options;
    try {
      for (let next = 0; next < roomIds.length; next += BATCH) {
        const batch = roomIds.slice(next, next + BATCH).filter(roomId => this.#rooms.has(roomId));
        if (batch.length === 0) continue;
        await connection.subscribe(batch.map(roomId => keys.room(roomId)));
        for (const roomId of batch) if (this.#rooms.has(roomId)) this.#reading.add(roomId);
      }
    } catch (error) {
      // The connection is down, and another one will be up.
      return log.warn('the rooms can’t be watched: %o', error);
    }
    this.#scheduleRead();
  }

  #scheduleRead(): void {
    const { timing } = this.#options;
    const untilStrict = Math.max(0, this.#lenientUntil - performance.now());
    this.#schedule(untilStrict > 0 ? untilStrict + Math.random() * timing.spread : varied(timing.rooms), () => {
      for (const roomId of this.#rooms.keys()) this.#reading.add(roomId);
      this.#scheduleRead();
    });
  }

  #schedule(ms: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms).unref();
  }

  async #read(roomId: string): Promise<void> {
    const { connection, keys } = this.#options;
    const room = this.#rooms.get(roomId);
    if (!room) return;
    room.beginReading();
    try {
      const answer = await connection.read(READ_ROOM, keys.room(roomId), [MAX_HOLDERS]);
      const urls = Array.isArray(answer) ? answer.slice(0, MAX_HOLDERS).filter(isNodeUrl) : [];
      room.endReading(urls, this.#isLenient);
    } catch (error) {
      log.warn('room %s can’t be read: %o', roomId, error);
      room.endReading();
    }
  }
}

/** A room, for all watches of it. */
class WatchedRoom {
  readonly urls = new Set<string>();
  readonly watches = new Set<RedisRoomWatch>();
  readonly known: Promise<boolean>;
  #markKnown!: (isAnswered: boolean) => void;
  wasRead = false;
  /** Changes that were told of while the room was being read, which may be newer than the answer. */
  #told: Map<string, boolean> | undefined;

  constructor() {
    this.known = new Promise(resolve => (this.#markKnown = resolve));
  }

  /** @param isAnswered whether Redis has answered: what was noted first counts */
  markKnown(isAnswered: boolean): void {
    this.#markKnown(isAnswered);
  }

  change(url: string, isHeld: boolean): void {
    this.#told?.set(url, isHeld);
    if (this.#set(url, isHeld)) this.#emitChange();
  }

  beginReading(): void {
    this.#told = new Map();
  }

  /**
   * @param urls nodes that hold the room; undefined if Redis has not answered
   * @param isLenient whether nodes that are missing hold it nevertheless
   */
  endReading(urls?: readonly string[], isLenient = false): void {
    const told = this.#told ?? new Map<string, boolean>();
    this.#told = undefined;
    if (urls) {
      const now = new Set(urls);
      const gone = isLenient && this.wasRead ? [] : [...this.urls].filter(url => !now.has(url));
      const changes = new Map([
        ...gone.map(url => [url, false] as const),
        ...urls.map(url => [url, true] as const),
        ...told,
      ]);
      let hasChanged = false;
      for (const [url, isHeld] of changes) hasChanged = this.#set(url, isHeld) || hasChanged;
      this.wasRead = true;
      if (hasChanged) this.#emitChange();
    }
    this.markKnown(urls !== undefined);
  }

  #set(url: string, isHeld: boolean): boolean {
    if (isHeld === this.urls.has(url) || (isHeld && this.urls.size >= MAX_HOLDERS)) return false;
    if (isHeld) this.urls.add(url);
    else this.urls.delete(url);
    return true;
  }

  #emitChange(): void {
    for (const watch of this.watches) watch.safeEmit('change');
  }
}

interface RedisRoomWatchOptions {
  /** Returns whether Redis can be asked, and lacks no holder that there is. */
  isTrusted: () => Promise<boolean>;
  onClose: () => void;
}

class RedisRoomWatch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  readonly urls: ReadonlySet<string>;
  readonly known: Promise<boolean>;
  readonly #room: WatchedRoom;
  readonly #options: RedisRoomWatchOptions;

  constructor(room: WatchedRoom, options: RedisRoomWatchOptions) {
    super();
    this.urls = room.urls;
    this.known = room.known;
    this.#room = room;
    this.#options = options;
  }

  /** Says whether all holders have been told by now. Redis tells of each change, and is only asked whether it has all. */
  async refresh(): Promise<boolean> {
    await this.known;
    return this.#room.wasRead && (await this.#options.isTrusted());
  }

  close(): void {
    this.#options.onClose();
  }
}
