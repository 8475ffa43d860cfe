import { expect, test } from '@jest/globals';
import { WaitingJoins } from '../../../src/autoscale/waitingJoins.ts';

test('joins are counted by region until they look again, or have nothing to wait for', async () => {
  const waiting = new WaitingJoins(60_000);
  const waits = [{ region: 'eu' }, { region: 'eu' }, {}].map(call => waiting.wait({ ...call, waited: 0 }));
  expect(waiting.counts).toEqual([{ region: 'eu', count: 2 }, { count: 1 }]);
  waiting.release(region => region === 'eu');
  expect(await waits[2]).toBe(false);
  expect(waiting.size).toBe(2);
  waiting.lookAgain();
  expect(await Promise.all(waits.slice(0, 2))).toEqual([true, true]);
  expect(waiting.counts).toEqual([]);
});

test('the time that was waited counts', async () => {
  const waiting = new WaitingJoins(1000);
  expect(await waiting.wait({ waited: 1000 })).toBe(false);
  expect(await waiting.wait({ waited: 990 })).toBe(false);
  expect(waiting.size).toBe(0);
});
