/** Calls that have found no server with room, and wait for one that is on its way. */
import type { FullCall } from '../horizontal/index.ts';
import type { WaitingJoins as Waiting } from './snapshot.ts';

interface Waiter {
  readonly region: string | undefined;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (lookAgain: boolean) => void;
}

export class WaitingJoins {
  readonly #maxWaitMs: number;
  readonly #waiters = new Set<Waiter>();

  /** @param maxWaitMs longest time that a call waits */
  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs;
  }

  /** Calls that wait, by region. */
  get counts(): Waiting[] {
    const counts = new Map<string | undefined, number>();
    for (const { region } of this.#waiters) counts.set(region, (counts.get(region) ?? 0) + 1);
    return [...counts].map(([region, count]) => ({ ...(region === undefined ? {} : { region }), count }));
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves with `true` when there may be room, with `false` when there is nothing to wait for, or not any longer. */
  wait({ region, waited }: FullCall): Promise<boolean> {
    const left = this.#maxWaitMs - waited;
    if (left <= 0) return Promise.resolve(false);
    return new Promise(resolve => {
      const waiter: Waiter = { region, timer: setTimeout(() => this.#end(waiter, false), left), resolve };
      this.#waiters.add(waiter);
    });
  }

  /** Has all look for room again. Calls that find none come back, with the time that they have waited. */
  lookAgain(): void {
    for (const waiter of this.#waiters) this.#end(waiter, true);
  }

  /** Ends the wait of those for whom nothing is on its way. */
  release(isComing: (region: string | undefined) => boolean): void {
    for (const waiter of this.#waiters) if (!isComing(waiter.region)) this.#end(waiter, false);
  }

  #end(waiter: Waiter, lookAgain: boolean): void {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
    waiter.resolve(lookAgain);
  }
}
