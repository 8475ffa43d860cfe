import { expect, test } from '@jest/globals';
import { forecast, p90 } from '../../../src/autoscale/forecast.ts';
import type { DemandSample } from '../../../src/autoscale/history.ts';
import { seededRandom } from '../../helpers/random.ts';

const SECOND = 1000;

/** Samples of the last seconds, each five seconds. */
function samplesOf(demand: (secondsAgo: number) => number, seconds = 200): DemandSample[] {
  const samples: DemandSample[] = [];
  for (let ago = seconds; ago >= 0; ago -= 5) samples.push({ at: -ago * SECOND, running: demand(ago), draining: 0 });
  return samples;
}

test('what grows evenly is expected to go on, for about as long as it has', () => {
  const growing = samplesOf(ago => 1000 - ago);
  expect(forecast(growing, 0, 20 * SECOND)).toBeCloseTo(1000 + 20, -1);
  expect(forecast(growing, 0, 3600 * SECOND)).toBeCloseTo(1000 + 120, 0);
});

test('a rush of some seconds is not expected to last', () => {
  const rush = samplesOf(ago => (ago <= 20 ? 200 - 5 * ago : 100));
  expect(forecast(rush, 0, 600 * SECOND)).toBeGreaterThan(230);
  expect(forecast(rush, 0, 600 * SECOND)).toBeLessThan(400);
});

test('what falls, stays or was seen too rarely is expected to stay', () => {
  expect(
    forecast(
      samplesOf(ago => ago),
      0,
      60 * SECOND,
    ),
  ).toBe(0);
  expect(
    forecast(
      samplesOf(() => 7),
      0,
      60 * SECOND,
    ),
  ).toBe(7);
  expect(
    forecast(
      samplesOf(ago => 100 - ago, 10),
      0,
      60 * SECOND,
    ),
  ).toBe(100);
  expect(forecast([], 0, 60 * SECOND)).toBe(0);
});

test('a server that is drained, or used again, is no trend', () => {
  const [running, all] = [samplesOf(ago => (ago > 60 ? 100 : 50)), samplesOf(() => 100)];
  const drained = running.map((sample, index) => ({ ...sample, draining: all[index]!.running - sample.running }));
  expect(forecast(drained, 0, 60 * SECOND)).toBe(50);
  const usedAgain = drained.map(({ at, running, draining }) => ({
    at,
    running: 150 - running,
    draining: 50 - draining,
  }));
  expect(forecast(usedAgain, 0, 60 * SECOND)).toBe(100);
});

test('noise is no trend', () => {
  const random = seededRandom(1);
  const excesses = Array.from({ length: 100 }, () => {
    const samples = samplesOf(() => 1000 + 50 * random());
    return forecast(samples, 0, 60 * SECOND) - samples.at(-1)!.running;
  });
  expect(excesses.reduce((sum, excess) => sum + excess) / 100).toBeLessThan(25);
});

test('nine of ten are below', () => {
  expect(p90([5, 1, 3, 2, 4, 9, 8, 7, 6, 10])).toBe(9);
  expect(p90([5])).toBe(5);
  expect(p90([])).toBeUndefined();
});
