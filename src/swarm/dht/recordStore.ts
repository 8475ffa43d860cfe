/**
 * Records that a peer keeps for others: bounded for each target, for each sender, and altogether. Identities cost nothing,
 * so a sender is the host that a record has come from.
 */
import { Counts } from '../../core/counts.ts';
import type { SwarmRecord } from './record.ts';

const MAX_RECORDS = 100_000;
const MAX_OF_TARGET = 100;
const MAX_OF_SENDER = 10_000;
/** Records of one target from one sender, which leaves room for others. */
const MAX_OF_SENDER_AND_TARGET = 50;

interface Kept {
  readonly record: SwarmRecord;
  readonly sender: string;
}

export class RecordStore {
  readonly #byTarget = new Map<string, Map<string, Kept>>();
  readonly #ofSender = new Counts();
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
   * @param sender host that it has come from
   * @returns whether it is kept, or has taken back an earlier record
   */
  add(target: string, record: SwarmRecord, sender: string): boolean {
    const records = this.#byTarget.get(target) ?? new Map<string, Kept>();
    // A peer may have several servers.
    const key = `${record.peerId} ${record.url}`;
    const known = records.get(key);
    if (known && known.record.time >= record.time) return false;
    if (!known && !this.#hasRoom(records, sender)) return false;
    if (!known) {
      this.#ofSender.add(sender);
      ++this.#size;
    }
    // A record that takes an earlier one back is kept for a while, so that the earlier one does not come back.
    records.set(key, { record, sender: known?.sender ?? sender });
    this.#byTarget.set(target, records);
    return true;
  }

  /** Returns the valid records of a target. */
  of(target: string): SwarmRecord[] {
    const now = this.#now();
    const kept = [...(this.#byTarget.get(target)?.values() ?? [])];
    return kept.map(({ record }) => record).filter(({ expires }) => expires > now);
  }

  /** Forgets the records that are over. Must be called from time to time. */
  sweep(): void {
    const now = this.#now();
    for (const [target, records] of this.#byTarget) {
      for (const [key, { record, sender }] of records) {
        // A record that takes back another is kept for a minute after that.
        if (Math.max(record.expires, record.time + 60_000) > now) continue;
        records.delete(key);
        --this.#size;
        this.#ofSender.delete(sender);
      }
      if (records.size === 0) this.#byTarget.delete(target);
    }
  }

  #hasRoom(records: ReadonlyMap<string, Kept>, sender: string): boolean {
    if (this.#size >= MAX_RECORDS) this.sweep();
    if (this.#size >= MAX_RECORDS || records.size >= MAX_OF_TARGET) return false;
    if (this.#ofSender.of(sender) >= MAX_OF_SENDER) return false;
    return [...records.values()].filter(kept => kept.sender === sender).length < MAX_OF_SENDER_AND_TARGET;
  }
}
