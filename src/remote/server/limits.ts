/** What a client may ask of a server, so that none can bring it down by mistake or malice. */
import { availableParallelism } from 'node:os';
import { refuseUnknown } from '../../shared/options.ts';

export interface Limits {
  /** Messages per second, on average over a second; who sends more is cut off. Default 20,000. */
  messagesPerSecond: number;
  /** Calls that are not answered yet; more are refused. Default 10,000. */
  pendingCalls: number;
  /** Objects in all that the client is attached to; beyond that it can create none. Default 100,000. */
  objects: number;
  /** Workers of its own that the client may have: each is a process. Default: four per core. */
  workers: number;
}

const defaults: Limits = { messagesPerSecond: 20_000, pendingCalls: 10_000, objects: 100_000, workers: 4 * availableParallelism() };

/** @throws {TypeError} for a limit that is unknown or not a positive integer */
export function resolveLimits(limits: Partial<Limits> = {}): Limits {
  refuseUnknown('limits', limits, Object.keys(defaults));
  const resolved = { ...defaults, ...limits };
  for (const [name, limit] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(limit) || limit <= 0) throw new TypeError(`limits.${name} must be a positive integer`);
  }
  return resolved;
}

/** A bucket that holds what may be sent within a second, and fills again at that rate. */
export class RateLimit {
  readonly #perSecond: number;
  #left: number;
  #atMs = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** @returns whether so many more are still within the limit */
  take(count: number): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = now;
    this.#left -= count;
    return this.#left >= 0;
  }
}
