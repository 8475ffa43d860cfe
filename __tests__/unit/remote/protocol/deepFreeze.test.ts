import { expect, test } from '@jest/globals';
import { deepFreeze } from '../../../../src/remote/protocol/deepFreeze.ts';

test('all that is in it is frozen, but Buffers, which can not be', () => {
  const data = deepFreeze({ list: [{ a: 1 }], buffer: Buffer.from('abc'), nothing: null });
  expect([data, data.list, data.list[0]].every(Object.isFrozen)).toBe(true);
  expect(data.buffer.toString()).toBe('abc');
});
