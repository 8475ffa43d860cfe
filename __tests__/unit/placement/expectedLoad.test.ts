import { beforeEach, expect, test } from '@jest/globals';
import { ExpectedLoad } from '../../../src/placement/expectedLoad.ts';
import { ImaginaryObject } from '../../helpers/imaginaryObjects.ts';

let now: number;
let expected: ExpectedLoad;

beforeEach(() => {
  now = 0;
  expected = new ExpectedLoad(
    () => 4,
    () => now,
  );
});

test('what is being created counts from the call on, and no longer when it has failed', () => {
  const ended = expected.transport();
  expect(expected.underway).toBe(1);
  expect(expected.load).toBeGreaterThan(0);
  ended(false);
  expect([expected.underway, expected.load]).toEqual([0, 0]);
});

test('what was created counts until a report must have it', () => {
  expected.transport()(true);
  const { load } = expected;
  now = 1000;
  expected.consumer();
  expect(expected.load).toBeGreaterThan(load);
  now = 1999;
  expected.measured();
  expect(expected.load).toBeGreaterThan(load);
  now = 2000;
  expected.measured();
  expect(expected.load).toBeGreaterThan(0);
  expect(expected.load).toBeLessThan(load);
  now = 3000;
  expected.measured();
  expect(expected.load).toBe(0);
});

test('what has closed counts no longer, nor what has shown twice', () => {
  const [early, late] = [new ImaginaryObject({}), new ImaginaryObject({})];
  expected.transport()(true, early);
  now = 1500;
  expected.transport()(true, late);
  const { load } = expected;
  now = 2000;
  expected.measured();
  expect(expected.load).toBe(load / 2);
  early.close();
  expect(expected.load).toBe(load / 2);
  late.close();
  expect(expected.load).toBe(0);
});

test('the same work is less of a node with more cores', () => {
  const larger = new ExpectedLoad(
    () => 8,
    () => now,
  );
  for (const node of [expected, larger]) node.transport();
  expect(larger.load).toBe(expected.load / 2);
});

test('a report of a node that expects the load of new objects itself has them', () => {
  expected.transport()(true);
  expected.transport();
  expected.consumer();
  expected.measured(true);
  // An object that is being created may not have arrived there.
  expect(expected.load).toBe(0.5);
});
