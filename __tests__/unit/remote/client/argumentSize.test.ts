import { expect, test } from '@jest/globals';
import { MAX_GROWTH, sizeOfCall } from '../../../../src/remote/client/argumentSize.ts';

test.each<[string, unknown[]]>([
  ['control characters', ['\u0001'.repeat(1000)]],
  ['characters of three bytes', [{ ['語'.repeat(100)]: '語'.repeat(1000) }]],
  ['numbers', [Array.from({ length: 100 }, () => -1.2345678901234567e-300)]],
  ['nothing', [null, true, false, {}, []]],
])('no call is larger on the wire than %s are thought to make it', (_what, args) => {
  const { wireBytes } = sizeOfCall('produce', args, 1_000_000);
  expect(MAX_GROWTH * wireBytes).toBeGreaterThan(Buffer.byteLength(JSON.stringify(args)));
});

test('what may be too large is counted exactly: it goes as long as it fits', () => {
  const text = 'x'.repeat(900_000);
  expect(sizeOfCall('send', [text], 1_000_000).wireBytes).toBeLessThan(1_000_000);
  expect(() => sizeOfCall('send', ['\u0001'.repeat(200_000)], 1_000_000)).toThrow(RangeError);
});

test('Buffers count by the largest, since each has a frame of its own', () => {
  const buffers = Array.from({ length: 3 }, () => Buffer.alloc(400_000));
  expect(sizeOfCall('send', buffers, 1_000_000).wireBytes).toBeLessThan(500_000);
  expect(() => sizeOfCall('send', [Buffer.alloc(1_000_000)], 1_000_000)).toThrow('maxPayload');
});
