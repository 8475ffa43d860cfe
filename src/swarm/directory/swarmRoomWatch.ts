/** Peers that hold a part of a room, as they are found in the DHT. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { logger } from '../../core/logger.ts';
import type { RoomWatch } from '../../horizontal/directory/directory.ts';
import type { Dht } from '../dht/dht.ts';
import { RECORD_LIFETIME_MS, targetOfRoom, type SwarmRecord } from '../dht/record.ts';
import type { Rounds } from './rounds.ts';
import type { SwarmTiming } from './timing.ts';

const log = logger('swarm');

/** Servers of one room that are followed. Identities cost nothing, so a peer could name any number. */
const MAX_HOLDERS = 1000;

export interface SwarmRoomWatchOptions {
  roomId: string;
  dht: Promise<Dht>;
  timing: SwarmTiming;
  /** Rounds in which the room is looked up again. */
  rounds: Rounds;
  /** Called for a server that holds the room from now on, before it is named. */
  onHolder: (record: SwarmRecord) => void;
  /** Called for a server that no longer does, or at the end of the watch. */
  onHolderGone: (record: SwarmRecord) => void;
  onClose: () => void;
}

export class SwarmRoomWatch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  readonly known: Promise<boolean>;
  readonly #options: SwarmRoomWatchOptions;
  readonly #target: Buffer;
  /** Latest record of each server that holds the room, by its URL. */
  readonly #holders = new Map<string, SwarmRecord>();
  /** Times of the latest records, by peer and URL: an earlier record may come later. */
  readonly #times = new Map<string, number>();
  #stop: (() => void) | undefined;
  #refreshing: Promise<boolean> | undefined;
  #closed = false;

  constructor(options: SwarmRoomWatchOptions) {
    super();
    this.#options = options;
    this.#target = targetOfRoom(options.roomId);
    this.known = options.dht.then(
      dht => this.#follow(dht),
      () => false,
    );
  }

  get urls(): ReadonlySet<string> {
    return new Set(this.#holders.keys());
  }

  /** Looks the peers up again, a few times, since the record of a new one may be on its way. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** Drops the servers of peers that are not trusted any more. */
  dropUntrusted(trusts: (peerId: string) => boolean): void {
    for (const [url, { peerId }] of this.#holders) if (!trusts(peerId)) this.#drop(url);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop?.();
    for (const url of this.urls) this.#drop(url);
    this.#options.onClose();
  }

  async #follow(dht: Dht): Promise<boolean> {
    if (this.#closed) return false;
    const name = this.#target.toString('base64url');
    const onRecord = (of: string, record: SwarmRecord): void => void (of === name && this.#note(record));
    const unwatch = dht.watch(this.#target);
    dht.on('record', onRecord);
    // Peers far from the target in the DHT, and without a part of the room, hear of new ones only by looking.
    const leave = this.#options.rounds.add(() => void this.#lookUpAgain(dht));
    this.#stop = () => {
      leave();
      unwatch();
      dht.off('record', onRecord);
    };
    return this.#lookUp(dht);
  }

  /** Names the peers again, also those that are known: one that was cut off may be back. */
  async #lookUpAgain(dht: Dht): Promise<void> {
    if ((await this.#lookUp(dht)) && this.#holders.size > 0) this.emit('change');
  }

  async #refresh(): Promise<boolean> {
    const dht = await this.#options.dht.catch(() => undefined);
    let isAnswered = false;
    for (const pause of this.#options.timing.refreshPauses) {
      if (this.#closed || !dht) return false;
      isAnswered = await this.#lookUp(dht);
      await new Promise(resolve => setTimeout(resolve, pause));
    }
    return isAnswered;
  }

  /** Never rejects. @returns whether the DHT has answered */
  async #lookUp(dht: Dht): Promise<boolean> {
    try {
      for await (const record of dht.find(this.#target)) this.#note(record);
    } catch (error) {
      log.warn('%o', error);
      return false;
    } finally {
      this.#dropOver();
    }
    return !this.#closed;
  }

  #note(record: SwarmRecord): void {
    const { peerId, url, time, expires } = record;
    const key = `${peerId} ${url}`;
    if (this.#closed || (this.#times.get(key) ?? 0) >= time) return;
    if (!this.#times.has(key) && this.#times.size >= MAX_HOLDERS) return;
    this.#times.set(key, time);
    if (expires <= Date.now()) return this.#drop(url);
    const before = this.#holders.get(url);
    this.#holders.set(url, record);
    this.#options.onHolder(record);
    if (before) this.#options.onHolderGone(before);
    else this.emit('change');
  }

  #drop(url: string): void {
    const record = this.#holders.get(url);
    if (!record) return;
    this.#holders.delete(url);
    this.#options.onHolderGone(record);
    if (!this.#closed) this.emit('change');
  }

  /** Drops the records that are over. */
  #dropOver(): void {
    const now = Date.now();
    for (const [url, { expires }] of this.#holders) if (expires <= now) this.#drop(url);
    // An earlier record than one that was over two lifetimes ago is over as well.
    for (const [key, time] of this.#times) if (time < now - 2 * RECORD_LIFETIME_MS) this.#times.delete(key);
  }
}
