/**
 * Timers that close idle objects after a while, unless they are used again: so that a join right after a leave does not
 * pay for a new Worker or pipe. A GraceTimers owns the timers of all objects of a kind.
 */
export class GraceTimers<T> {
  readonly #graceMs: number;
  readonly #onElapsed: (object: T) => void;
  readonly #timers = new Map<T, NodeJS.Timeout>();

  /** @param onElapsed has to check whether the object is still idle */
  constructor(graceMs: number, onElapsed: (object: T) => void) {
    this.#graceMs = graceMs;
    this.#onElapsed = onElapsed;
  }

  get size(): number {
    return this.#timers.size;
  }

  has(object: T): boolean {
    return this.#timers.has(object);
  }

  /**
   * Starts the object's timer anew. The timer does not keep the process running.
   * @param graceMs duration that replaces the usual grace time
   */
  start(object: T, graceMs = this.#graceMs): void {
    this.cancel(object);
    const timer = setTimeout(() => {
      this.#timers.delete(object);
      this.#onElapsed(object);
    }, graceMs);
    this.#timers.set(object, timer.unref());
  }

  cancel(object: T): void {
    clearTimeout(this.#timers.get(object));
    this.#timers.delete(object);
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
