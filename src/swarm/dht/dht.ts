/**
 * Distributed hash table of a swarm: maps rooms to the peers that hold a part of them. Kademlia itself is dht-rpc's;
 * here are the commands, the records, and the seal of the group.
 */
import { lookup } from 'node:dns/promises';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import DHT, { type Address, type DhtReply, type DhtRequest } from 'dht-rpc';
import { Counts } from '../../core/counts.ts';
import { logger } from '../../core/logger.ts';
import { within } from '../../core/within.ts';
import type { NodeRecord } from '../../horizontal/directory/directory.ts';
import type { Identity } from '../identity.ts';
import { Answers } from './answers.ts';
import { FIND, NOTICE, STATUS, STORE } from './commands.ts';
import { readRecord, RECORD_LIFETIME_MS, signRecord, TARGET_BYTES, type SwarmRecord } from './record.ts';
import { RecordStore } from './recordStore.ts';
import { Seal } from './seal.ts';
import { decodeStatus, encodeStatus } from './status.ts';
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
/** Limit for the goodbye, in ms. */
const WITHDRAW_TIMEOUT_MS = 1000;

export type DhtEvents = {
  /** Another peer's record of a target that this peer watches or publishes has come, or its own. */
  record: [target: string, record: SwarmRecord];
};

export interface DhtOptions {
  /** Addresses of other peers, `host:port`. */
  bootstrap: readonly string[];
  /** Keys of the group, 32 bytes each. */
  keys: readonly Buffer[];
  /** Name or IPv4 address by which other peers reach this peer. */
  host: string;
  /** UDP port; 0 for any. */
  port: number;
  /** IP address on which it listens. */
  listenHost: string;
  identity: Identity;
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
  readonly #node: DHT;
  readonly #options: DhtOptions;
  readonly #address: Address;
  readonly #store = new RecordStore();
  /** Publications, by target and URL. */
  readonly #published = new Map<string, Publication>();
  /** Number of publications of each target. */
  readonly #publishedTargets = new Counts();
  /** Number of watches of each target. */
  readonly #watched = new Counts();
  readonly #timer = setInterval(() => this.#tick(), SWEEP_MS).unref();
  #lastTime = 0;

  /** @throws {Error} if the host has no IPv4 address, or the port can't be had */
  static async open(options: DhtOptions): Promise<Dht> {
    const { address: host } = await lookup(options.host, 4);
    const { bind = bindUdp } = options;
    const sockets = await bind(options.port, options.listenHost, new Seal(options.keys));
    const node = DHT.bootstrapper(sockets.port, host, {
      host: options.listenHost,
      bootstrap: options.bootstrap,
      udx: sockets,
    });
    return new Dht(node, { host, port: sockets.port }, options);
  }

  private constructor(node: DHT, address: Address, options: DhtOptions) {
    super();
    this.#node = node;
    this.#address = address;
    this.#options = options;
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

  /** Resolves when the peers that were named have answered, or don't. */
  async ready(): Promise<void> {
    await this.#node.fullyBootstrapped();
  }

  /** Asks the peers at these addresses to be taken into their tables. */
  async join(addresses: readonly Address[]): Promise<void> {
    for (const address of addresses) this.#node.addNode(address);
    await this.#findPeers();
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
    await this.#publish(target, url, 0);
  }

  /** Finds the servers of a target, each once, as they become known: those of this peer first. */
  async *find(target: Buffer): AsyncGenerator<SwarmRecord, void> {
    const known = new Map<string, SwarmRecord>();
    for (const record of this.#store.of(nameOf(target))) {
      known.set(`${record.peerId} ${record.url}`, record);
      yield record;
    }
    const answers = new Answers(target);
    for await (const { value } of this.#node.query({ target, command: FIND })) {
      for (const record of answers.read(value)) {
        const key = `${record.peerId} ${record.url}`;
        const before = known.get(key);
        known.set(key, record);
        if (!before) yield record;
      }
    }
  }

  /** Asks a peer for its servers. @returns undefined if it does not answer, or with nonsense */
  async statusOf(address: Address): Promise<NodeRecord[] | undefined> {
    try {
      const { value } = await this.#node.request({ command: STATUS }, address, { retry: false });
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
    return once(() => this.#watched.delete(name));
  }

  /** Takes back everything that it has published, as far as others answer within a second. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const withdrawn = [...this.#published.values()].map(({ target, url }) => this.withdraw(target, url));
    await within(Promise.allSettled(withdrawn), WITHDRAW_TIMEOUT_MS);
    await this.#node.destroy();
  }

  async #findPeers(): Promise<void> {
    const query = this.#node.query({ target: Buffer.alloc(TARGET_BYTES), command: FIND });
    await query.finished();
  }

  /** Stores a record at the peers that are closest to the target, and tells the peers that are found under it. */
  async #publish(target: Buffer, url: string, lifetime: number): Promise<void> {
    const { identity, status } = this.#options;
    const serverId = status().find(record => record.url === url)?.serverId ?? '';
    // Two records of the same millisecond would be the same age.
    this.#lastTime = Math.max(Date.now(), this.#lastTime + 1);
    const value = signRecord(identity, target, { url, serverId, address: this.#address }, lifetime, this.#lastTime);
    const name = nameOf(target);
    // The peer itself may be asked, or be among the closest.
    this.#take(name, readRecord(target, value)!);
    const told = new Set([identity.id]);
    const answers = new Answers(target);
    const query = this.#node.query(
      { target, command: FIND },
      {
        commit: (reply: DhtReply) =>
          this.#node.request({ token: reply.token, target, command: STORE, value }, reply.from),
      },
    );
    for await (const reply of query) {
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

  #take(name: string, record: SwarmRecord): void {
    this.#store.add(name, record);
    if (this.#isOfInterest(name)) this.safeEmit('record', name, record);
  }

  #isOfInterest(name: string): boolean {
    return this.#watched.has(name) || this.#publishedTargets.has(name);
  }

  #onRequest(request: DhtRequest): void {
    const { command, target, value } = request;
    if (command === STATUS) {
      return request.reply(encodeStatus(this.#options.status()), { closerNodes: false });
    }
    if (!target) return request.error(REFUSED);
    const name = nameOf(target);
    if (command === FIND) return request.reply(this.#answer(name));
    if ((command !== STORE && command !== NOTICE) || !value) return request.error(REFUSED);
    // A record is stored for a peer whose address has been proven, and taken from others where it is of interest.
    if (command === STORE ? !request.token : !this.#isOfInterest(name)) return request.error(REFUSED);
    const record = readRecord(target, value);
    if (!record || record.peerId === this.#options.identity.id) return request.error(REFUSED);
    this.#take(name, record);
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
