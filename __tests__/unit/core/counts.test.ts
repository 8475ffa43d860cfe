/** A name is there as long as anybody holds it. */
import { expect, test } from '@jest/globals';
import { Counts } from '../../../src/core/counts.ts';

test('a name is there from the first hold to the last', () => {
  const counts = new Counts();
  expect([counts.has('room'), counts.of('room')]).toEqual([false, 0]);
  counts.add('room');
  counts.add('room');
  counts.delete('room');
  expect([counts.has('room'), counts.of('room'), counts.has('other')]).toEqual([true, 1, false]);
  counts.delete('room');
  counts.delete('room');
  expect([counts.has('room'), counts.of('room')]).toEqual([false, 0]);
});
