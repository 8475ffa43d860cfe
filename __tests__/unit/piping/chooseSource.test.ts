import { expect, test } from '@jest/globals';
import type { Producer, Router } from 'mediasoup/types';
import { chooseSource } from '../../../src/piping/chooseSource.ts';
import type { StreamInRouter } from '../../../src/piping/streams.ts';

/** A tree of places, each with the one that it is piped from. */
function places(tree: Record<string, string | undefined>): StreamInRouter[] {
  return Object.entries(tree).map(([id, from]) => ({
    id: 'stream',
    producer: {} as Producer,
    router: { id } as Router,
    piped: from !== undefined,
    from,
  }));
}

test.each([
  ['the original, while it has room', { a: undefined, b: 'a' }, { a: 59, b: 0 }, 'a'],
  ['a Router that has it from a busy original', { a: undefined, b: 'a' }, { a: 60, b: 10 }, 'b'],
  ['the least loaded of those that are equally near', { a: undefined, b: 'a', c: 'a' }, { a: 90, b: 30, c: 20 }, 'c'],
  ['fan-out before depth', { a: undefined, b: 'a', c: 'b', d: 'c' }, { a: 90, b: 50, c: 1, d: 0 }, 'b'],
  ['the next level, once a level is full', { a: undefined, b: 'a', c: 'b' }, { a: 90, b: 70, c: 30 }, 'c'],
  ['the least loaded of all, if none has room', { a: undefined, b: 'a', c: 'b' }, { a: 90, b: 70, c: 80 }, 'b'],
  ['what is piped from somewhere that is not known here', { a: undefined, b: 'elsewhere' }, { a: 70, b: 10 }, 'b'],
  ['something, even where the links go round', { a: 'b', b: 'a' }, { a: 10, b: 5 }, 'b'],
  [
    'nothing that is four pipes away',
    { a: undefined, b: 'a', c: 'b', d: 'c', e: 'd' },
    { a: 90, b: 70, c: 80, d: 99, e: 5 },
    'b',
  ],
  [
    'something, even where long ways go round',
    { a: 'e', b: 'a', c: 'b', d: 'c', e: 'd' },
    { a: 9, b: 7, c: 8, d: 9, e: 5 },
    'e',
  ],
])('chooses %s', (_what, tree, loads, expected) => {
  const loadOf = ({ id }: Router): number => (loads as Record<string, number>)[id]!;
  expect(chooseSource(places(tree), { loadOf, watermark: 60 })?.router.id).toBe(expected);
});

test.each([
  ['the next best, where the best does not reach it', ['a'], 'b'],
  ['a busy one, where no other reaches it', ['a', 'b'], 'c'],
  ['none, where none reaches it', ['a', 'b', 'c'], undefined],
])('chooses %s', (_what, cut, expected) => {
  const tree = places({ a: undefined, b: 'a', c: 'b' });
  const loadOf = ({ id }: Router): number => ({ a: 10, b: 20, c: 99 })[id]!;
  expect(chooseSource(tree, { loadOf, watermark: 60, reaches: ({ id }) => !cut.includes(id) })?.router.id).toBe(
    expected,
  );
});

test('a place that has its share of pipes has no room, whatever its load is', () => {
  const tree = places({ a: undefined, b: 'a', c: 'b' });
  const full = new Set(['a']);
  const choose = (): string | undefined =>
    chooseSource(tree, { loadOf: () => 0, watermark: 60, isFull: ({ id }) => full.has(id) })?.router.id;
  expect(choose()).toBe('b');
  full.add('b').add('c');
  expect(choose()).toBe('a');
});

test('where everything is full, the next one is piped from near the origin, unless that is far more loaded', () => {
  const tree: Record<string, string | undefined> = { r0: undefined };
  const load: Record<string, number> = { r0: 99 };
  for (let index = 1; index <= 12; ++index) {
    const source = chooseSource(places(tree), { loadOf: ({ id }) => load[id]!, watermark: 60 })!.router.id;
    load[source]! += 1;
    tree[`r${index}`] = source;
    load[`r${index}`] = 90;
  }
  const depth = (id: string): number => (tree[id] === undefined ? 0 : 1 + depth(tree[id]));
  expect(Math.max(...Object.keys(tree).map(depth))).toBe(2);
});

test('many destinations make a shallow tree, not a chain', () => {
  const load: Record<string, number> = { r0: 50 };
  const tree: Record<string, string | undefined> = { r0: undefined };
  for (let index = 1; index <= 12; ++index) {
    const source = chooseSource(places(tree), { loadOf: ({ id }) => load[id]!, watermark: 60 })!.router.id;
    load[source]! += 6;
    tree[`r${index}`] = source;
    load[`r${index}`] = 45;
  }
  const depth = (id: string): number => (tree[id] === undefined ? 0 : 1 + depth(tree[id]));
  // Each takes two or three: the third level is reached, and no more is needed.
  expect(Math.max(...Object.keys(tree).map(depth))).toBeLessThanOrEqual(3);
});
