import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { GraceTimers } from '../../../src/core/graceTimers.ts';

describe('GraceTimers', () => {
  let elapsed: string[];
  let timers: GraceTimers<string>;

  beforeEach(() => {
    jest.useFakeTimers();
    elapsed = [];
    timers = new GraceTimers(100, thing => elapsed.push(thing));
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  test('tell once, when the time is over', () => {
    timers.start('a');
    jest.advanceTimersByTime(99);
    expect([elapsed, timers.size]).toEqual([[], 1]);
    jest.advanceTimersByTime(1);
    expect([elapsed, timers.size]).toEqual([['a'], 0]);
    jest.advanceTimersByTime(1000);
    expect(elapsed).toEqual(['a']);
  });

  test('begin anew with each start', () => {
    timers.start('a');
    jest.advanceTimersByTime(60);
    timers.start('a');
    timers.start('b');
    jest.advanceTimersByTime(60);
    expect([elapsed, timers.size]).toEqual([[], 2]);
    jest.advanceTimersByTime(40);
    expect(elapsed).toEqual(['a', 'b']);
  });

  test('can be cancelled, one or all', () => {
    timers.start('a');
    timers.start('b');
    timers.start('c');
    timers.cancel('b');
    timers.cancel('never started');
    expect(timers.size).toBe(2);
    timers.clear();
    expect(timers.size).toBe(0);
    jest.advanceTimersByTime(1000);
    expect(elapsed).toEqual([]);
  });

  test('can be started again by whoever they tell', () => {
    let left = 2;
    const again: GraceTimers<string> = new GraceTimers(100, thing => {
      elapsed.push(thing);
      if (--left > 0) again.start(thing);
    });
    again.start('a');
    jest.advanceTimersByTime(1000);
    expect([elapsed, again.size]).toEqual([['a', 'a'], 0]);
  });
});

test('GraceTimers do not keep the process running', () => {
  const timers = new GraceTimers(60_000, () => undefined);
  const before = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
  timers.start('a');
  expect(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length).toBe(before);
  timers.clear();
});
