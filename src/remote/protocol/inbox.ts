/**
 * What has arrived is dealt with in its order, and not all in one go: a packet may ask for more than can be done while
 * others wait, and each answer should be on its way before the next one is made.
 */
import { turns, type Turns } from '../../core/turns.ts';
import type { Measure } from './measure.ts';
import type { MemoryAccount } from './memory.ts';

const TRIM_AFTER = 1000;

export class Inbox<Received> {
  readonly #memory: MemoryAccount;
  readonly #deliver: (message: Received, size: Measure) => void;
  readonly #isHeldUp: () => boolean;
  #waiting: { message: Received; size: Measure }[] = [];
  /** How many of them have been delivered already. */
  #delivered = 0;
  #bytes = 0;
  readonly #turns: Turns;
  readonly #onEmpty: (() => void)[] = [];

  /** @param isHeldUp whether nothing is to be delivered at present, until {@link run} is called */
  constructor(memory: MemoryAccount, deliver: (message: Received, size: Measure) => void, isHeldUp: () => boolean, shared = turns) {
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

  /** Delivers it at once, if it is its turn. */
  add(message: Received, size: Measure): void {
    if (this.isEmpty && !this.#isHeldUp() && this.#turns.hasTime) return this.#deliver(message, size);
    this.#waiting.push({ message, size });
    this.#count(size.bytes);
    this.run();
  }

  /** Goes on with what waits, if anything does. */
  run(): void {
    if (!this.isEmpty) this.#turns.add(this.#step);
    else if (this.#onEmpty.length > 0) this.#forget();
  }

  /** Delivers the next one. Nothing more is done while it is held up. */
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

  /** Nothing more is delivered of what waits. @returns that */
  clear(): Received[] {
    const waiting = this.#waiting.slice(this.#delivered);
    this.#count(-this.#bytes);
    this.#turns.delete(this.#step);
    this.#forget();
    return waiting.map(({ message }) => message);
  }

  /** Resolves when nothing waits any more. */
  async untilEmpty(): Promise<void> {
    if (!this.isEmpty) await new Promise<void>(resolve => this.#onEmpty.push(resolve));
  }

  /** Where there is always something that waits, what has been delivered must not stay. */
  #trim(): void {
    this.#waiting = this.#waiting.slice(this.#delivered);
    this.#delivered = 0;
  }

  #forget(): void {
    this.#waiting = [];
    this.#delivered = 0;
    for (const tell of this.#onEmpty.splice(0)) tell();
  }
}
