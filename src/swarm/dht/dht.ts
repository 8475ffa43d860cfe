/**
 * Distributed hash table of a swarm: maps rooms to the peers that hold a part of them. Kademlia itself is dht-rpc's;
 * here are the commands, the records, and the seal of the group.
 */
import { lookup } from 'node:dns/promises';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Address, DhtReply, DhtRequest } from 'dht-rpc';
import { Counts } from '../../core/counts.ts';
import { logger } from '../../core/logger.ts';
import { within } from '../../core/within.ts';
import type { NodeRecord } from '../../horizontal/directory/directory.ts';
import type { Identity } from '../identity.ts';
import { Answers } from './answers.ts';
import { CalmNode } from './calmNode.ts';
import { FIND, NOTICE, STATUS, STORE } from './commands.ts';
import { Entrances } from './entrances.ts';
import { lookUp, type LookUpOptions } from './lookUp.ts';
import { readRecord, RECORD_LIFETIME_MS, signRecord, type SwarmRecord } from './record.ts';
import { RecordStore } from './recordStore.ts';
import { Seal } from './seal.ts';
import { decodeStatus, encodeStatus, type PeerStatus } from './status.ts';
import { bindUdp, type BindSockets } from './sockets.ts';

const log = logger('swarm');

/** Error code of an answer. */
const REFUSED = 16;

/** Bytes of records in one answer, so that it fits into a packet. */
const MAX_ANSWER_BYTES = 1000;
/** Interval in which records are published again, in ms: less than half of their life, so that one failure is borne. */
const REPUBLISH_MS = 10 * 60_000;
const SWEEP_MS = 60_000;
/** Peers that are told directly of a new peer of their room. */
const MAX_NOTICES = 50;
/**
 * Waiting for an answer goes by the times that earlier ones took, so that a dead peer does not keep look-ups for seconds.
 * Nothing becomes too old: there would be a timer for it, which nobody ends.
 */
const adaptiveTimeout = { min: 300, maxSize: 10_000, maxAge: Infinity };
/** Limit for the goodbye, in ms. */
const WITHDRAW_TIMEOUT_MS = 1000;

export type DhtEvents = {
  /** Another peer's record of a target that this peer watches or publishes has come, or its own. */
  record: [target: string, record: SwarmRecord];
};

export interface DhtOptions {
  /** Addresses of other peers, `host:port`. */
  bootstrap: readonly string[];
  /**
   * Addresses of peers of the last run.
   * @default none
   */
  remembered?: readonly string[] | undefined;
  /** Keys of the group, 32 bytes each. */
  keys: readonly Buffer[];
  /** Name or IPv4 address by which other peers reach this peer. */
  host: string;
  /** UDP port; 0 for any. */
  port: number;
  /** IP address on which it listens. */
  listenHost: string;
  identity: Identity;
  /**
   * Fingerprint of the certificate of this peer's servers.
   * @default none: authorities say whether it is right
   */
  fingerprint?: string | undefined;
  /**
   * Returns whether this peer has to do with the peer of this id. Its records are kept for others in any case.
   * @default all are trusted
   */
  trusts?: (peerId: string) => boolean;
  /** Returns what others are told of the servers of this peer. */
  status: () => readonly NodeRecord[];
  /**
   * Binds its sockets.
   * @default UDP sockets of Node.js
   */
  bind?: BindSockets;
}

interface Publication {
  readonly target: Buffer;
  readonly url: string;
  /** Time of the next publication. */
  due: number;
}

