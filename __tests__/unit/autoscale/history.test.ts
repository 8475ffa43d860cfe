import { expect, test } from '@jest/globals';
import { HistoryRecorder } from '../../../src/autoscale/history.ts';
import type { Snapshot } from '../../../src/autoscale/snapshot.ts';

function snapshotOf(load: number): Snapshot {
  const server = { phase: 'running', since: 0, cores: 2, transports: 0, empty: false } as const;
  const servers = [
    { ...server, id: 'a', region: 'eu', load },
    { ...server, id: 'b', region: 'us', load: 10 },
    { ...server, id: 'c', region: 'us', phase: 'lost' as const, load: 50 },
    { ...server, id: 'd', region: 'us', phase: 'draining' as const, load: 7 },
  ];
  return { servers, waiting: [{ region: 'eu', count: 3 }], watermark: 60 };
}

test('demand is noted by region: load of all cores, and joins that wait', () => {
  const history = new HistoryRecorder(60_000);
  history.observe(snapshotOf(40), ['eu', 'us', undefined], 5000);
  expect(history.demand.get('eu')).toEqual([{ at: 5000, running: 86, draining: 0 }]);
  expect(history.demand.get('us')).toEqual([{ at: 5000, running: 20, draining: 14 }]);
  expect(history.demand.get(undefined)).toEqual([{ at: 5000, running: 106, draining: 14 }]);
});

test('it is bounded in time and number, and no peak is lost', () => {
  const history = new HistoryRecorder(60_000);
  for (let now = 0; now <= 600_000; now += 100) history.observe(snapshotOf(now % 1000), ['eu'], now);
  const samples = history.demand.get('eu')!;
  expect(samples.length).toBeLessThanOrEqual(62);
  expect(samples[0]!.at).toBeLessThanOrEqual(540_000);
  expect(samples.at(-2)).toEqual({ at: 599_000, running: 1806, draining: 0 });
  for (let ms = 0; ms < 100; ++ms) history.booted(undefined, ms);
  expect(history.boots).toEqual(Array.from({ length: 30 }, (_, index) => 70 + index));
});

test('failures count in a row, once for starts of the same time, until one succeeds', () => {
  const history = new HistoryRecorder(0);
  expect(history.failed('eu', 10, 20)).toBe(1);
  expect(history.failed('eu', 15, 21)).toBeUndefined();
  expect(history.failed('eu', 30, 40)).toBe(2);
  expect(history.failed('us', 30, 40)).toBe(1);
  history.booted('eu', 1000);
  expect([...history.failures]).toEqual([['us', { inRow: 1, latest: 40 }]]);
});
