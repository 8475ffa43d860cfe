/** Time that passes as fast as the CPU allows. The timers of the code under simulation are simulated, so the code itself is the real one. */
import { mock } from 'node:test';
import { SimulatedTimers } from './simulatedTimers.ts';

const TICK_MS = 1;
/** Date of the beginning, where the date is simulated. */
const BEGINNING = Date.UTC(2026, 0, 1);

export class SimulatedTime {
  readonly #timers = new SimulatedTimers();
  readonly #withDate: boolean;
  #now = 0;

  /** @param withDate whether `Date` goes with it */
  constructor(withDate = false) {
    this.#withDate = withDate;
    if (withDate) mock.timers.enable({ apis: ['Date'], now: BEGINNING });
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** Lets time pass, and in each millisecond all that follows from it. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.#now += TICK_MS;
      if (this.#withDate) mock.timers.tick(TICK_MS);
      this.#timers.tick();
      await settled();
    }
  }

  /** Ends all timers of the simulation. */
  close(): void {
    this.#timers.restore();
    if (this.#withDate) mock.timers.reset();
  }
}

/** A message's way over the network, and not back. */
export function oneWay(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** Resolves when everything that can happen without a timer has happened. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