export class Dht extends EnhancedEventEmitter<DhtEvents> {
  readonly #node: CalmNode;
  readonly #seal: Seal;
  readonly #options: DhtOptions;
  readonly #address: Address;
  readonly #entrances: Entrances;
  readonly #store = new RecordStore();
  /** Publications, by target and URL. */
  readonly #published = new Map<string, Publication>();
  /** Publications that are being taken back. */
  readonly #withdrawing = new Set<Promise<void>>();
  /** Number of publications of each target. */
  readonly #publishedTargets = new Counts();
  /** Number of watches of each target. */
  readonly #watched = new Counts();
  /** Peers that were closest to a target which is watched or published, at its last look-up. */
  readonly #closest = new Map<string, readonly Address[]>();
  readonly #timer = setInterval(() => this.#tick(), SWEEP_MS).unref();
  #lastTime = 0;
  #finding: Promise<void> | undefined;

  /** @throws {Error} if the host has no IPv4 address, or the port can't be had */
  static async open(options: DhtOptions): Promise<Dht> {
    const { address: host } = await lookup(options.host, 4).catch((error: Error) => {
      throw new Error(`${options.host} has no IPv4 address, which the DHT needs: ${error.message}`, { cause: error });
    });
    const seal = new Seal(options.keys);
    const { bind = bindUdp } = options;
    const sockets = await bind(options.port, options.listenHost, seal);
    const node = CalmNode.bootstrapper(sockets.port, host, { host: options.listenHost, udx: sockets, adaptiveTimeout });
    return new Dht(node, seal, { host, port: sockets.port }, options);
  }

