import { describe, expect, test } from '@jest/globals';
import { placeOnWorker } from '../../../src/placement/placeOnWorker.ts';
import type { Candidate } from '../../../src/placement/selection.ts';

interface Named extends Candidate {
  name: string;
}

function worker(name: string, load: number, hasRouter = false, placed = 0): Named {
  return { name, load, placed, hasRouter };
}

const [a, b, c] = [worker('a', 10), worker('b', 50), worker('c', 90)];
const [A, B, C] = [worker('A', 10, true), worker('B', 50, true), worker('C', 90, true)];

describe('placeOnWorker()', () => {
  test.each([
    ['a new Worker where there is none', [], true, 'new'],
    ['nowhere without a Worker or the right to make one', [], false, undefined],
    ['the fullest with room', [a, b, c], true, 'b'],
    ['the one it uses already', [A, b, c], true, 'A'],
    ['the fullest that it uses already', [A, B, c], true, 'B'],
    ['an unused one with room rather than a used one without', [C, a], true, 'a'],
    ['a new one when all are full', [C, c], true, 'new'],
    ['the least loaded when all are full and no new one is allowed', [C, worker('d', 80)], false, 'd'],
    ['the one with less on it when all are as full', [worker('e', 80, true, 3), worker('f', 80, false, 1)], false, 'f'],
  ] as const)('%s', (_what, workers, mayCreateWorker, expected) => {
    const choice = placeOnWorker({ workers, watermark: 60, mayCreateWorker });
    expect(typeof choice === 'object' ? choice.name : choice).toBe(expected);
  });

  test('with watermark 0 every Worker is full', () => {
    expect(placeOnWorker({ workers: [worker('idle', 0, true)], watermark: 0, mayCreateWorker: true })).toBe('new');
  });
});
