import { describe, expect, test } from '@jest/globals';
import { NotFoundError, UnsupportedError, WorkerClosedError } from 'mediasoup/errors';
import { StaleLinkError } from '../../../../src/shared/piping/endpoint.ts';
import { decodeError, encodeError } from '../../../../src/remote/protocol/errors.ts';

function transfer(error: unknown): Error {
  return decodeError(JSON.parse(JSON.stringify(encodeError(error))) as ReturnType<typeof encodeError>);
}

describe('errors on the wire', () => {
  test.each([Error, TypeError, RangeError, NotFoundError, UnsupportedError, WorkerClosedError, StaleLinkError])(
    '%p keeps its class',
    Class => {
      const error = transfer(new Class('what happened'));
      expect(Object.getPrototypeOf(error)).toBe(Class.prototype);
      expect([error.name, error.message]).toEqual([new Class('').name, 'what happened']);
    },
  );

  test('others keep their name', () => {
    class InvalidStateError extends Error {
      override name = 'InvalidStateError';
    }
    const error = transfer(new InvalidStateError('closed'));
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.message]).toEqual(['InvalidStateError', 'closed']);
  });

  test.each(['a text', undefined, null, 5])('%p that is thrown becomes an Error', thrown => {
    const error = transfer(thrown);
    expect([error.constructor, error.message]).toEqual([Error, String(thrown)]);
  });

  test.each(['constructor', '__proto__', 'toString'])('the name %s makes no other object of them', name => {
    const error = decodeError({ name, message: 'm' });
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(error.message).toBe('m');
  });

  test('no stack trace leaves the process', () => {
    expect(Object.keys(encodeError(new Error('m')))).toEqual(['name', 'message']);
  });
});
