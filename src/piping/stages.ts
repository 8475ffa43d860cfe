/** Stages of a longer process, for callers that need not wait for its end. */

/** @returns a promise, and the function that resolves it */
export function deferred(): [Promise<void>, () => void] {
  let resolve!: () => void;
  const promise = new Promise<void>(settle => (resolve = settle));
  return [promise, resolve];
}

/**
 * Resolves at a stage of a process, or at its end; rejects with its end. A rejection that is not awaited is no
 * unhandled rejection.
 */
export function firstOf(stage: Promise<void>, end: Promise<void>): Promise<void> {
  const first = Promise.race([stage, end]);
  first.catch(() => undefined);
  return first;
}
