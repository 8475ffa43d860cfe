import { expect, test } from '@jest/globals';
import type { Producer, Router } from 'mediasoup/types';
import { FormerPaths } from '../../../../src/piping/delegation/formerPaths.ts';
import type { StreamInRouter } from '../../../../src/piping/streams.ts';

const places = (...ids: string[]): StreamInRouter[] =>
  ids.map(id => ({ id: 'stream', producer: {} as Producer, router: { id } as Router, piped: true, from: undefined }));

test.each([
  ['the grandparent first, where the parent has gone', ['origin', 'other', 'grandparent'], ['grandparent', 'origin']],
  ['the origin, where both have gone', ['other', 'origin'], ['origin']],
  ['nothing, where all have gone', ['other'], []],
  ['nothing, where the parent is still there', ['origin', 'parent', 'grandparent'], []],
])('a lost path leads to %s', (_what, present, expected) => {
  const paths = new FormerPaths();
  paths.note('stream to here', ['origin', 'grandparent', 'parent']);
  expect(paths.left('stream to here', places(...present)).map(({ router }) => router.id)).toEqual(expected);
  expect(paths.left('stream to elsewhere', places(...present))).toEqual([]);
});

test('the latest thousand are remembered', () => {
  const paths = new FormerPaths();
  for (let index = 0; index <= 1000; ++index) paths.note(`${index}`, ['origin', 'parent']);
  paths.note('1', ['elsewhere', 'parent']);
  const present = places('origin', 'elsewhere');
  const left = (key: string): string[] => paths.left(key, present).map(({ router }) => router.id);
  expect([left('0'), left('1'), left('1000')]).toEqual([[], ['elsewhere'], ['origin']]);
});
