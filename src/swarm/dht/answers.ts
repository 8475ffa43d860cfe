/** Answers to one query: up to 20 peers say the same, and each record is verified once. */
import { readRecord, splitRecords, type SwarmRecord } from './record.ts';

export class Answers {
  readonly #target: Buffer;
  readonly #trusts: (peerId: string) => boolean;
  /** Records that were read, valid or not. */
  readonly #seen = new Set<string>();

  /** @param trusts returns whether a peer is trusted, whose records are of use */
  constructor(target: Buffer, trusts: (peerId: string) => boolean = () => true) {
    this.#target = target;
    this.#trusts = trusts;
  }

  /** Returns the valid records of an answer that no answer before it had, of peers that are trusted. */
  read(value: Buffer | null): SwarmRecord[] {
    const records: SwarmRecord[] = [];
    for (const bytes of value ? splitRecords(value) : []) {
      const name = bytes.toString('latin1');
      if (this.#seen.has(name)) continue;
      this.#seen.add(name);
      const record = readRecord(this.#target, bytes);
      if (record && record.expires > Date.now() && this.#trusts(record.peerId)) records.push(record);
    }
    return records;
  }
}
