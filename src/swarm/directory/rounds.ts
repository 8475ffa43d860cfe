/**
 * Rounds in which the watched rooms of a peer are looked up again, one after the other. A peer with many rooms looks each
 * up less often than one with a few: what it asks of others has a limit.
 */

/** Rooms that are looked up within the interval: where there are more, a round takes longer. */
const MAX_IN_INTERVAL = 15;

export class Rounds {
  /** Lookups, the next one first. */
  readonly #lookups = new Set<() => void>();
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param interval in which each room is looked up, where there are few, in ms */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Adds a lookup, until the function that it returns is called. */
  add(lookUp: () => void): () => void {
    this.#lookups.add(lookUp);
    this.#timer ??= this.#wait();
    return () => {
      this.#lookups.delete(lookUp);
      if (this.#lookups.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #wait(): NodeJS.Timeout {
    const pause = this.#interval / Math.min(this.#lookups.size, MAX_IN_INTERVAL);
    // Peers that have begun together drift apart.
    return setTimeout(() => this.#next(), pause * (0.75 + Math.random() / 2)).unref();
  }

  #next(): void {
    // The timer ends with the last of them.
    const lookUp = this.#lookups.values().next().value!;
    this.#lookups.delete(lookUp);
    this.#lookups.add(lookUp);
    this.#timer = this.#wait();
    lookUp();
  }
}
