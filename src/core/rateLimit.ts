/** Token bucket that holds the quantity allowed within a second, and refills at that rate. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #atMs: number;

  /** @param now returns milliseconds, from any moment on */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = perSecond;
    this.#atMs = now();
  }

  /** Whether it holds all that it can. */
  get isFull(): boolean {
    return this.#refilled() >= this.#perSecond;
  }

  /** Takes a quantity, if it is within the limit. @returns whether it is */
  take(count: number): boolean {
    this.#left = this.#refilled();
    this.#atMs = this.#now();
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }

  #refilled(): number {
    return Math.min(this.#perSecond, this.#left + ((this.#now() - this.#atMs) * this.#perSecond) / 1000);
  }
}
