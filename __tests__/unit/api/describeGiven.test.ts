import { expect, test } from '@jest/globals';
import { describeGiven } from '../../../src/api/describeGiven.ts';

test.each([
  [undefined, 'it is missing', 'it is missing'],
  [null, 'it is null', 'it is null'],
  ['', 'it is an empty string', 'it is an empty string'],
  ['4443', 'it is "4443" (a string)', 'it is a string'],
  [42, 'it is 42 (a number)', 'it is a number'],
  [NaN, 'it is NaN (a number)', 'it is a number'],
  [true, 'it is true (a boolean)', 'it is a boolean'],
  [12n, 'it is 12n (a bigint)', 'it is a bigint'],
  [['s3cret'], 'it is an array of 1', 'it is an array of 1'],
  [{ a: 1 }, 'it is an object', 'it is an object'],
  [Object.create(null), 'it is an object', 'it is an object'],
  [new Map(), 'it is an object of class Map', 'it is an object of class Map'],
  [() => 1, 'it is a function', 'it is a function'],
])('%p', (value, shown, hidden) => {
  expect(describeGiven(value)).toBe(shown);
  expect(describeGiven(value, true)).toBe(hidden);
});

test('a long text is cut', () => {
  expect(describeGiven('x'.repeat(1000)).length).toBeLessThan(80);
});
