import { expect, test } from '@jest/globals';
import { checkedPath, checkedRedirect } from '../../../../src/piping/delegation/checkedAnswers.ts';

const candidate = { routerId: 'router', url: 'wss://media-1.example', depth: 1, load: 12 };

test('a redirect keeps what is known of it', () => {
  const bare = { routerId: 'other', depth: 2, load: 0 };
  expect(
    checkedRedirect({
      candidates: [
        { ...candidate, more: 1 },
        { ...bare, url: null },
      ],
      share: 130,
    }),
  ).toEqual({
    candidates: [candidate, { ...bare, url: undefined }],
    share: 130,
  });
});

test.each<[unknown, number]>([
  [undefined, 0],
  ['redirect', 0],
  [{ candidates: 'abc', share: 'full' }, 0],
  [{ candidates: { length: 2 ** 32 }, share: NaN }, 0],
  [{ candidates: [null, 'router', { ...candidate, routerId: '' }] }, 0],
  [
    {
      candidates: [
        { ...candidate, load: -1 },
        { ...candidate, depth: 0.5 },
        { ...candidate, url: 4 },
      ],
    },
    0,
  ],
  [{ candidates: [{ ...candidate, load: NaN }, { ...candidate, routerId: 'r'.repeat(10_000) }, candidate] }, 1],
  [{ candidates: Array.from({ length: 100_000 }, () => candidate), share: -1 }, 3],
])('of %p it keeps what is usable', (value, count) => {
  const { candidates, share } = checkedRedirect(value);
  expect([candidates.length, share]).toEqual([count, Infinity]);
});

test('a path consists of ids, and is no longer than any real one', () => {
  expect([['origin', 'other'], []].map(checkedPath)).toEqual([['origin', 'other'], []]);
  for (const value of [undefined, 'origin', { length: 1 }, [''], [1], Array.from({ length: 33 }, () => 'id')])
    expect(checkedPath(value)).toBeUndefined();
});
