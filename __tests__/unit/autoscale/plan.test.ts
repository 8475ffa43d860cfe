import { describe, expect, test } from '@jest/globals';
import { HistoryRecorder } from '../../../src/autoscale/history.ts';
import { nextStartAt, plan, type Plan } from '../../../src/autoscale/plan.ts';
import type { PlanOptions } from '../../../src/autoscale/planOptions.ts';
import type { ServerState, Snapshot } from '../../../src/autoscale/snapshot.ts';
import { burst, conferenceDay, HOUR, noise } from '../../helpers/autoscale/days.ts';
import { Simulation } from '../../helpers/autoscale/simulation.ts';

const NOW = 1_000_000_000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

let nextId = 1;

function server(load: number, more: Partial<ServerState> = {}): ServerState {
  const [id, since] = [`server-${nextId++}`, NOW - 60 * MINUTE];
  return { id, since, phase: 'running', load, cores: 4, transports: load, empty: false, ...more };
}

function snapshotOf(servers: readonly ServerState[], waiting: Snapshot['waiting'] = []): Snapshot {
  return { servers, waiting, watermark: 60 };
}

/** Plans for servers whose load has been the same for long. */
function planFor(
  servers: readonly ServerState[],
  options: Partial<PlanOptions> = {},
  { history = new HistoryRecorder(60 * MINUTE), waiting = [] as Snapshot['waiting'], minutes = 30 } = {},
): Plan {
  const snapshot = snapshotOf(servers, waiting);
  const regions = options.regions ? Object.keys(options.regions) : [undefined];
  for (let ago = minutes * 60; ago >= 0; ago -= 5) history.observe(snapshot, regions, NOW - ago * SECOND);
  return plan(snapshot, history, { max: 10, headroom: 0.2, ...options }, NOW);
}

function shapeOf({ start, drain, undrain, stop }: Plan): object {
  const ids = (changes: readonly { id: string }[]): string[] => changes.map(({ id }) => id);
  return { start: start.length, drain: ids(drain), undrain: ids(undrain), stop: ids(stop) };
}

const nothing = { start: 0, drain: [], undrain: [], stop: [] };

describe('out', () => {
  test('nothing is done while there is room, with the headroom free', () => {
    expect(shapeOf(planFor([server(47)]))).toEqual(nothing);
  });

  test('a server is started when the headroom is used up, and says why', () => {
    const planned = planFor([server(49)]);
    expect(shapeOf(planned)).toEqual({ ...nothing, start: 1 });
    expect(planned.start[0]!.why).toMatch(/1\.0 servers are filled/);
    expect(planned.wanted).toBe(2);
  });

  test('what is on its way counts: one order for one need', () => {
    const starting = { phase: 'starting', since: NOW - 30 * SECOND, load: 0, cores: undefined } as const;
    expect(shapeOf(planFor([server(49), server(0, starting)]))).toEqual(nothing);
    expect(shapeOf(planFor([server(150), server(0, starting)]))).toEqual({ ...nothing, start: 2 });
  });

  test.each([1, 20])('%d joins that wait are one need, if one server has room for them', count => {
    const planned = planFor([server(47.9)], {}, { waiting: [{ count }] });
    expect(shapeOf(planned)).toEqual({ ...nothing, start: 1 });
  });

  test('the first servers are as many as there must be', () => {
    expect(shapeOf(planFor([], { min: 3 }))).toEqual({ ...nothing, start: 3 });
    expect(shapeOf(planFor([], { min: 0 }))).toEqual(nothing);
    expect(shapeOf(planFor([], { min: 0 }, { waiting: [{ count: 1 }] }))).toEqual({ ...nothing, start: 1 });
  });

  test('what will be there is ordered for the time when a server is there', () => {
    const growing = (boots: number[]): number => {
      const history = new HistoryRecorder(10 * MINUTE);
      for (const ms of boots) history.booted(undefined, ms);
      // From 20 to 40 percent in two minutes: one of 4 cores is full at 48.
      for (let at = 0; at <= 120; at += 5)
        history.observe(snapshotOf([server(20 + at / 6)]), [undefined], NOW - (120 - at) * SECOND);
      return plan(snapshotOf([server(40)]), history, { max: 10, headroom: 0.2 }, NOW).start.length;
    };
    expect(growing([5 * SECOND])).toBe(0);
    expect(growing([60 * SECOND])).toBe(1);
    expect(growing([5 * SECOND, 5 * SECOND, 100 * SECOND])).toBe(1);
  });

  test('never more than there may be, whatever becomes of them', () => {
    const [lost, stopping] = [server(0, { phase: 'lost', since: NOW }), server(0, { phase: 'stopping', since: NOW })];
    expect(planFor([server(400), lost, stopping], { max: 4 }).start).toHaveLength(1);
    expect(planFor([server(400), lost, stopping], { max: 3 }).start).toHaveLength(0);
    expect(planFor([server(400)], { max: 3 }).wanted).toBe(3);
  });

  test('larger servers count for more', () => {
    expect(shapeOf(planFor([server(60), server(30, { cores: 16 })]))).toEqual(nothing);
    expect(shapeOf(planFor([server(60), server(30, { cores: 1 })]))).toEqual({ ...nothing, start: 1 });
  });

  test('servers that are given count, and are left alone', () => {
    expect(shapeOf(planFor([server(40, { fixed: true })], { min: 0 }))).toEqual(nothing);
    expect(shapeOf(planFor([server(50, { fixed: true })], { min: 0 }))).toEqual({ ...nothing, start: 1 });
    expect(shapeOf(planFor([server(1, { fixed: true }), server(1, { fixed: true })], { min: 0 }))).toEqual(nothing);
  });
});

