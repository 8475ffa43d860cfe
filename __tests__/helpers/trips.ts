/** Counts round trips by the time that calls take over wires that are slow beside everything else. */
import { expect } from '@jest/globals';

/** Measures one call, and hands its result on. */
export type CountTrips = <T>(name: string, call: () => Promise<T>) => Promise<T>;

/** A machine that is busy all through so many rounds is no place to measure on. */
const MAX_ROUNDS = 20;

/** Number of round trips, or the least and the most of them. */
type Trips = number | readonly [least: number, most: number];

/**
 * Expects these whole round trips of the calls that a round makes. What counts is the least of some rounds, each to be made
 * with objects of its own: a busy machine adds to the time that a call takes, but nothing can make it arrive sooner than
 * its wires allow. So this ends at the first round that leaves nothing to add, and one trip too many fails in all of them.
 */
export async function expectTrips(
  expected: Readonly<Record<string, Trips>>,
  roundTripMs: number,
  makeRound: (count: CountTrips) => Promise<void>,
): Promise<void> {
  const least: Record<string, number> = {};
  const count: CountTrips = async (name, call) => {
    const started = performance.now();
    const result = await call();
    const trips = Math.floor((performance.now() - started) / roundTripMs);
    least[name] = Math.min(trips, least[name] ?? Infinity);
    return result;
  };
  for (let round = 1; round <= MAX_ROUNDS; ++round) {
    await makeRound(count);
    if (Object.entries(expected).every(([name, trips]) => fits(least[name], trips))) return;
  }
  expect(least).toEqual(expected);
}

function fits(counted: number | undefined, trips: Trips): boolean {
  const [least, most] = typeof trips === 'number' ? [trips, trips] : trips;
  return counted !== undefined && counted >= least && counted <= most;
}