  private constructor(node: CalmNode, seal: Seal, address: Address, options: DhtOptions) {
    super();
    this.#node = node;
    this.#seal = seal;
    this.#address = address;
    this.#options = options;
    const { bootstrap, remembered = [] } = options;
    const ask = (to: Address): Promise<unknown> => node.ping(to);
    this.#entrances = new Entrances({ bootstrap, remembered, own: address, ask });
    node.on('request', request => this.#onRequest(request as DhtRequest));
  }

  /** Address of this peer in the DHT. */
  get address(): Address {
    return this.#address;
  }

  /** Addresses of the peers in its routing table. */
  get peers(): Address[] {
    return this.#node.toArray();
  }

  /** Keys of the group: the first seals what is sent from now on, all open what comes. */
  set keys(keys: readonly Buffer[]) {
    this.#seal.keys = keys;
  }

  /** Whether no other peer is known. */
  get isAlone(): boolean {
    return this.#node.toArray({ limit: 1 }).length === 0;
  }

  /** Resolves when a peer that was named has answered, or none does. */
  async ready(): Promise<void> {
    await this.enter();
    await this.settled();
  }

  /**
   * Asks the peers that were named, or are remembered, to be taken into their tables.
   * @returns the reasons why they don't answer, by address; empty if one does, or there are none
   */
  async enter(): Promise<ReadonlyMap<string, Error>> {
    await this.#node.fullyBootstrapped();
    const failures = await this.#entrances.askAll();
    if (!this.isAlone) this.#finding = this.#findPeers().catch((error: Error) => log.warn('%o', error));
    return failures;
  }

  /** Resolves when the peers around it are known, after it has entered. Never rejects. */
  async settled(): Promise<void> {
    await this.#finding;
  }

  /** Asks one of those that it does not know at present, since a network may have been cut in two. Never rejects. */
  async meetOther(): Promise<void> {
    await this.#entrances.askOther(this.peers).catch((error: Error) => log('%s', error.message));
  }

  /** Publishes everything again, for peers that were out of reach before. */
  republish(): void {
    this.#closest.clear();
    for (const publication of this.#published.values()) publication.due = 0;
    this.#tick();
  }

  /** Publishes that a server of this peer is found under the target, and again from time to time. */
  publish(target: Buffer, url: string): void {
    const key = keyOf(target, url);
    if (this.#published.has(key)) return;
    this.#published.set(key, { target, url, due: nextPublication() });
    this.#publishedTargets.add(nameOf(target));
    this.#publish(target, url, RECORD_LIFETIME_MS).catch(error => log.warn('publishing: %o', error));
  }

  /** Takes back what was published. */
  async withdraw(target: Buffer, url: string): Promise<void> {
    if (!this.#published.delete(keyOf(target, url))) return;
    this.#publishedTargets.delete(nameOf(target));
    const withdrawing = this.#publish(target, url, 0);
    this.#forgetClosest(nameOf(target));
    this.#withdrawing.add(withdrawing);
    await withdrawing.finally(() => this.#withdrawing.delete(withdrawing));
  }

  /** Finds the servers of a target, each once, as they become known: those of this peer first. */
  async *find(target: Buffer): AsyncGenerator<SwarmRecord, void> {
    const known = new Map<string, SwarmRecord>();
    for (const record of this.#store.of(nameOf(target)).filter(({ peerId }) => this.#trusts(peerId))) {
      known.set(`${record.peerId} ${record.url}`, record);
      yield record;
    }
    const answers = new Answers(target, this.#options.trusts);
    for await (const { value } of this.#lookUp(target)) {
      for (const record of answers.read(value)) {
        const key = `${record.peerId} ${record.url}`;
        const before = known.get(key);
        known.set(key, record);
        if (!before) yield record;
      }
    }
  }

  /**
   * Asks a peer for its servers.
   * @param isKnown whether it has answered before, so that it is known how long that takes; another one is asked several
   * times, since it may be far away
   * @returns undefined if it does not answer, or with nonsense
   */
  async statusOf(address: Address, isKnown = false): Promise<PeerStatus | undefined> {
    try {
      const { value } = await this.#node.request({ command: STATUS }, address, { retry: !isKnown });
      return value ? decodeStatus(value) : undefined;
    } catch (error) {
      log.warn('%s:%d: %o', address.host, address.port, error);
      return undefined;
    }
  }

  /** Emits `record` for new records of a target, until the function that it returns is called. */
  watch(target: Buffer): () => void {
    const name = nameOf(target);
    this.#watched.add(name);
    return once(() => {
      this.#watched.delete(name);
      this.#forgetClosest(name);
    });
  }

  /** Takes back everything that it has published, as far as others answer within a second. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const withdrawn = [...this.#published.values()].map(({ target, url }) => this.withdraw(target, url));
    await within(Promise.allSettled([...withdrawn, ...this.#withdrawing]), WITHDRAW_TIMEOUT_MS);
    await this.#node.destroy();
  }

  async #findPeers(): Promise<void> {
    const answers = lookUp(this.#node, this.#node.id!);
    while (!(await answers.next()).done);
  }

  /** Stores a record at the peers that are closest to the target, and tells the peers that are found under it. */
  async #publish(target: Buffer, url: string, lifetime: number): Promise<void> {
    const { identity, status, fingerprint } = this.#options;
    const serverId = status().find(record => record.url === url)?.serverId ?? '';
    // Two records of the same millisecond would be the same age.
    this.#lastTime = Math.max(Date.now(), this.#lastTime + 1);
    const claim = { url, serverId, address: this.#address, fingerprint };
    const value = signRecord(identity, target, claim, lifetime, this.#lastTime);
    const name = nameOf(target);
    // The peer itself may be asked, or be among the closest.
    this.#take(name, readRecord(target, value)!, this.#address.host);
    const told = new Set([identity.id]);
    const answers = new Answers(target, this.#options.trusts);
    const store = (closest: readonly DhtReply[]): Promise<void> => this.#storeAt(closest, target, value);
    for await (const reply of this.#lookUp(target, store)) {
      for (const record of answers.read(reply.value)) {
        const { peerId, address } = record;
        if (peerId !== identity.id && this.#isOfInterest(name)) this.safeEmit('record', name, record);
        if (told.has(peerId) || told.size >= MAX_NOTICES) continue;
        told.add(peerId);
        this.#node
          .request({ target, command: NOTICE, value }, address)
          .catch((error: Error) => log.warn('%s:%d: %s', address.host, address.port, error.message));
      }
    }
  }

  /** Looks a target up, and begins with the closest peers if it is looked up again. */
  #lookUp(target: Buffer, whenDone?: LookUpOptions['whenDone']): AsyncGenerator<DhtReply, void> {
    const name = nameOf(target);
    const remember = async (closest: readonly DhtReply[]): Promise<void> => {
      if (this.#isOfInterest(name))
        this.#closest.set(
          name,
          closest.map(({ from: { host, port } }) => ({ host, port })),
        );
      await whenDone?.(closest);
    };
    return lookUp(this.#node, target, { closest: this.#closest.get(name), whenDone: remember });
  }

  #forgetClosest(name: string): void {
    if (!this.#isOfInterest(name)) this.#closest.delete(name);
  }

  /** Stores a record at peers. @throws the error of one of them if none has taken it */
  async #storeAt(closest: readonly DhtReply[], target: Buffer, value: Buffer): Promise<void> {
    const storing = closest.map(({ token, from }) =>
      this.#node.request({ token, target, command: STORE, value }, from),
    );
    const failed = (await Promise.allSettled(storing)).filter(result => result.status === 'rejected');
    // A peer without others has it for those that come.
    if (failed.length > 0 && failed.length === closest.length) throw failed[0]!.reason;
  }

  #take(name: string, record: SwarmRecord, sender: string): void {
    this.#store.add(name, record, sender);
    if (this.#isOfInterest(name) && this.#trusts(record.peerId)) this.safeEmit('record', name, record);
  }

  #trusts(peerId: string): boolean {
    return this.#options.trusts?.(peerId) ?? true;
  }

  #isOfInterest(name: string): boolean {
    return this.#watched.has(name) || this.#publishedTargets.has(name);
  }

  #onRequest(request: DhtRequest): void {
    const { command, target, value } = request;
    if (command === STATUS) {
      const { identity, fingerprint, status } = this.#options;
      return request.reply(encodeStatus(identity, { servers: status(), fingerprint }), {
        token: false,
        closerNodes: false,
      });
    }
    if (!target) return request.error(REFUSED);
    const name = nameOf(target);
    if (command === FIND) return request.reply(this.#answer(name));
    if ((command !== STORE && command !== NOTICE) || !value) return request.error(REFUSED);
    // A record is stored for a peer whose address has been proven, and taken from others where it is of interest.
    if (command === STORE ? !request.token : !this.#isOfInterest(name)) return request.error(REFUSED);
    const record = readRecord(target, value);
    if (!record || record.peerId === this.#options.identity.id) return request.error(REFUSED);
    this.#take(name, record, request.from.host);
    request.reply(null);
  }

  /** Returns as many records as fit into an answer: others each time, if there are more. */
  #answer(name: string): Buffer | null {
    const records = this.#store.of(name);
    const start = Math.floor(Math.random() * records.length);
    const chosen: Buffer[] = [];
    let left = MAX_ANSWER_BYTES;
    for (const { bytes } of [...records.slice(start), ...records.slice(0, start)]) {
      if (bytes.length > left) break;
      left -= bytes.length;
      chosen.push(bytes);
    }
    return chosen.length > 0 ? Buffer.concat(chosen) : null;
  }

  #tick(): void {
    this.#store.sweep();
    const now = Date.now();
    for (const publication of this.#published.values()) {
      if (publication.due > now) continue;
      publication.due = nextPublication();
      const { target, url } = publication;
      this.#publish(target, url, RECORD_LIFETIME_MS).catch(error => log.warn('publishing: %o', error));
    }
  }
}

/** Returns the time of the next publication, which differs between rooms and peers. */
function nextPublication(): number {
  return Date.now() + REPUBLISH_MS * (0.75 + Math.random() / 2);
}

function nameOf(target: Buffer): string {
  return target.toString('base64url');
}

function keyOf(target: Buffer, url: string): string {
  return `${nameOf(target)} ${url}`;
}

/** Returns a function that calls another one at its first call only. */
function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
