/**
 * Times at which Producers and DataProducers were made, by the clock of their machine. They are told with the objects, so
 * that all who see two of the same id agree which of them is the older one.
 */

/** A property takes a fraction of the time and memory of a WeakMap of many objects. */
const producedAtKey = Symbol('produced at');

type Timed = Record<symbol, number | undefined>;

/** @param time in ms since 1970 */
export function noteProducedAt(producer: object, time: number): void {
  (producer as Timed)[producedAtKey] = time;
}

/** Returns the time in ms since 1970; undefined if it was not told. */
export function producedAt(producer: object): number | undefined {
  return (producer as Timed)[producedAtKey];
}
