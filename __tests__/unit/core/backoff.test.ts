import { expect, test } from '@jest/globals';
import { Backoff } from '../../../src/core/backoff.ts';

test.each([
  ['half', 0, [50, 100, 200, 400, 500, 500]],
  ['once', 0.5, [100, 200, 400, 800, 1000, 1000]],
  ['nearly one and a half', 0.999, [150, 300, 600, 1199, 1499, 1499]],
])('waits longer each time, up to a limit: %s of what is due', (_what, chance, delays) => {
  const backoff = new Backoff(100, 1000, () => chance);
  expect(delays.map(() => Math.round(backoff.next()))).toEqual(delays);
  backoff.reset();
  expect(Math.round(backoff.next())).toBe(delays[0]);
});

test('does not overflow', () => {
  const backoff = new Backoff(100, 1000, () => 0.5);
  for (let failure = 0; failure < 2000; ++failure) backoff.next();
  expect(backoff.next()).toBe(1000);
});
