import { expect, test } from '@jest/globals';
import { measure, shortened } from '../../../../src/remote/protocol/measure.ts';

test('values and Buffers are counted, however deep they are', () => {
  expect(measure(['a', { b: [1, null], c: Buffer.alloc(10) }])).toMatchObject({ values: 7, buffers: 1 });
  let deep: unknown = 0;
  for (let depth = 0; depth < 100_000; ++depth) deep = [deep];
  expect(measure(deep).values).toBe(100_001);
});

test.each<[unknown, unknown]>([
  ['short', 'longer than short'],
  [[1], [1, 2]],
  [{ a: 1 }, { aLongName: 1 }],
  [Buffer.alloc(1), Buffer.alloc(2)],
])('%p takes fewer bytes than %p', (less, more) => {
  expect(measure(less).bytes).toBeLessThan(measure(more).bytes);
});

test.each([['text'], [{ name: 'value', list: [1, 2, 3] }], [['a', 'b', 'c']]])(
  'of %p no fewer bytes are counted than it has on the wire',
  value => {
    expect(measure(value).bytes).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(value)));
  },
);

test('a long text is cut off, a short one is not', () => {
  expect([shortened('four', 4), shortened('fifth', 4)]).toEqual(['four', 'fift…']);
});
