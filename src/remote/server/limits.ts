/** Limits of clients, so that none of them can bring a server down by mistake or malice, nor can several together. */
import * as v from 'valibot';
import { LimitError } from '../../api/errors.ts';
import { optionsOf } from '../../api/optionsSchema.ts';
import { positiveInteger } from '../../api/optionTypes.ts';
import { availableCores } from '../../api/resources.ts';

/** Limits of the clients of a server. A call beyond a limit fails with a `LimitError`. */
export interface Limits {
  /**
   * Messages per second of one client, on average over a second; a client that sends more is cut off.
   * @default 20000
   */
  messagesPerSecond: number;
  /**
   * Bytes per second of one client, on average over a second; a client that sends more is cut off.
   * @default 32000000
   */
  bytesPerSecond: number;
  /**
   * Calls of one client that are not answered yet; more are refused.
   * @default 10000
   */
  pendingCalls: number;
  /**
   * Objects of all clients together; beyond that they can create none.
   * @default 100000
   */
  objects: number;
  /**
   * Bytes that these objects take, with their `appData`; beyond that clients can create none.
   * @default 256000000
   */
  objectBytes: number;
  /**
   * Bytes that are kept for one client: unacknowledged messages, calls underway, RTP capabilities. Beyond it calls are
   * refused, and events that a snapshot makes up for are left out; if that does not help, the session ends.
   * @default 64000000
   */
  sessionBytes: number;
  /**
   * Bytes that are kept for all clients together, their objects included. Beyond it each client may have an equal
   * share, and a client that has more is treated as beyond `sessionBytes`.
   * @default 1000000000
   */
  totalBytes: number;
  /**
   * Clients at the same time; more are not let in.
   * @default 1000
   */
  clients: number;
  /**
   * Clients' own Workers, all together; each is a process.
   * @default four per core
   */
  workers: number;
}

export const limits = optionsOf<Partial<Limits>>()({
  messagesPerSecond: v.optional(positiveInteger, 20_000),
  bytesPerSecond: v.optional(positiveInteger, 32_000_000),
  pendingCalls: v.optional(positiveInteger, 10_000),
  objects: v.optional(positiveInteger, 100_000),
  objectBytes: v.optional(positiveInteger, 256_000_000),
  sessionBytes: v.optional(positiveInteger, 64_000_000),
  totalBytes: v.optional(positiveInteger, 1_000_000_000),
  clients: v.optional(positiveInteger, 1000),
  workers: v.optional(positiveInteger, 4 * availableCores()),
});

/** @param state the present use, and advice: `this client has 5 objects here: close some of them` */
export function limitError(limit: keyof Limits, { [limit]: max }: Limits, state: string): LimitError {
  return new LimitError(`${state} (limits.${limit} of the server is ${max})`, { limit, max });
}

/** Share of a limit beyond which only clients with less than an equal share may take more. */
const SHARED = 3 / 4;

/** Counts of the clients of a server, and of their own Workers. */
export class ServerUse {
  clients = 0;
  /** Clients' own Workers, including those that are being started. */
  workers = 0;

  /**
   * Whether a client has used up its part of a limit.
   * @param max the limit for all clients
   * @param own count of this client
   * @param all count of all clients, including this client
   */
  isFull(max: number, own: number, all: number): boolean {
    return all >= max || (all >= SHARED * max && own >= max / Math.max(1, this.clients));
  }
}
