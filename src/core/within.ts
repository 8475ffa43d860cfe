/** Resolves when the promise has settled, or the time is over: for what is good to have, but not worth waiting for ever. */
export async function within(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>(resolve => (timer = setTimeout(resolve, timeoutMs)));
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What these resolve with, in their order; undefined for those that fail, or take longer: one who does not answer must not keep the
 * answers of all others.
 * @param onMissing told why, of each of them by its index
 */
export async function answersWithin<T>(promises: readonly Promise<T>[], timeoutMs: number, onMissing: (index: number, why: unknown) => void): Promise<(T | undefined)[]> {
  const answers: (T | undefined)[] = promises.map(() => undefined);
  const missing = new Set(promises.keys());
  const answered = promises.map(async (promise, index) => {
    try {
      answers[index] = await promise;
      missing.delete(index);
    } catch (error) {
      if (missing.delete(index)) onMissing(index, error);
    }
  });
  await within(Promise.all(answered), timeoutMs);
  for (const index of missing) onMissing(index, new Error(`no answer within ${timeoutMs} ms`));
  missing.clear();
  return [...answers];
}
