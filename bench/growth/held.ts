/** Measures how long the event loop of this process is held up at most, and how much of that garbage collection is. */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

export interface Held {
  /** Longest time between two turns of the event loop, in ms. */
  readonly longest: number;
  /** Longest collection of garbage, in ms. */
  readonly longestCollection: number;
}

export class HeldMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: 1 });
  #longestCollection = 0;

  constructor() {
    this.#delay.enable();
    const onEntries = (entries: readonly { duration: number }[]): void => {
      for (const { duration } of entries) this.#longestCollection = Math.max(this.#longestCollection, duration);
    };
    new PerformanceObserver(list => onEntries(list.getEntries())).observe({ entryTypes: ['gc'] });
  }

  reset(): void {
    this.#delay.reset();
    this.#longestCollection = 0;
  }

  /** Returns what has been measured since the last {@link reset}, after the present turn. */
  async read(): Promise<Held> {
    // Entries of collections are told in a later turn.
    await new Promise(resolve => setTimeout(resolve, 20));
    return { longest: this.#delay.max / 1e6, longestCollection: this.#longestCollection };
  }
}
