/** A sender gets its share, and no more. */
import { expect, test } from '@jest/globals';
import { DATAGRAMS_PER_SECOND, SenderRates } from '../../../../src/swarm/dht/senderRates.ts';

test('a flood of one sender is cut to its share, and others are heard', () => {
  let now = 0;
  const rates = new SenderRates(() => now);
  const taken = (): number => Array.from({ length: 5000 }, () => rates.take('192.0.2.1')).filter(Boolean).length;
  expect(taken()).toBe(DATAGRAMS_PER_SECOND);
  expect(rates.take('192.0.2.2')).toBe(true);
  now += 500;
  expect(taken()).toBe(DATAGRAMS_PER_SECOND / 2);
  now += 60_000;
  expect(taken()).toBe(DATAGRAMS_PER_SECOND);
});

test('of many senders those that are still are forgotten first', () => {
  let now = 0;
  const rates = new SenderRates(() => now);
  for (let index = 0; index < 10_000; ++index) rates.take(`sender ${index}`);
  expect(rates.take('a new one')).toBe(false);
  expect(rates.take('sender 1')).toBe(true);
  now += 1000;
  expect(rates.take('a new one')).toBe(true);
});
