/** What clients may ask of a server, so that none can bring it down by mistake or malice, nor can several sessions together. */
import { availableParallelism } from 'node:os';
import { LimitError } from '../../api/errors.ts';
import { refuseUnknown } from '../../api/options.ts';

export interface Limits {
  /** Messages per second, on average over a second; a client that sends more is cut off. Default 20,000. */
  messagesPerSecond: number;
  /** Bytes per second, on average over a second; a client that sends more is cut off. Default 32,000,000. */
  bytesPerSecond: number;
  /** Calls that are not answered yet; more are refused. Default 10,000. */
  pendingCalls: number;
  /** Objects of all clients together; beyond that they can create none. Default 100,000. */
  objects: number;
  /** Bytes that these objects take, with their `appData`; beyond that clients can create none. Default 256,000,000. */
  objectBytes: number;
  /**
   * Bytes that are kept for one client: what it has not acknowledged, calls underway, RTP capabilities. Beyond it calls are
   * refused, events are left out that a snapshot makes up for, and if that does not help the session ends. Default 64,000,000.
   */
  sessionBytes: number;
  /**
   * Bytes that are kept for all clients together, their objects included. Beyond it each may have an equal share, and a client that
   * has more is treated as above. Default 1,000,000,000.
   */
  totalBytes: number;
  /** Clients at the same time; more are not let in. Default 1,000. */
  clients: number;
  /** Workers that clients have made for themselves, all together: each is a process. Default: four per core. */
  workers: number;
}

const defaults: Limits = {
  messagesPerSecond: 20_000,
  bytesPerSecond: 32_000_000,
  pendingCalls: 10_000,
  objects: 100_000,
  objectBytes: 256_000_000,
  sessionBytes: 64_000_000,
  totalBytes: 1_000_000_000,
  clients: 1000,
  workers: 4 * availableParallelism(),
};

/** @throws {TypeError} for a limit that is unknown or not a positive integer */
export function resolveLimits(limits: Partial<Limits> = {}): Limits {
  refuseUnknown('limits', limits, defaults);
  const resolved = { ...defaults, ...limits };
  for (const [name, limit] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(limit) || limit <= 0) throw new TypeError(`limits.${name} must be a positive integer`);
  }
  return resolved;
}

/** @param state what there is already, and what to do: `this client has 5 objects here: close some of them` */
export function limitError(limit: keyof Limits, { [limit]: max }: Limits, state: string): LimitError {
  return new LimitError(`${state} (limits.${limit} of the server is ${max})`, { limit, max });
}

/** The last quarter of what all clients may have together is for those that have less than an equal share. */
const SHARED = 3 / 4;

/** What all clients of a server have together. */
export class ServerUse {
  clients = 0;
  /** Workers of their own, those that are being started included. */
  workers = 0;

  /**
   * Whether a client may have nothing more of something.
   * @param own what it has
   * @param all what all clients have, this one included
   */
  isFull(max: number, own: number, all: number): boolean {
    return all >= max || (all >= SHARED * max && own >= max / Math.max(1, this.clients));
  }
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
