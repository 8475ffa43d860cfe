import { describe, expect, test } from '@jest/globals';
import * as root from '../../../src/index.ts';
import * as module from '../../../src/placement/strategies.ts';
import {
  concentrate,
  leastLoaded,
  regionFirst,
  strategies,
  twoChoices,
  type NodeState,
  type PlacementRequest,
} from '../../../src/placement/strategies.ts';
import { seededRandom } from '../../helpers/random.ts';

function node(id: string, load: number, hasRouter = false, placed = 0): NodeState {
  return { id, load, placed, hasRouter };
}

/** Nodes as their load, their region, a `*` if they are used, and how many streams that are wanted near they have: `50eu*+2`. */
function nodes(...list: string[]): NodeState[] {
  return list.map(text => {
    const [, load, region, star, near] = /^(\d+)([a-z]*)(\*?)(?:\+(\d+))?$/.exec(text)!;
    return {
      id: text,
      load: Number(load),
      placed: 0,
      hasRouter: star !== '',
      region: region || undefined,
      near: Number(near ?? 0),
    };
  });
}

const request: PlacementRequest = { mafaldaRouterId: 'room', watermark: 66 };
const all = Object.entries(strategies);

test('each strategy of the module is among `strategies`, and the package exports it by its name', () => {
  const functions = Object.entries(module).filter(([, value]) => typeof value === 'function');
  expect(Object.fromEntries(functions)).toEqual(strategies);
  expect(root).toMatchObject(strategies);
});

describe('concentrate', () => {
  test.each([
    ['the fullest with room', [node('a', 5), node('b', 40), node('c', 80)], 'b'],
    ['the one that the MafaldaRouter uses already', [node('a', 5, true), node('b', 40)], 'a'],
    ['another one when that is full', [node('a', 66, true), node('b', 40)], 'b'],
    ['the least loaded when all are full', [node('a', 99, true), node('b', 70)], 'b'],
    ['the only one', [node('a', 100)], 'a'],
    ['this machine, while it has room', [node('a', 5), { ...node('b', 0), local: true }, node('c', 60, true)], 'b'],
    ['another one when this machine is full', [node('a', 5), { ...node('b', 66, true), local: true }], 'a'],
    ['this machine, if all are full and it least', [node('a', 90), { ...node('b', 70), local: true }], 'b'],
  ])('chooses %s', (_what, candidates, expected) => {
    expect(concentrate(candidates, request)?.id).toBe(expected);
  });
});

describe('leastLoaded', () => {
  test.each([
    ['the least loaded', [node('a', 50), node('b', 40), node('c', 80)], 'b'],
    [
      'one that is used, where another is not worth the pipes',
      [node('a', 45, true), node('b', 40), node('c', 80)],
      'a',
    ],
    ['another one where it is', [node('a', 55, true), node('b', 40), node('c', 80)], 'b'],
    ['another one where that is above the watermark', [node('a', 67, true), node('b', 65)], 'b'],
    ['of the same load the one that had least', [node('a', 5, true, 9), node('b', 5, true, 2)], 'b'],
  ])('chooses %s', (_what, candidates, expected) => {
    expect(leastLoaded(candidates, request)?.id).toBe(expected);
  });
});

test('of equals leastLoaded takes each as often, and without a seed the first one', () => {
  const candidates = nodes('5', '5', '5', '9');
  const counts = candidates.map(() => 0);
  for (let seed = 0; seed < 3000; ++seed) ++counts[candidates.indexOf(leastLoaded(candidates, { ...request, seed })!)]!;
  expect(counts[3]).toBe(0);
  for (const times of counts.slice(0, 3)) expect(Math.abs(times - 1000)).toBeLessThan(150);
  expect(leastLoaded(candidates, request)).toBe(candidates[0]);
});

