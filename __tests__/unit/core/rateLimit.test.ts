/** A quantity within a second is let through, and no more. */
import { expect, test } from '@jest/globals';
import { RateLimit } from '../../../src/core/rateLimit.ts';

test('it holds what is allowed within a second, and refills', () => {
  let now = 0;
  const rate = new RateLimit(100, () => now);
  expect(rate.take(60)).toBe(true);
  expect(rate.take(50)).toBe(false);
  expect(rate.take(40)).toBe(true);
  expect(rate.isFull).toBe(false);
  now += 500;
  expect(rate.take(51)).toBe(false);
  expect(rate.take(50)).toBe(true);
  now += 10_000;
  expect(rate.isFull).toBe(true);
  expect(rate.take(101)).toBe(false);
});
