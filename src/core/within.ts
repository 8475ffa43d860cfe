/**
 * Resolves when the promise has settled, or the time is over: for what is good to have, but not worth waiting for ever.
 * @param signal ends the time when it is aborted
 */
export async function within(promise: Promise<unknown>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  let finish = (): void => undefined;
  const timeout = new Promise<void>(resolve => (finish = resolve));
  const timer = setTimeout(finish, timeoutMs);
  signal?.addEventListener('abort', finish);
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', finish);
  }
}

/**
 * What these resolve with, in their order; undefined for those that fail, or take longer: one who does not answer must not keep the
 * answers of all others.
 * @param onMissing told why, of each of them by its index
 */
export async function answersWithin<T>(
  promises: readonly Promise<T>[],
  timeoutMs: number,
  onMissing: (index: number, why: unknown) => void,
): Promise<(T | undefined)[]> {
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
