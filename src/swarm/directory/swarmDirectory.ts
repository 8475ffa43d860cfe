/**
 * Directory of a peer: the rooms of other peers are found in the DHT, and some of the peers are known with their load,
 * so that one of them can be chosen.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Address } from 'dht-rpc';
import { NodeUnavailableError } from '../../api/errors.ts';
import { logger } from '../../core/logger.ts';
import { shuffled } from '../../core/shuffled.ts';
import { within } from '../../core/within.ts';
import type {
  Directory,
  DirectoryEvents,
  NodeRecord,
  Registration,
  RoomWatch,
} from '../../horizontal/directory/directory.ts';
import { toText } from '../dht/address.ts';
import { Dht, type DhtOptions } from '../dht/dht.ts';
import { targetOfRoom } from '../dht/record.ts';
import { PeersFile } from './peersFile.ts';
import { Rounds } from './rounds.ts';
import { Sample } from './sample.ts';
import { SwarmRoomWatch } from './swarmRoomWatch.ts';
import type { Trust } from '../trust.ts';
import { defaultTiming, type SwarmTiming } from './timing.ts';

const log = logger('swarm');

/** Peers that are asked for their load in each interval, of those that are known, of others, and of those that were silent. */
const ASKED = 4;
/** Limit for the first answers, in ms: a dead peer that is asked does not delay the start. */
const FIRST_ANSWERS_MS = 1000;

export interface SwarmDirectoryOptions extends Omit<DhtOptions, 'status' | 'remembered' | 'keys' | 'trusts'> {
  trust: Trust;
  /**
   * Path of the file in which the addresses of other peers are kept over a restart.
   * @default none
   */
  peersFile?: string | undefined;
}