describe('in', () => {
  test('the server that empties soonest is drained first, as many as are not needed', () => {
    const servers = [server(28, { transports: 9 }), server(5, { transports: 3 }), server(6, { transports: 1 })];
    const [, second, third] = servers;
    expect(shapeOf(planFor(servers))).toEqual({ ...nothing, drain: [third!.id, second!.id] });
    expect(shapeOf(planFor(servers, { min: 2 }))).toEqual({ ...nothing, drain: [third!.id] });
    expect(planFor(servers).wanted).toBe(1);
  });

  test('a server is kept that was needed a while ago, or whose need is not known', () => {
    const history = new HistoryRecorder(60 * MINUTE);
    history.observe(snapshotOf([server(60), server(20)]), [undefined], NOW - 31 * MINUTE);
    const servers = [server(10), server(10)];
    expect(shapeOf(planFor(servers, { scaleInAfter: 32 * MINUTE }, { history }))).toEqual(nothing);
    expect(planFor(servers, { scaleInAfter: 20 * MINUTE }).drain).toHaveLength(1);
    expect(shapeOf(planFor(servers, {}, { minutes: 9 }))).toEqual(nothing);
  });

  test('while a server was started or used again that long ago, none is drained', () => {
    expect(shapeOf(planFor([server(10), server(1, { since: NOW - MINUTE })]))).toEqual(nothing);
    expect(planFor([server(10), server(1)]).drain).toHaveLength(1);
  });

  test('what is drained is stopped when it is empty, or its time is over', () => {
    const draining = { phase: 'draining', since: NOW - MINUTE } as const;
    const [left, empty] = [server(5, draining), server(0, { ...draining, empty: true })];
    expect(shapeOf(planFor([server(20), left, empty]))).toEqual({ ...nothing, stop: [empty.id] });
    expect(shapeOf(planFor([server(20), left], { drainDeadline: MINUTE }))).toEqual({ ...nothing, stop: [left.id] });
  });

  test('what is drained is used again before another one is started', () => {
    const draining = { phase: 'draining', since: NOW - MINUTE } as const;
    const [fuller, emptier] = [server(20, draining), server(0, { ...draining, empty: true })];
    const undrain = [fuller.id];
    expect(shapeOf(planFor([server(60), emptier, fuller]))).toEqual({ ...nothing, undrain, stop: [emptier.id] });
    expect(shapeOf(planFor([server(150), emptier, fuller]))).toEqual({
      ...nothing,
      undrain: [fuller.id, emptier.id],
      start: 1,
    });
  });

  test('more than there may be are drained at once', () => {
    const servers = [server(20), server(5), server(20)];
    expect(shapeOf(planFor(servers, { max: 2, scaleInAfter: 60 * MINUTE }))).toEqual({
      ...nothing,
      drain: [servers[1]!.id],
    });
  });
});

describe('failure', () => {
  test('starts are tried again ever more rarely, and one at a time after five', () => {
    const history = new HistoryRecorder(60 * MINUTE);
    const starts = (): number => planFor([server(300)], {}, { history }).start.length;
    expect(starts()).toBeGreaterThan(4);
    history.failed(undefined, NOW - 5 * SECOND, NOW - 4 * SECOND);
    expect(starts()).toBe(0);
    history.failures.set(undefined, { inRow: 1, latest: NOW - 5 * SECOND });
    expect(starts()).toBeGreaterThan(4);
    history.failures.set(undefined, { inRow: 5, latest: NOW - 79 * SECOND });
    expect(starts()).toBe(0);
    history.failures.set(undefined, { inRow: 5, latest: NOW - 80 * SECOND });
    expect(starts()).toBe(1);
    const servers = [server(300), server(0, { phase: 'starting', since: NOW })];
    expect(planFor(servers, {}, { history }).start).toHaveLength(0);
    expect(nextStartAt({ inRow: 50, latest: NOW })).toBe(NOW + 10 * MINUTE);
  });

  test('a server that does not connect is given up', () => {
    const servers = [server(60), server(0, { phase: 'starting', since: NOW - 2 * MINUTE })];
    expect(shapeOf(planFor(servers, { startTimeout: 2 * MINUTE }))).toEqual({
      ...nothing,
      stop: [servers[1]!.id],
    });
  });

  test('a machine that has vanished is replaced at once, and stopped after a while', () => {
    const history = new HistoryRecorder(60 * MINUTE);
    history.observe(snapshotOf([server(40), server(40)]), [undefined], NOW - 10 * SECOND);
    const after = (since: number): object =>
      shapeOf(
        plan(
          snapshotOf([server(40), server(0, { id: 'gone', phase: 'lost', since })]),
          history,
          { max: 4, headroom: 0.2 },
          NOW,
        ),
      );
    expect(after(NOW - 5 * SECOND)).toEqual({ ...nothing, start: 1 });
    expect(after(NOW - 31 * SECOND)).toEqual({ ...nothing, start: 1, stop: ['gone'] });
  });

  test('a server that may well live is not stopped', () => {
    expect(shapeOf(planFor([server(10), server(10, { phase: 'unreachable' })]))).toEqual(nothing);
  });
});

