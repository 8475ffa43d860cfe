/** Records that a peer keeps for others: bounded for each target, for each peer, and altogether. */
import { Counts } from '../../core/counts.ts';
import type { SwarmRecord } from './record.ts';

const MAX_RECORDS = 100_000;
const MAX_OF_TARGET = 100;
const MAX_OF_PEER = 10_000;

export class RecordStore {
  readonly #byTarget = new Map<string, Map<string, SwarmRecord>>();
  readonly #ofPeer = new Counts();
  readonly #now: () => number;
  #size = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Keeps a record, unless it is older than what the store has of its peer's server, or there is no room for it.
   * @returns whether it is kept, or has taken back an earlier record
   */
  add(target: string, record: SwarmRecord): boolean {
    const records = this.#byTarget.get(target) ?? new Map<string, SwarmRecord>();
    // A peer may have several servers.
    const key = `${record.peerId} ${record.url}`;
    const known = records.get(key);
    if (known && known.time >= record.time) return false;
    if (!known) {
      if (this.#size >= MAX_RECORDS) this.sweep();
      const isFull = records.size >= MAX_OF_TARGET || this.#ofPeer.of(record.peerId) >= MAX_OF_PEER;
      if (this.#size >= MAX_RECORDS || isFull) return false;
      this.#ofPeer.add(record.peerId);
      ++this.#size;
    }
    // A record that takes an earlier one back is kept for a while, so that the earlier one does not come back.
    records.set(key, record);
    this.#byTarget.set(target, records);
    return true;
  }

  /** Returns the valid records of a target. */
  of(target: string): SwarmRecord[] {
    const now = this.#now();
    return [...(this.#byTarget.get(target)?.values() ?? [])].filter(({ expires }) => expires > now);
  }

  /** Forgets the records that are over. Must be called from time to time. */
  sweep(): void {
    const now = this.#now();
    for (const [target, records] of this.#byTarget) {
      for (const [key, { peerId, time, expires }] of records) {
        // A record that takes back another is kept for a minute after that.
        if (Math.max(expires, time + 60_000) > now) continue;
        records.delete(key);
        --this.#size;
        this.#ofPeer.delete(peerId);
      }
      if (records.size === 0) this.#byTarget.delete(target);
    }
  }
}
