/**
 * How long to wait before the next attempt: twice as long after each failure, up to a limit, and each time a bit more or less, so that
 * those who have failed together don't come back together.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** @param random from 0 up to 1 */
  constructor(baseMs: number, maxMs: number, random: () => number = Math.random) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** To be called after a failure. @returns milliseconds, half of what is due at least, and one and a half of it at most */
  next(): number {
    const due = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#failures++);
    return due * (0.5 + this.#random());
  }

  /** The next failure is taken for the first one. */
  reset(): void {
    this.#failures = 0;
  }
}
