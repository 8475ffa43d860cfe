/** An order by chance, of the same members. */
import { expect, test } from '@jest/globals';
import { shuffled } from '../../../src/core/shuffled.ts';

test('all members are there, in any order', () => {
  const members = [1, 2, 3];
  const orders = new Set(Array.from({ length: 500 }, () => shuffled(members).join()));
  expect(orders.size).toBe(6);
  expect(members).toEqual([1, 2, 3]);
});
