import { describe, expect, test } from '@jest/globals';
import { concentrate, leastLoaded, type NodeState } from '../../../src/horizontal/strategies.ts';
import { seededRandom } from '../../helpers/random.ts';

function node(id: string, load: number, hasRouter = false, placed = 0): NodeState {
  return { id, load, placed, hasRouter };
}

const request = { mafaldaRouterId: 'room', watermark: 66 };

describe('concentrate', () => {
  test.each([
    ['the fullest with room', [node('a', 5), node('b', 40), node('c', 80)], 'b'],
    ['the one that the MafaldaRouter uses already', [node('a', 5, true), node('b', 40)], 'a'],
    ['another one when that is full', [node('a', 66, true), node('b', 40)], 'b'],
    ['the least loaded when all are full', [node('a', 99, true), node('b', 70)], 'b'],
    ['the only one', [node('a', 100)], 'a'],
  ])('chooses %s', (_what, candidates, expected) => {
    expect(concentrate(candidates, request)?.id).toBe(expected);
  });
});

describe('leastLoaded', () => {
  test.each([
    ['the least loaded, used or not', [node('a', 50, true), node('b', 40), node('c', 80)], 'b'],
    ['of the same load the one that had least', [node('a', 5, true, 9), node('b', 5, false, 2)], 'b'],
  ])('chooses %s', (_what, candidates, expected) => {
    expect(leastLoaded(candidates, request)?.id).toBe(expected);
  });
});

describe.each(Object.entries({ concentrate, leastLoaded }))('%s', (_name, strategy) => {
  test('is pure, and chooses one of a thousand imaginary nodes', () => {
    const random = seededRandom(1);
    const nodes = Array.from({ length: 1000 }, (_, index) =>
      node(String(index), random() * 100, random() < 0.1, Math.floor(random() * 100)),
    );
    const frozen = Object.freeze(nodes.map(state => Object.freeze(state)));
    const choice = strategy(frozen, request);
    expect(frozen).toContain(choice);
    for (let round = 0; round < 3; ++round) expect(strategy([...frozen], request)).toBe(choice);
  });
});
