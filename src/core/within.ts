/**
 * Resolves when the promise has settled, or the time is over: for results that are useful, but not worth waiting for
 * without a limit.
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
 * Resolves with the results of the promises, in their order, and undefined for promises that reject or take longer: a
 * silent node must not keep back the answers of all others.
 * @param onMissing called with the index of each missing result, and the reason
 */
export async function answersWithin<T>(
  promises: readonly Promise<T>[],
  timeoutMs: number,
  onMissing: (index: number, reason: unknown) => void,
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
