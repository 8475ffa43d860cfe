/**
 * Peers of a swarm that are known at present, with what they say of their servers: those of this peer's rooms, and some
 * others, since a choice needs a few, not all.
 */
import type { Address } from 'dht-rpc';
import { Counts } from '../../core/counts.ts';
import type { NodeRecord } from '../../horizontal/directory/directory.ts';

/** Peers that are known at a time. A sample that changes now and then meets every peer in the end. */
const MAX_PEERS = 16;
/** Silences after which a peer is left out. */
const MAX_SILENCES = 3;

interface Peer {
  readonly address: Address;
  readonly records: readonly NodeRecord[];
  silences: number;
}

export interface SampleListener {
  onNode(record: NodeRecord): void;
  onGone(url: string): void;
}

export class Sample {
  readonly nodes = new Map<string, NodeRecord>();
  readonly #peers = new Map<string, Peer>();
  /** Servers of rooms, by URL, with the number of rooms. */
  readonly #pinned = new Counts();
  readonly #listener: SampleListener;

  constructor(listener: SampleListener) {
    this.#listener = listener;
  }

  /** Addresses of the peers, those that have been known longest first. */
  get addresses(): Address[] {
    return [...this.#peers.values()].map(({ address }) => address);
  }

  /** Notes what a peer has answered; undefined if it is silent. */
  note(address: Address, records: readonly NodeRecord[] | undefined): void {
    const key = `${address.host}:${address.port}`;
    const before = this.#peers.get(key);
    if (!records) {
      if (before && ++before.silences >= MAX_SILENCES) this.#forget(key);
      return;
    }
    if (records.length === 0) return this.#forget(key);
    if (!before && this.#peers.size >= MAX_PEERS) this.#forget([...this.#peers.keys()][0]!);
    this.#peers.set(key, { address, records, silences: 0 });
    for (const record of records) {
      this.nodes.set(record.url, record);
      this.#listener.onNode(record);
    }
    if (before) this.#dropMissing(before.records);
  }

  /** Makes a server known that holds a room, until {@link unpin}: with a load of 0, until it has told its own. */
  pin({ url, serverId }: Pick<NodeRecord, 'url' | 'serverId'>): void {
    this.#pinned.add(url);
    if (this.nodes.get(url)?.serverId === serverId) return;
    const record = { url, serverId, labels: {}, load: 0, draining: false };
    this.nodes.set(url, record);
    this.#listener.onNode(record);
  }

  unpin(url: string): void {
    this.#pinned.delete(url);
    this.#dropMissing([{ url }]);
  }

  #forget(key: string): void {
    const peer = this.#peers.get(key);
    this.#peers.delete(key);
    if (peer) this.#dropMissing(peer.records);
  }

  /** Drops the records that no peer has any more, and no room. */
  #dropMissing(records: readonly Pick<NodeRecord, 'url'>[]): void {
    const present = new Set([...this.#peers.values()].flatMap(peer => peer.records.map(({ url }) => url)));
    for (const { url } of records) {
      if (present.has(url) || this.#pinned.has(url) || !this.nodes.delete(url)) continue;
      this.#listener.onGone(url);
    }
  }
}
