import { describe, expect, test } from '@jest/globals';
import { byLoad, emptiest, fullestWithRoom, type Candidate } from '../../../src/placement/selection.ts';

/** A candidate as `load/placed`, with a `*` if it has a Router. */
function candidates(...list: string[]): Candidate[] {
  return list.map(text => {
    const [load, placed] = text.replace('*', '').split('/').map(Number);
    return { load: load!, placed: placed ?? 0, hasRouter: text.endsWith('*') };
  });
}

describe('fullestWithRoom()', () => {
  test.each([
    ['nothing to choose from', [], undefined],
    ['the fullest below the watermark', ['10', '50', '70'], 1],
    ['one that is used already before a fuller one that is not', ['10*', '50', '70'], 0],
    ['the fullest of those that are used already', ['10*', '50*', '55'], 1],
    ['not the one at the watermark', ['60*', '1'], 1],
    ['none when all are above', ['60', '61*', '100'], undefined],
    ['of the same load the one with more on it', ['10/1', '10/3', '10/2'], 1],
  ] as const)('%s', (_what, list, expected) => {
    const from = candidates(...list);
    expect(fullestWithRoom(from, 60)).toBe(expected === undefined ? undefined : from[expected]);
  });
});

describe('emptiest()', () => {
  test.each([
    ['nothing to choose from', [], undefined],
    ['the least loaded', ['10', '5', '7*'], 1],
    ['of the same load the one that had least', ['5/3', '5/1', '5/2'], 1],
    ['the first of equals', ['5/1', '5/1'], 0],
  ] as const)('%s', (_what, list, expected) => {
    const from = candidates(...list);
    expect(emptiest(from)).toBe(expected === undefined ? undefined : from[expected]);
  });
});

test('what they choose from is left as it was', () => {
  const from = candidates('30', '10', '20*');
  const copy = [...from];
  fullestWithRoom(Object.freeze(from), 60);
  emptiest(from);
  expect(from).toEqual(copy);
  expect([...from].sort(byLoad).map(({ load }) => load)).toEqual([10, 20, 30]);
});