describe('twoChoices', () => {
  /** How often each of the nodes is chosen. */
  function count(candidates: NodeState[], times: number, mafaldaRouterId = 'room'): number[] {
    const counts = candidates.map(() => 0);
    for (let seed = 0; seed < times; ++seed)
      ++counts[candidates.indexOf(twoChoices(candidates, { ...request, mafaldaRouterId, seed })!)]!;
    return counts;
  }

  test('picks any two of them, equally often, and never one twice', () => {
    // The fullest is never the better one of two, the emptiest is in half of all pairs.
    const [fullest, third, second, emptiest] = count(nodes('40', '30', '20', '10'), 6000) as [
      number,
      number,
      number,
      number,
    ];
    expect(fullest).toBe(0);
    for (const [times, pairs] of [
      [third, 1],
      [second, 2],
      [emptiest, 3],
    ] as const) {
      expect(Math.abs(times - pairs * 1000)).toBeLessThan(150);
    }
  });

  test('picks others for another MafaldaRouter', () => {
    const candidates = nodes('10', '20', '30', '40', '50', '60');
    const picks = (mafaldaRouterId: string): (string | undefined)[] =>
      Array.from({ length: 20 }, (_, seed) => twoChoices(candidates, { ...request, mafaldaRouterId, seed })?.id);
    expect(picks('room')).not.toEqual(picks('other'));
  });

  test('stays where the MafaldaRouter is, while others are not worth the pipes', () => {
    expect(count(nodes('20', '25*', '16', '30'), 100)).toEqual([0, 100, 0, 0]);
    expect(count(nodes('20', '45*'), 100)).toEqual([100, 0]);
  });

  test('leaves out what is above the watermark, while another has room', () => {
    expect(count(nodes('70', '66', '20', '99', '65'), 100)).toEqual([0, 0, 100, 0, 0]);
    expect(count(nodes('70', '66'), 100)).toEqual([0, 100]);
    expect(count(nodes('70'), 1)).toEqual([1]);
  });
});

describe('regionFirst', () => {
  test.each([
    ['the fullest of the region that is wished for', 'eu', nodes('50us', '10eu', '30eu'), '30eu'],
    ['of these the one that is used already', 'eu', nodes('50us*', '10eu*', '30eu'), '10eu*'],
    ['another one when all there are above the watermark', 'eu', nodes('20us', '70eu', '66eu*'), '20us'],
    ['rather in a region where the MafaldaRouter is', 'eu', nodes('50as', '20us', '70eu*', '30us*'), '30us*'],
    ['the least loaded of all when none has room', 'eu', nodes('90us', '99eu', '80'), '80'],
    ['without a wish, the region where the MafaldaRouter is', undefined, nodes('60us', '30eu', '66eu*', '50'), '30eu'],
    ['without a wish or a Router, the fullest', undefined, nodes('60us', '30eu', '50'), '60us'],
    ['where nobody has a region, as concentrate does', undefined, nodes('60', '66*', '30'), '60'],
  ])('chooses %s', (_what, region, candidates, expected) => {
    expect(regionFirst(candidates, { ...request, region })?.id).toBe(expected);
  });
});

describe.each(all)('%s', (_name, strategy) => {
  test.each([
    ['the region', { region: 'eu' }, nodes('5us', '30us*', '10eu', '40us'), '10eu'],
    ['the region, but not above the watermark', { region: 'eu' }, nodes('5', '70eu'), '5'],
    ['a region where nobody is', { region: 'as' }, nodes('5us'), '5us'],
    ['whoever has most of the streams', { near: ['a', 'b', 'c'] }, nodes('5+1', '30*', '40+2', '10'), '40+2'],
    [
      'whoever has most of the streams, but not above the watermark',
      { near: ['a', 'b'] },
      nodes('5', '50+1', '70+2'),
      '50+1',
    ],
    [
      'streams in the region before those elsewhere',
      { region: 'eu', near: ['a', 'b'] },
      nodes('5us+2', '50eu+1', '20eu'),
      '50eu+1',
    ],
  ])('heeds the wish for %s', (_what, wish, candidates, expected) => {
    for (let seed = 0; seed < 20; ++seed)
      expect(strategy(candidates, { ...request, ...wish, seed })?.id).toBe(expected);
  });

  test('is pure, and chooses one of a thousand imaginary nodes', () => {
    const random = seededRandom(1);
    const candidates = Array.from({ length: 1000 }, (_, index) => ({
      ...node(String(index), random() * 100, random() < 0.1, Math.floor(random() * 100)),
      region: ['eu', 'us', undefined][Math.floor(random() * 3)],
      near: Math.floor(random() * 3),
    }));
    const frozen = Object.freeze(candidates.map(state => Object.freeze(state)));
    for (const wish of [{}, { region: 'eu' }, { near: ['a', 'b'] }, { seed: 7 }]) {
      const choice = strategy(frozen, { ...request, ...wish });
      expect(frozen).toContain(choice);
      for (let round = 0; round < 3; ++round) expect(strategy([...frozen], { ...request, ...wish })).toBe(choice);
    }
  });
});
