import { expect, jest, test } from '@jest/globals';
import { Refusal } from '../../../../src/remote/client/refusal.ts';

test('a client that is closed makes no attempt any more, whatever its server says until the end', () => {
  jest.useFakeTimers();
  try {
    const retry = jest.fn();
    const refusal = new Refusal('ws://server', retry);
    refusal.pause();
    jest.runAllTimers();
    expect(retry).toHaveBeenCalledTimes(1);
    refusal.pause();
    refusal.close();
    refusal.pause();
    refusal.note('full', false);
    expect(jest.getTimerCount()).toBe(0);
    expect(retry).toHaveBeenCalledTimes(1);
  } finally {
    jest.useRealTimers();
  }
});