describe('regions', () => {
  const regions = { eu: {}, us: { min: 0, max: 2, headroom: 0.5 } };

  test('each has its own people, bounds and headroom', () => {
    const planned = planFor([server(50, { region: 'eu' }), server(31, { region: 'us' })], { regions });
    expect(planned.start.map(({ region }) => region)).toEqual(['eu', 'us']);
    const full = [server(400, { region: 'us' }), server(10, { region: 'eu' })];
    expect(planFor(full, { regions }).start.map(({ region }) => region)).toEqual(['us']);
    expect(planFor(full, { regions, max: 2 }).start).toEqual([]);
    expect(planFor([], { regions }).start.map(({ region }) => region)).toEqual(['eu']);
  });
});

test.each([
  [{ max: 0 }, 'max must be an integer, 1 or more'],
  [{ max: 2, min: 3 }, 'min must be an integer, from 0 to max (2)'],
  [{ max: 2, headroom: 1 }, 'headroom must be a number from 0 to less than 1'],
  [{ max: 2, scaleInAfter: -1 }, 'scaleInAfter must be a number of milliseconds'],
  [{ max: 2, regions: {} }, 'regions must be an object with at least one region'],
  [{ max: 2, regions: { eu: { mix: 1 } } }, 'regions.eu: unknown option mix, do you mean m'],
  [{ max: 2, regions: { eu: { max: 0 } } }, 'regions.eu.max must be an integer'],
])('%j is refused', (options, message) => {
  expect(() => plan(snapshotOf([]), new HistoryRecorder(0), options as PlanOptions, NOW)).toThrow(message);
});

describe('imaginary days', () => {
  test('a conference day: nobody is refused or cut, for a quarter more than the least that could do', () => {
    const day = new Simulation(conferenceDay(), { max: 50 }, { boot: 60, maxLoad: 90 }).run();
    expect([day.refused, day.cut]).toEqual([0, 0]);
    expect(day.most).toBeGreaterThan(10);
    expect(day.ratio).toBeLessThanOrEqual(1.25);
  });

  test.each([4, 6])(
    'noise drains no server within ten minutes of a start, and ends none that is needed again (seed %d)',
    seed => {
      const { events, starts } = new Simulation({ ...noise(seed), length: 12 * HOUR }, { max: 50 }, { boot: 60 }).run();
      const times = (...kinds: string[]): number[] =>
        events.flatMap(({ at, what }) => (kinds.includes(what) ? [at] : []));
      expect(starts).toBeGreaterThan(0);
      for (const drained of times('drain'))
        expect(times('start', 'undrain').filter(at => at <= drained && at > drained - 600)).toEqual([]);
      for (const stopped of times('stop'))
        expect(times('start').filter(at => at >= stopped && at < stopped + 600)).toEqual([]);
    },
  );

  test('a burst is one need, and nobody is refused', () => {
    const { refused, starts } = new Simulation(
      { ...burst(), length: 12 * HOUR },
      { max: 50 },
      { boot: 60, maxLoad: 90 },
    ).run();
    expect(refused).toBe(0);
    expect(starts).toBeLessThanOrEqual(2);
  });

  test('starts that fail, at random and all of them for a time, never lead to more than there may be', () => {
    const day = { ...conferenceDay(), length: 11 * HOUR };
    const broken = new Simulation(day, { max: 3 }, { boot: 30, maxLoad: 90, fails: start => start % 3 !== 0 });
    expect(broken.run().most).toBeLessThanOrEqual(3);
    const never = new Simulation(day, { max: 3 }, { boot: 5, fails: () => true }).run();
    const failures = never.events.filter(({ what }) => what === 'fail').map(({ at }) => at);
    const gaps = failures.slice(1).map((at, index) => at - failures[index]!);
    // 5 s, 10 s, … and 10 min from the eighth failure on; the boot comes on top.
    expect(gaps.length).toBeGreaterThan(10);
    expect(gaps.slice(0, 3).map(gap => gap >= 10)).toEqual([true, true, true]);
    expect(Math.min(...gaps.slice(7))).toBeGreaterThanOrEqual(600);
  });
});
