/**
 * Queue of received messages. They are delivered in their order, and in turns with other sessions: a packet may ask for
 * more work than can be done while others wait, and each answer should be on its way before the next is made.
 */
import { turns, type Turns } from '../../core/turns.ts';
import type { Measure } from './measure.ts';
import type { MemoryAccount } from './memory.ts';

/** Number of delivered messages that may keep their places in the queue. */
const TRIM_AFTER = 1000;

export class Inbox<Received> {
  readonly #memory: MemoryAccount;
  readonly #deliver: (message: Received, size: Measure) => void;
  readonly #isHeldUp: () => boolean;
  #waiting: { message: Received; size: Measure; at: number }[] = [];
  /** Number of delivered messages at the beginning of the queue. */
  #delivered = 0;
  #bytes = 0;
  readonly #turns: Turns;
  readonly #onEmpty: (() => void)[] = [];

  /** @param isHeldUp whether delivery has to wait until {@link run} is called */
  constructor(
    memory: MemoryAccount,
    deliver: (message: Received, size: Measure) => void,
    isHeldUp: () => boolean,
    shared = turns,
  ) {
    this.#turns = shared;
    this.#memory = memory;
    this.#deliver = deliver;
    this.#isHeldUp = isHeldUp;
  }

  get isEmpty(): boolean {
    return this.#delivered === this.#waiting.length;
  }

  /** Bytes of the messages that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Time for which the oldest of them has waited, in ms; 0 if there is none. */
  get lagMs(): number {
    const oldest = this.#waiting[this.#delivered];
    return oldest ? performance.now() - oldest.at : 0;
  }

  /**
   * Delivers the message at once if no other waits, delivery is not held up, and the turn has time left; else queues
   * it.
   */
  add(message: Received, size: Measure): void {
    if (this.isEmpty && !this.#isHeldUp() && this.#turns.hasTime) return this.#deliver(message, size);
    this.#waiting.push({ message, size, at: performance.now() });
    this.#count(size.bytes);
    this.run();
  }

  /** Goes on delivering waiting messages, if there are any. */
  run(): void {
    if (!this.isEmpty) this.#turns.add(this.#step);
    else if (this.#onEmpty.length > 0) this.#forget();
  }

  /** Delivers the next message, unless delivery is held up. @returns whether more messages wait */
  readonly #step = (): boolean => {
    if (this.isEmpty || this.#isHeldUp()) return false;
    const { message, size } = this.#waiting[this.#delivered++]!;
    this.#count(-size.bytes);
    if (this.#delivered >= TRIM_AFTER && this.#delivered * 2 >= this.#waiting.length) this.#trim();
    this.#deliver(message, size);
    if (this.isEmpty) this.#forget();
    return !this.isEmpty;
  };

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#memory.add(bytes);
  }

  /** Drops the waiting messages. @returns them */
  clear(): Received[] {
    const waiting = this.#waiting.slice(this.#delivered);
    this.#count(-this.#bytes);
    this.#turns.delete(this.#step);
    this.#forget();
    return waiting.map(({ message }) => message);
  }

  /** Resolves when no message waits. */
  async untilEmpty(): Promise<void> {
    if (!this.isEmpty) await new Promise<void>(resolve => this.#onEmpty.push(resolve));
  }

  /** Removes delivered messages, which would pile up in a queue that never becomes empty. */
  #trim(): void {
    this.#waiting = this.#waiting.slice(this.#delivered);
    this.#delivered = 0;
  }

  #forget(): void {
    this.#waiting = [];
    this.#delivered = 0;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}
