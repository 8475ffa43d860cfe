import { expect, test } from '@jest/globals';
import { checkDuration, MAX_DURATION_MS } from '../../../src/api/checkDuration.ts';

test.each([undefined, 5, MAX_DURATION_MS])('%p is a duration of 5 ms or more, or none', value => {
  expect(() => checkDuration('timeout', value, 5)).not.toThrow();
});

test.each([4, -1, NaN, Infinity, MAX_DURATION_MS + 1, '5', null])('%p is none', value => {
  expect(() => checkDuration('timeout', value, 5)).toThrow(
    new TypeError(`if given, timeout must be a number of milliseconds, from 5 to ${MAX_DURATION_MS}`),
  );
});
