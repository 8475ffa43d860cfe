/** Times of a RedisDirectory, in ms. */

/** Times by which servers and controllers write and read a directory. */
export interface Timing {
  /** Interval at which a server renews its record. */
  readonly beat: number;
  /** Time after which Redis takes a record that is not renewed for gone. */
  readonly nodeTtl: number;
  /** Shortest time between two writes of a record whose load has changed. */
  readonly change: number;
  /** Interval at which a controller reads all records, beside being told of changes. */
  readonly list: number;
  /** Time after which Redis takes it that a node no longer holds a room, if the node has not said so again. */
  readonly roomTtl: number;
  /** Interval at which a server renews the rooms that it holds, and a controller reads those that it watches. */
  readonly rooms: number;
  /** Limit for an answer of Redis. */
  readonly answer: number;
  /** First and longest delay before Redis is connected to again. */
  readonly retry: readonly [first: number, longest: number];
  /** Time over which rooms are written and read again after an outage, so that not all come at once. */
  readonly spread: number;
  /** Time that servers have to be back after an outage: only then is a missing record taken for a missing node. */
  readonly settle: number;
}

export const defaultTiming: Timing = {
  beat: 5000,
  nodeTtl: 20_000,
  change: 1000,
  list: 10_000,
  roomTtl: 180_000,
  rooms: 60_000,
  answer: 5000,
  retry: [200, 5000],
  spread: 5000,
  settle: 30_000,
};

/** Returns the time, longer or shorter by up to a fifth: what has begun together does not go on together. */
export function varied(ms: number): number {
  return ms * (0.8 + 0.4 * Math.random());
}
