/**
 * What has arrived is dealt with in its order, and not all in one go: a packet may ask for more than can be done while
 * others wait, and each answer should be on its way before the next one is made.
 */
import type { Measure } from './measure.ts';
import type { MemoryAccount } from './memory.ts';

/** After so many ms others have their turn. */
const TURN_MS = 5;
const TRIM_AFTER = 1000;

export class Inbox<Received> {
  readonly #memory: MemoryAccount;
  readonly #deliver: (message: Received, size: Measure) => void;
  readonly #isHeldUp: () => boolean;
  #waiting: { message: Received; size: Measure }[] = [];
  /** How many of them have been delivered already. */
  #delivered = 0;
  #turnBegan: number | undefined;
  readonly #onEmpty: (() => void)[] = [];

  /** @param isHeldUp whether nothing is to be delivered at present, until {@link run} is called */
  constructor(memory: MemoryAccount, deliver: (message: Received, size: Measure) => void, isHeldUp: () => boolean) {
    this.#memory = memory;
    this.#deliver = deliver;
    this.#isHeldUp = isHeldUp;
  }

  get isEmpty(): boolean {
    return this.#delivered === this.#waiting.length;
  }

  /** Delivers it at once, if it is its turn. */
  add(message: Received, size: Measure): void {
    if (this.isEmpty && this.#mayGoOn()) return this.#deliver(message, size);
    this.#waiting.push({ message, size });
    this.#memory.add(size.bytes);
  }

  /** Delivers what waits, as far as there is time. */
  run(): void {
    while (!this.isEmpty && this.#mayGoOn()) {
      const { message, size } = this.#waiting[this.#delivered++]!;
      this.#memory.add(-size.bytes);
      if (this.#delivered >= TRIM_AFTER) this.#trim();
      this.#deliver(message, size);
    }
    if (this.isEmpty) this.#forget();
  }

  /** Nothing more is delivered of what waits. @returns that */
  clear(): Received[] {
    const waiting = this.#waiting.slice(this.#delivered);
    for (const { size } of waiting) this.#memory.add(-size.bytes);
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

  #mayGoOn(): boolean {
    if (this.#isHeldUp()) return false;
    const now = performance.now();
    if (this.#turnBegan === undefined) {
      this.#turnBegan = now;
      setImmediate(() => {
        this.#turnBegan = undefined;
        this.run();
      });
    }
    return now - this.#turnBegan < TURN_MS;
  }
}
