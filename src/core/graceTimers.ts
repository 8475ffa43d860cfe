/**
 * Closes things a while after they have become idle, unless they are used again: so that a join right after a leave does
 * not pay for a new Worker or pipe. One object owns the timers of all its things.
 */
export class GraceTimers<T> {
  readonly #graceMs: number;
  readonly #onElapsed: (thing: T) => void;
  readonly #timers = new Map<T, NodeJS.Timeout>();

  /** @param onElapsed has to look whether the thing is idle still */
  constructor(graceMs: number, onElapsed: (thing: T) => void) {
    this.#graceMs = graceMs;
    this.#onElapsed = onElapsed;
  }

  get size(): number {
    return this.#timers.size;
  }

  /**
   * Starts the time anew. It does not keep the process running.
   * @param graceMs how long it is to be this time, where the usual time is not right
   */
  start(thing: T, graceMs = this.#graceMs): void {
    this.cancel(thing);
    const timer = setTimeout(() => {
      this.#timers.delete(thing);
      this.#onElapsed(thing);
    }, graceMs);
    this.#timers.set(thing, timer.unref());
  }

  cancel(thing: T): void {
    clearTimeout(this.#timers.get(thing));
    this.#timers.delete(thing);
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
