import { describe, expect, test } from '@jest/globals';
import { isClientMessage, isCredentials } from '../../../../src/remote/protocol/validate.ts';

const noRecords = [null, undefined, 0, 'call', true, [], () => undefined];

describe('a message of a client', () => {
  const call = { type: 'call', id: 1, target: 'room', method: 'close', args: [] };

  test.each([call, { ...call, target: 3 }, { ...call, type: 'send', id: undefined }])('may be %p', message => {
    expect(isClientMessage(message)).toBe(true);
  });

  test.each([
    ...noRecords,
    {},
    { ...call, type: 'answer' },
    { ...call, type: undefined },
    { ...call, id: '1' },
    { ...call, id: 1.5 },
    { ...call, id: undefined },
    { ...call, target: null },
    { ...call, target: {} },
    { ...call, target: NaN },
    { ...call, target: 2 ** 60 },
    { ...call, method: 5 },
    { ...call, method: undefined },
    { ...call, args: {} },
    { ...call, args: undefined },
    { ...call, args: 'text' },
  ])('must not be %p', message => {
    expect(isClientMessage(message)).toBe(false);
  });
});

describe('a message with capabilities', () => {
  const capabilities = { type: 'capabilities', slot: 0, rtpCapabilities: { codecs: [] } };

  test('may be in any slot', () => {
    expect([0, 127].map(slot => isClientMessage({ ...capabilities, slot }))).toEqual([true, true]);
  });

  test.each([
    { slot: -1 },
    { slot: 128 },
    { slot: 0.5 },
    { slot: '0' },
    { slot: undefined },
    { rtpCapabilities: 'text' },
    { rtpCapabilities: null },
  ])('must not have %p', wrong => {
    expect(isClientMessage({ ...capabilities, ...wrong })).toBe(false);
  });
});

describe('credentials', () => {
  test.each([{ protocol: 1 }, { protocol: 9, token: '' }, { protocol: 1, session: { id: 'x', received: 0 } }])(
    'may be %p',
    credentials => {
      expect(isCredentials(credentials)).toBe(true);
    },
  );

  test.each([
    ...noRecords,
    {},
    { protocol: '1' },
    { protocol: 1, token: 5 },
    { protocol: 1, token: ['secret'] },
    { protocol: 1, token: null },
    { protocol: 1, session: null },
    { protocol: 1, session: 'id' },
    { protocol: 1, session: { id: 'x' } },
    { protocol: 1, session: { id: 5, received: 0 } },
    { protocol: 1, session: { id: 'x', received: '0' } },
    { protocol: 1, session: { id: 'x', received: 0.5 } },
  ])('must not be %p', credentials => {
    expect(isCredentials(credentials)).toBe(false);
  });
});
