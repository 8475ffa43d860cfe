import { expect, test } from '@jest/globals';
import { answersWithin, within } from '../../../src/core/within.ts';

const never = new Promise<never>(() => undefined);
/** Longer than any test takes. */
const LONG_MS = 1_000_000;

test('a promise that settles is not waited for any longer, and its failure is passed on', async () => {
  await within(Promise.resolve(), LONG_MS);
  await expect(within(Promise.reject(new Error('broken')), LONG_MS)).rejects.toThrow('broken');
});

test('the time, or its end by a signal, ends the wait', async () => {
  await within(never, 1);
  await within(never, LONG_MS, AbortSignal.abort());
  const abort = new AbortController();
  const waiting = within(never, LONG_MS, abort.signal);
  abort.abort();
  await waiting;
});

test('answers come in their order, and each missing one is told with its reason, once', async () => {
  const missing: [number, string][] = [];
  const answers = await answersWithin(
    [Promise.resolve('a'), Promise.reject(new Error('broken')), never, Promise.resolve('d')],
    10,
    (index, why) => missing.push([index, (why as Error).message]),
  );
  expect(answers).toEqual(['a', undefined, undefined, 'd']);
  expect(missing).toEqual([
    [1, 'broken'],
    [2, 'no answer within 10 ms'],
  ]);
});
