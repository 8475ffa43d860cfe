import { expect, test } from '@jest/globals';
import { MemoryAccount } from '../../../../src/remote/protocol/memory.ts';
import { Outbox } from '../../../../src/remote/protocol/outbox.ts';
import { stepsOf } from '../../../helpers/steps.ts';

function filled(messages: number, memory = new MemoryAccount(Infinity)): Outbox<string> {
  const outbox = new Outbox<string>(memory);
  for (let number = 1; number <= messages; ++number)
    outbox.push({ number, message: String(number), at: 0, bytes: 10, wireBytes: 10, buffers: 0 });
  return outbox;
}

test.each([1000, 50_000])('%i messages that arrive one by one are moved once each, in the mean', messages => {
  const outbox = filled(messages);
  const steps = stepsOf(() => {
    for (let number = 1; number <= messages; ++number) outbox.forgetUpTo(number);
  });
  expect(outbox.length).toBe(0);
  expect(steps).toBeLessThanOrEqual(3 * messages);
});

test('what has not arrived is there by its number, in its order, and counted', () => {
  const memory = new MemoryAccount(Infinity);
  const outbox = filled(5000, memory);
  outbox.forgetUpTo(2999);
  expect([outbox.length, outbox.bytes, memory.bytes, outbox.oldest?.number]).toEqual([2001, 20_010, 20_010, 3000]);
  expect([outbox.at(3000)?.message, outbox.at(5000)?.message, outbox.at(5001), outbox.at(10)]).toEqual([
    '3000',
    '5000',
    undefined,
    undefined,
  ]);
  expect([...outbox].map(({ number }) => number).slice(0, 3)).toEqual([3000, 3001, 3002]);
  outbox.replace([]);
  expect([outbox.length, memory.bytes, outbox.at(1)]).toEqual([0, 0, undefined]);
});
