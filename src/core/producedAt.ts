/**
 * Times at which Producers and DataProducers were made, by the clock of their machine. They are told with the objects, so
 * that all who see two of the same id agree which of them is the older one.
 */
const times = new WeakMap<object, number>();

/** @param time in ms since 1970 */
export function noteProducedAt(producer: object, time: number): void {
  times.set(producer, time);
}

/** Returns the time in ms since 1970; undefined if it was not told. */
export function producedAt(producer: object): number | undefined {
  return times.get(producer);
}