export class SwarmDirectory extends EnhancedEventEmitter<DirectoryEvents> implements Directory {
  /** Resolves when a peer that was named has answered, or none does, or the port can't be had. */
  readonly known: Promise<void>;
  readonly #sample = new Sample({
    onNode: record => void this.safeEmit('node', record),
    onGone: url => void this.safeEmit('nodegone', url),
  });
  readonly #watches = new Set<SwarmRoomWatch>();
  readonly #own = new Map<string, NodeRecord>();
  readonly #timing: SwarmTiming;
  readonly #rounds: Rounds;
  readonly #opening: Promise<Dht>;
  /** Resolves with the DHT when it is in the swarm: before, nothing is found in it, and nothing kept by others. */
  readonly #entering: Promise<Dht>;
  readonly #trust: Trust;
  readonly #peersFile: PeersFile | undefined;
  #timers: readonly NodeJS.Timeout[] = [];
  #round: Promise<void> | undefined;
  /** Whether no other peer answers, though some are named or remembered. */
  #isCutOff = false;
  /** Message of the latest failure with the file of peers, which is told of once. */
  #fileTrouble: string | undefined;
  #closed = false;

  constructor({ peersFile, trust, ...options }: SwarmDirectoryOptions, timing: Partial<SwarmTiming> = {}) {
    super();
    this.#timing = { ...defaultTiming, ...timing };
    this.#rounds = new Rounds(this.#timing.lookupInterval);
    this.#trust = trust;
    this.#peersFile = peersFile === undefined ? undefined : new PeersFile(peersFile);
    this.#opening = this.#open(options);
    this.#entering = this.#enter();
    this.known = this.#begin().catch(error => log.warn('%o', error));
  }

  get nodes(): ReadonlyMap<string, NodeRecord> {
    return this.#sample.nodes;
  }

  /** @throws {Error} if the port of the DHT can't be had */
  async opened(): Promise<Dht> {
    return this.#opening;
  }

  /** Returns the id of the peer that a URL belongs to, as far as is known. */
  peerIdOf(url: string): string | undefined {
    return this.#sample.ownerOf(url)?.peerId;
  }

  /** Returns the fingerprint of the certificate at a URL, if its peer has told one. */
  fingerprintOf(url: string): string | undefined {
    return this.#sample.ownerOf(url)?.fingerprint;
  }

  /** Goes by the present keys, and forgets the peers that are not trusted any more. */
  async applyTrust(): Promise<void> {
    const trusts = (peerId: string): boolean => this.#trust.trusts(peerId);
    for (const watch of this.#watches) watch.dropUntrusted(trusts);
    this.#sample.dropUntrusted(trusts);
    const dht = await this.#opening.catch(() => undefined);
    if (dht) dht.keys = this.#trust.keys;
  }

  watch(roomId: string): RoomWatch {
    const watch: SwarmRoomWatch = new SwarmRoomWatch({
      roomId,
      dht: this.#entering,
      timing: this.#timing,
      rounds: this.#rounds,
      onHolder: record => {
        this.#sample.pin(record);
        this.#inDht(dht => this.#askHolder(dht, record.address));
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
        // It may have been released before the DHT could be used.
        this.#inDht(dht => void (held.has(roomId) && this.#own.has(url) && dht.publish(targetOfRoom(roomId), url)));
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
    for (const timer of this.#timers) clearInterval(timer);
    for (const watch of this.#watches) watch.close();
    const dht = await this.#opening.catch(() => undefined);
    if (dht) await this.#remember(dht);
    await dht?.close();
  }

  async #open(options: Omit<SwarmDirectoryOptions, 'peersFile' | 'trust'>): Promise<Dht> {
    const remembered = await this.#peersFile?.read().catch((error: Error) => this.#onFileTrouble(error));
    return Dht.open({
      ...options,
      remembered,
      keys: this.#trust.keys,
      trusts: peerId => this.#trust.trusts(peerId),
      status: () => [...this.#own.values()],
    });
  }

  async #enter(): Promise<Dht> {
    const dht = await this.#opening;
    this.#noteFailures(await dht.enter());
    return dht;
  }

  async #begin(): Promise<void> {
    const dht = await this.#entering;
    await dht.settled();
    if (this.#closed) return;
    await within(this.#ask(dht), FIRST_ANSWERS_MS);
    if (this.#closed) return;
    const { sampleInterval, rememberInterval } = this.#timing;
    this.#timers = [
      setInterval(() => void this.#look(dht), sampleInterval).unref(),
      setInterval(() => void this.#remember(dht), rememberInterval).unref(),
    ];
  }

  /** Looks for other peers, and asks some for their load. Never rejects. Calls at the same time share one round. */
  #look(dht: Dht): Promise<void> {
    this.#round ??= this.#enterAndAsk(dht)
      .catch(error => void (this.#closed || log.warn('%o', error)))
      .finally(() => (this.#round = undefined));
    return this.#round;
  }

  async #enterAndAsk(dht: Dht): Promise<void> {
    if (!dht.isAlone) void dht.meetOther();
    else {
      this.#noteFailures(await dht.enter());
      await dht.settled();
    }
    if (this.#closed) return;
    if (!dht.isAlone) this.#noteOthers(dht);
    await this.#ask(dht);
  }

  #noteFailures(failures: ReadonlyMap<string, Error>): void {
    if (failures.size === 0 || this.#isCutOff || this.#closed) return;
    this.#isCutOff = true;
    const reasons = [...failures].map(([address, { message }]) => `${address}: ${message}`);
    const message = `none of the peers that are named or remembered answers, which go on being tried (${reasons.join('; ')})`;
    this.safeEmit('error', new NodeUnavailableError(message, { causes: Object.fromEntries(failures) }));
  }

  /** Tells others, after a time without any, which rooms are here, and looks for theirs. */
  #noteOthers(dht: Dht): void {
    if (!this.#isCutOff) return;
    this.#isCutOff = false;
    this.emit('recovered');
    dht.republish();
    for (const watch of this.#watches) void watch.refresh?.();
  }

  async #remember(dht: Dht): Promise<void> {
    try {
      await this.#peersFile?.write(dht.peers.map(toText));
      this.#fileTrouble = undefined;
    } catch (error) {
      this.#onFileTrouble(error as Error);
    }
  }

  #onFileTrouble(error: Error): undefined {
    if (error.message !== this.#fileTrouble) this.safeEmit('error', error);
    this.#fileTrouble = error.message;
  }

  #inDht(act: (dht: Dht) => void | Promise<void>): void {
    this.#entering.then(act).catch(error => log.warn('%o', error));
  }

  /** Asks some peers for their load: some of those that are known, others, and some that were silent. */
  async #ask(dht: Dht): Promise<void> {
    const { addresses: known, lost } = this.#sample;
    const some = [known, dht.peers].flatMap(peers => shuffled(peers).slice(0, ASKED));
    some.push(...lost.slice(0, ASKED));
    const chosen = new Map(some.map(address => [`${address.host}:${address.port}`, address]));
    await Promise.all([...chosen.values()].map(address => this.#askOne(dht, address)));
  }

  /**
   * Asks a peer that holds a room for its load. The record of one that has gone without a word is valid for a while: so that
   * nobody here goes on trying to reach it, it is left out once it has been silent for some seconds, until it answers.
   */
  async #askHolder(dht: Dht, address: Address): Promise<void> {
    const isKnown = this.#sample.has(address);
    const isSilent = !(await this.#askOne(dht, address));
    // A peer that is known is asked again with others.
    if (isSilent && !isKnown && !this.#closed) this.#sample.lose(address);
  }

  /** @returns whether it has answered */
  async #askOne(dht: Dht, address: Address): Promise<boolean> {
    const status = await dht.statusOf(address, this.#sample.has(address));
    const isUsable = status && this.#trust.trusts(status.peerId);
    if (!this.#closed) this.#sample.note(address, status && { ...status, servers: isUsable ? status.servers : [] });
    return status !== undefined;
  }
}
