/** Moments on the way to an end, for those who need not wait for all of it. */

/** @returns a promise, and what resolves it */
export function moment(): [Promise<void>, () => void] {
  let come!: () => void;
  const coming = new Promise<void>(resolve => (come = resolve));
  return [coming, come];
}

/** Resolves at a moment of something, or at its end, with which it rejects too. Nobody has to wait for it. */
export function firstOf(moment: Promise<void>, end: Promise<void>): Promise<void> {
  const first = Promise.race([moment, end]);
  first.catch(() => undefined);
  return first;
}
