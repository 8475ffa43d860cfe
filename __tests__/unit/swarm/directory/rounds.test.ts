/** Rooms take turns: many of them are looked up less often than a few. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Rounds } from '../../../../src/swarm/directory/rounds.ts';

const INTERVAL_MS = 30_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function roundsOf(rooms: number): { counts: number[]; leave: (() => void)[] } {
  const rounds = new Rounds(INTERVAL_MS);
  const counts = Array.from({ length: rooms }, () => 0);
  const leave = counts.map((_, room) => rounds.add(() => ++counts[room]!));
  return { counts, leave };
}

test('each of a few rooms is looked up in each interval', () => {
  const { counts } = roundsOf(3);
  jest.advanceTimersByTime(12 * INTERVAL_MS);
  for (const count of counts) {
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThan(17);
  }
});

test('many rooms take turns, and none is left out', () => {
  const { counts } = roundsOf(300);
  jest.advanceTimersByTime(40 * INTERVAL_MS);
  const all = counts.reduce((sum, count) => sum + count, 0);
  // 15 in each interval.
  expect(all).toBeGreaterThan(450);
  expect(all).toBeLessThan(800);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});

test('a room that has left is not looked up, and nothing is left after the last', () => {
  const { counts, leave } = roundsOf(2);
  leave[0]!();
  jest.advanceTimersByTime(10 * INTERVAL_MS);
  expect(counts[0]).toBe(0);
  expect(counts[1]).toBeGreaterThan(0);
  leave[1]!();
  leave[1]!();
  expect(jest.getTimerCount()).toBe(0);
});
