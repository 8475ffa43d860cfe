import { expect, test } from '@jest/globals';
import { measure } from '../../../../src/remote/protocol/measure.ts';
import { noteSizes, sizeOfArrived, textOf, write } from '../../../../src/remote/protocol/wireText.ts';

test('a message is written once, and its size is that of its JSON', () => {
  const message = { type: 'close', handle: 5, cause: undefined };
  expect(textOf(message)).toBeUndefined();
  const size = write(message);
  expect(textOf(message)).toBe('{"type":"close","handle":5}');
  expect(size.bytes).toBeGreaterThanOrEqual(27);
  expect(size.buffers).toBe(0);
  expect(measure(message).values).toBeLessThanOrEqual(size.values);
  expect(JSON.stringify(message)).toBe(textOf(message));
  for (const other of [null, undefined, 5, 'text', {}]) expect(textOf(other)).toBeUndefined();
});

test('what has arrived in a packet counts together for no less than the packet, and no more values are in it than counted', () => {
  const messages = [
    {
      type: 'add',
      addition: { state: { codecs: Array.from({ length: 50 }, (_, index) => ({ payloadType: index })) } },
    },
    { type: 'answer', id: 1, result: { $ref: 4 } },
  ];
  const { length } = JSON.stringify(messages);
  noteSizes(messages, length);
  const sizes = messages.map(sizeOfArrived);
  expect(sizes.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThanOrEqual(length);
  for (const [index, { values }] of sizes.entries())
    expect(values).toBeGreaterThanOrEqual(measure(messages[index]).values);
});

test('a large message does not hide behind others that look larger than they are', () => {
  const large = { text: 'x'.repeat(10_000) };
  const swollen = { numbers: Array.from({ length: 5000 }, () => 1) };
  noteSizes([large, swollen], JSON.stringify([large, swollen]).length);
  expect(sizeOfArrived(large).bytes).toBeGreaterThanOrEqual(10_000);
});

test('messages of large packets are measured one by one, and so is what is no object', () => {
  const message = { numbers: Array.from({ length: 50_000 }, () => 1) };
  noteSizes([message], JSON.stringify(message).length);
  expect(sizeOfArrived(message)).toEqual(measure(message));
  noteSizes(['text', null, 5], 20);
  expect(sizeOfArrived('text')).toEqual(measure('text'));
  noteSizes([], 20);
});
