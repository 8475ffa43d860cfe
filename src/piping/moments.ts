/** Stages of a longer process, for callers that need not wait for its end. */

/** @returns a promise, and the function that resolves it */
export function moment(): [Promise<void>, () => void] {
  let come!: () => void;
  const coming = new Promise<void>(resolve => (come = resolve));
  return [coming, come];
}

/**
 * Resolves at a stage of a process, or at its end; rejects with its end. A rejection that is not awaited is no
 * unhandled rejection.
 */
export function firstOf(moment: Promise<void>, end: Promise<void>): Promise<void> {
  const first = Promise.race([moment, end]);
  first.catch(() => undefined);
  return first;
}
