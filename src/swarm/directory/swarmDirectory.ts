/**
 * Directory of a peer: the rooms of other peers are found in the DHT, and some of the peers are known with their load,
 * so that one of them can be chosen.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Address } from 'dht-rpc';
import { logger } from '../../core/logger.ts';
import type {
  Directory,
  DirectoryEvents,
  NodeRecord,
  Registration,
  RoomWatch,
} from '../../horizontal/directory/directory.ts';
import { Dht, type DhtOptions } from '../dht/dht.ts';
import { targetOfRoom } from '../dht/record.ts';
import { Rounds } from './rounds.ts';
import { Sample } from './sample.ts';
import { SwarmRoomWatch } from './swarmRoomWatch.ts';
import { defaultTiming, type SwarmTiming } from './timing.ts';

const log = logger('swarm');

/** Peers that are asked for their load in each interval, of those that are known, and of others. */
const ASKED = 4;

export class SwarmDirectory extends EnhancedEventEmitter<DirectoryEvents> implements Directory {
  /** Resolves when the peers that were named have answered, or don't, or the port can't be had. */
  readonly known: Promise<void>;
  readonly #sample = new Sample({
    onNode: record => void this.safeEmit('node', record),
    onGone: url => void this.safeEmit('nodegone', url),
  });
  readonly #watches = new Set<RoomWatch>();
  readonly #own = new Map<string, NodeRecord>();
  readonly #timing: SwarmTiming;
  readonly #rounds: Rounds;
  readonly #opening: Promise<Dht>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: Omit<DhtOptions, 'status'>, timing: Partial<SwarmTiming> = {}) {
    super();
    this.#timing = { ...defaultTiming, ...timing };
    this.#rounds = new Rounds(this.#timing.lookupInterval);
    this.#opening = Dht.open({ ...options, status: () => [...this.#own.values()] });
    this.known = this.#begin().catch(error => log.warn('%o', error));
  }

  get nodes(): ReadonlyMap<string, NodeRecord> {
    return this.#sample.nodes;
  }

  /** @throws {Error} if the port of the DHT can't be had */
  async opened(): Promise<Dht> {
    return this.#opening;
  }

  watch(roomId: string): RoomWatch {
    const watch: RoomWatch = new SwarmRoomWatch({
      roomId,
      dht: this.#opening,
      timing: this.#timing,
      rounds: this.#rounds,
      onHolder: record => {
        this.#sample.pin(record);
        this.#inDht(dht => this.#askOne(dht, record.address));
      },
      onHolderGone: ({ url }) => this.#sample.unpin(url),
      onClose: () => this.#watches.delete(watch),
    });
    this.#watches.add(watch);
    return watch;
  }

  register(record: NodeRecord): Registration {
    const { url } = record;
    this.#own.set(url, record);
    const held = new Set<string>();
    return {
      update: change => {
        const present = this.#own.get(url);
        if (present) this.#own.set(url, { ...present, ...change });
      },
      hold: roomId => {
        if (held.has(roomId) || this.#closed || !this.#own.has(url)) return;
        held.add(roomId);
        this.#inDht(dht => dht.publish(targetOfRoom(roomId), url));
      },
      release: roomId => {
        if (held.delete(roomId)) this.#inDht(dht => dht.withdraw(targetOfRoom(roomId), url));
      },
      close: async () => {
        if (!this.#own.delete(url) || this.#closed) return;
        // Nothing was published by a DHT that could not be opened.
        const dht = await this.#opening.catch(() => undefined);
        if (dht) await Promise.allSettled([...held].map(roomId => dht.withdraw(targetOfRoom(roomId), url)));
      },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#own.clear();
    clearInterval(this.#timer);
    for (const watch of this.#watches) watch.close();
    const dht = await this.#opening.catch(() => undefined);
    await dht?.close();
  }

  async #begin(): Promise<void> {
    const dht = await this.#opening;
    await dht.ready();
    if (this.#closed) return;
    this.#timer = setInterval(() => void this.#ask(dht), this.#timing.sampleInterval).unref();
    await this.#ask(dht);
  }

  #inDht(act: (dht: Dht) => void | Promise<void>): void {
    this.#opening.then(act).catch(error => log.warn('%o', error));
  }

  /** Asks some peers for their load: some of those that are known, and others. */
  async #ask(dht: Dht): Promise<void> {
    const some = [this.#sample.addresses, dht.peers].flatMap(peers => shuffled(peers).slice(0, ASKED));
    const addresses = new Map(some.map(address => [`${address.host}:${address.port}`, address]));
    await Promise.all([...addresses.values()].map(address => this.#askOne(dht, address)));
  }

  async #askOne(dht: Dht, address: Address): Promise<void> {
    const records = await dht.statusOf(address);
    if (!this.#closed) this.#sample.note(address, records);
  }
}

function shuffled<T>(members: readonly T[]): T[] {
  return members
    .map(member => ({ member, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ member }) => member);
}
