import { describe, expect, test } from '@jest/globals';
import { choose, decide, MAX_SHARES, type Branch, type Serving } from '../../../../src/piping/delegation/policy.ts';

const branch = (routerId: string, load = 0, sentAt = 0): Branch => ({ routerId, load, sentAt });
const place = (given: Partial<Serving> = {}): Serving => ({
  path: [],
  load: 10,
  watermark: 60,
  pipes: 0,
  fanOut: 2,
  branches: [],
  ...given,
});
const asking = { routers: ['asker'], asked: [] as string[], must: false };
const idsOf = (serving: Serving, given = {}): string[] | undefined =>
  decide(serving, { ...asking, ...given })?.candidates.map(({ routerId }) => routerId);

describe('a place', () => {
  test('serves as long as it has room', () => {
    expect(decide(place(), asking)).toBeUndefined();
    expect(decide(place({ pipes: 1, branches: [branch('a')] }), asking)).toBeUndefined();
  });

  test.each([
    ['has its share of pipes', { pipes: 2 }, 100],
    ['is loaded', { load: 90 }, 150],
    ['must not be loaded', { load: 20, watermark: 0 }, 2000],
  ])('that %s sends askers to the places below', (_why, state, share) => {
    const branches = [branch('a'), branch('b')];
    expect(decide(place({ ...state, branches }), asking)).toEqual({
      candidates: ['a', 'b'].map(routerId => ({ routerId, url: undefined, depth: 1, load: 0 })),
      share,
    });
  });

  test('that is busy, as all are that it serves, serves as well as they would, up to its share of pipes', () => {
    const branches = [branch('a', 85), branch('b', 95)];
    expect(idsOf(place({ load: 90, pipes: 1, branches }))).toBeUndefined();
    expect(idsOf(place({ load: 90, pipes: 2, branches }))).toEqual(['a', 'b']);
    expect(idsOf(place({ load: 96, pipes: 1, branches }))).toEqual(['a', 'b']);
  });

  test('spreads askers, prefers branches with room, and names three at most', () => {
    const branches = [branch('a', 0, 3), branch('b', 90, 0), branch('c', 5, 1), branch('d', 9, 2), branch('e', 1, 1)];
    expect(idsOf(place({ pipes: 9, branches }))).toEqual(['e', 'c', 'd']);
  });

  test('sends nobody where it was already, or to itself', () => {
    const branches = ['a', 'asker', 'b'].map(id => branch(id));
    expect(idsOf(place({ pipes: 9, branches }), { asked: ['a'] })).toEqual(['b']);
  });

  test('serves beyond its share if it must, up to a limit, whatever is claimed', () => {
    const must = { ...asking, must: true };
    expect(decide(place({ pipes: 2 * MAX_SHARES - 1, load: 99 }), must)).toBeUndefined();
    expect(decide(place({ pipes: 2 * MAX_SHARES }), must)).toEqual({ candidates: [], share: 100 * MAX_SHARES });
  });

  test('never serves an asker on its own path, which is sent towards the origin', () => {
    const behind = place({ path: ['origin', 'middle', 'asker', 'other'] });
    for (const must of [false, true])
      expect(decide(behind, { ...asking, must })).toEqual({
        candidates: ['origin', 'middle'].map((routerId, depth) => ({ routerId, depth, load: 0 })),
        share: Infinity,
      });
  });

  test('serves nobody from the maximal depth, and sends nobody there', () => {
    const path = ['origin', 'a', 'b', 'c'];
    expect(idsOf(place({ path }), { must: true })).toEqual(['origin', 'a', 'b']);
    expect(idsOf(place({ path: path.slice(0, 3), pipes: 2, branches: [branch('d')] }))).toEqual([]);
  });
});

test('an asker takes the candidate that is nearest to the origin, of those with room', () => {
  const candidates = [
    { routerId: 'deep', depth: 2, load: 0 },
    { routerId: 'busy', depth: 1, load: 0 },
    { routerId: 'first', depth: 1, load: 0 },
    { routerId: 'second', depth: 1, load: 0 },
  ];
  const loads: Record<string, number> = { busy: 80 };
  const options = { watermark: 60, loadOf: ({ routerId }: { routerId: string }) => loads[routerId] ?? 0 };
  expect(choose(candidates, { ...options, asked: [] })?.routerId).toBe('first');
  expect(choose(candidates, { ...options, asked: ['first', 'second', 'deep'] })?.routerId).toBe('busy');
  expect(choose(candidates, { ...options, asked: candidates.map(({ routerId }) => routerId) })).toBeUndefined();
});
