/**
 * Delay before the next attempt: doubles with each failure up to a limit, and varies at random, so that clients that
 * have failed together don't come back together.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** @param random returns a number from 0 up to 1 */
  constructor(baseMs: number, maxMs: number, random: () => number = Math.random) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /**
   * Counts a failure.
   * @returns milliseconds: from half of the due delay up to one and a half of it
   */
  next(): number {
    const due = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#failures++);
    return due * (0.5 + this.#random());
  }

  /** Starts over: the next failure counts as the first. */
  reset(): void {
    this.#failures = 0;
  }
}
