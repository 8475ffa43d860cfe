/**
 * Peers of a swarm that are known at present, with what they say of their servers: those of this peer's rooms, and some
 * others, since a choice needs a few, not all.
 */
import type { Address } from 'dht-rpc';
import { Counts } from '../../core/counts.ts';
import { logger } from '../../core/logger.ts';
import type { NodeRecord } from '../../horizontal/directory/directory.ts';
import { toText } from '../dht/address.ts';
import type { SwarmRecord } from '../dht/record.ts';
import type { PeerStatus } from '../dht/status.ts';

const log = logger('swarm');

/** Peers that are known at a time. A sample that changes now and then meets every peer in the end. */
const MAX_PEERS = 16;
/** Silences after which a peer is left out. */
const MAX_SILENCES = 3;
/** Load of a server that has not told its own yet, in percent: others are preferred, and it may well be dead. */
const UNKNOWN_LOAD = 100;
/** URLs whose owners are remembered. */
const MAX_OWNERS = 1000;

interface Peer {
  readonly address: Address;
  readonly status: PeerStatus;
  silences: number;
}

/** Peer that a URL belongs to. */
interface Owner {
  readonly peerId: string;
  /** Address of the peer in the DHT. */
  readonly address: Address;
  readonly fingerprint: string | undefined;
}

/** Facts of a record of the DHT about a server. */
export type Claimed = Pick<SwarmRecord, 'url' | 'serverId' | 'peerId' | 'address' | 'fingerprint'>;

export interface SampleListener {
  onNode(record: NodeRecord): void;
  onGone(url: string): void;
}

export class Sample {
  readonly nodes = new Map<string, NodeRecord>();
  readonly #peers = new Map<string, Peer>();
  /** Servers of rooms, by URL, with the number of rooms. */
  readonly #pinned = new Counts();
  /** Peers that are silent, by their addresses, and may be back: a network may have been cut. */
  readonly #lost = new Map<string, Address>();
  /** Owners of URLs, also of those that are not known at present. */
  readonly #owners = new Map<string, Owner>();
  readonly #listener: SampleListener;

  constructor(listener: SampleListener) {
    this.#listener = listener;
  }

  /** Addresses of the peers, those that have been known longest first. */
  get addresses(): Address[] {
    return [...this.#peers.values()].map(({ address }) => address);
  }

  /** Addresses of peers that were silent, and may be back, those that were asked longest ago first. */
  get lost(): Address[] {
    return [...this.#lost.values()];
  }

  /** Returns whether the peer has answered, and has not been silent for long. */
  has(address: Address): boolean {
    return this.#peers.has(toText(address));
  }

  /** Returns the peer that a URL belongs to, as far as is known. */
  ownerOf(url: string): Owner | undefined {
    return this.#owners.get(url);
  }

  /** Notes what a peer has answered; undefined if it is silent. */
  note(address: Address, status: PeerStatus | undefined): void {
    const key = toText(address);
    const before = this.#peers.get(key);
    const wasLost = this.#lost.delete(key);
    if (!status) {
      if (wasLost) this.#lost.set(key, address);
      else if (before && ++before.silences >= MAX_SILENCES) this.lose(address);
      return;
    }
    const owner = { peerId: status.peerId, address, fingerprint: status.fingerprint };
    const servers = status.servers.filter(({ url }) => this.#own(url, owner));
    if (servers.length === 0) return this.#forget(key);
    if (!before && this.#peers.size >= MAX_PEERS) this.#forget([...this.#peers.keys()][0]!);
    this.#peers.set(key, { address, status: { ...status, servers }, silences: 0 });
    for (const record of servers) {
      this.nodes.set(record.url, record);
      this.#listener.onNode(record);
    }
    if (before)
      this.#dropMissing(before.status.servers.filter(({ url }) => servers.every(record => record.url !== url)));
  }

  /** Makes a server known that holds a room, until {@link unpin}, or until its peer is silent: of one that is, when it answers. */
  pin({ url, serverId, peerId, address, fingerprint }: Claimed): void {
    this.#pinned.add(url);
    if (!this.#own(url, { peerId, address, fingerprint }) || this.#lost.has(toText(address))) return;
    if (this.nodes.get(url)?.serverId === serverId) return;
    const record = { url, serverId, labels: {}, load: UNKNOWN_LOAD, draining: false };
    this.nodes.set(url, record);
    this.#listener.onNode(record);
  }

  unpin(url: string): void {
    this.#pinned.delete(url);
    this.#dropMissing([{ url }]);
  }

  /** Forgets a peer that is silent, also if there are records of it that are valid for a while. */
  lose(address: Address): void {
    const key = toText(address);
    // A peer that has never answered is known by what it holds.
    const isOfPeer = (url: string): boolean => toText(this.#owners.get(url)!.address) === key;
    const urls = this.#peers.get(key)?.status.servers.map(({ url }) => url) ?? [...this.nodes.keys()].filter(isOfPeer);
    this.#forget(key);
    if (this.#lost.size >= MAX_PEERS) this.#lost.delete([...this.#lost.keys()][0]!);
    this.#lost.set(key, address);
    for (const url of urls) if (this.nodes.delete(url)) this.#listener.onGone(url);
  }

  /** Forgets the peers that are not trusted any more, except for what holds rooms. */
  dropUntrusted(trusts: (peerId: string) => boolean): void {
    for (const [key, { status }] of this.#peers) if (!trusts(status.peerId)) this.#forget(key);
  }

  /**
   * Notes that a peer says that a URL is its own.
   * @returns whether it is: the peer that was known with it first keeps it, as long as it is known
   */
  #own(url: string, owner: Owner): boolean {
    const present = this.#owners.get(url);
    // A peer that is given no identity has another one after each start, at the same address.
    const isOthers =
      present && present.peerId !== owner.peerId && present.address.host !== owner.address.host && this.nodes.has(url);
    if (isOthers) log.warn('%s says that %s is its own, which belongs to %s', owner.peerId, url, present.peerId);
    if (isOthers) return false;
    // The latest is at the end.
    this.#owners.delete(url);
    this.#owners.set(url, owner);
    if (this.#owners.size > MAX_OWNERS) this.#forgetOldestOwner();
    return true;
  }

  #forgetOldestOwner(): void {
    for (const url of this.#owners.keys()) if (!this.nodes.has(url)) return void this.#owners.delete(url);
  }

  #forget(key: string): void {
    const peer = this.#peers.get(key);
    this.#peers.delete(key);
    if (peer) this.#dropMissing(peer.status.servers);
  }

  /** Drops the records that no peer has any more, and no room. */
  #dropMissing(records: readonly Pick<NodeRecord, 'url'>[]): void {
    for (const { url } of records) {
      if (this.#pinned.has(url) || this.#isTold(url) || !this.nodes.delete(url)) continue;
      this.#listener.onGone(url);
    }
  }

  /** Returns whether a peer says of a server that it is its own. */
  #isTold(url: string): boolean {
    for (const { status } of this.#peers.values()) if (status.servers.some(record => record.url === url)) return true;
    return false;
  }
}
