/** Queue of messages that the other side has not acknowledged, the oldest first. */
import type { MemoryAccount } from './memory.ts';

export interface Kept<Sent> {
  number: number;
  message: Sent;
  /** Time at which it was to be sent, in ms since the start of the process. */
  at: number;
  bytes: number;
  /** Size in a packet. */
  wireBytes: number;
  buffers: number;
}

/** Number of acknowledged messages that may keep their places in the queue. */
const TRIM_AFTER = 1000;

export class Outbox<Sent> implements Iterable<Kept<Sent>> {
  readonly #memory: MemoryAccount;
  #kept: Kept<Sent>[] = [];
  /** Number of acknowledged messages at the beginning; moving the others each time would take longer the more wait. */
  #gone = 0;
  #bytes = 0;

  constructor(memory: MemoryAccount) {
    this.#memory = memory;
  }

  get length(): number {
    return this.#kept.length - this.#gone;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): Kept<Sent> | undefined {
    return this.#kept[this.#gone];
  }

  *[Symbol.iterator](): Generator<Kept<Sent>, void, undefined> {
    for (let index = this.#gone; index < this.#kept.length; ++index) yield this.#kept[index]!;
  }

  /** Returns the message of this number, found by its offset, since the numbers are consecutive. */
  at(number: number): Kept<Sent> | undefined {
    const { oldest } = this;
    return oldest && number >= oldest.number ? this.#kept[this.#gone + number - oldest.number] : undefined;
  }

  push(kept: Kept<Sent>): void {
    this.#kept.push(kept);
    this.#count(kept.bytes);
  }

  /** Removes the messages up to this number, which have arrived. */
  forgetUpTo(number: number): void {
    for (let kept = this.oldest; kept && kept.number <= number; kept = this.oldest) {
      ++this.#gone;
      this.#count(-kept.bytes);
    }
    if (this.length === 0) this.#trim();
    // Trimming at half the length moves each message once on average.
    else if (this.#gone >= TRIM_AFTER && this.#gone >= this.length) this.#trim();
  }

  /** Replaces all messages by these. */
  replace(kept: Kept<Sent>[]): void {
    this.#kept = kept;
    this.#gone = 0;
    this.#count(kept.reduce((sum, { bytes }) => sum + bytes, 0) - this.#bytes);
  }

  #trim(): void {
    this.#kept = this.#kept.slice(this.#gone);
    this.#gone = 0;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#memory.add(bytes);
  }
}
