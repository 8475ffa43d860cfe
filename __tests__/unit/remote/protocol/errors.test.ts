import { describe, expect, test } from '@jest/globals';
import { NotFoundError, UnsupportedError, WorkerClosedError } from 'mediasoup/errors';
import {
  CallTimeoutError,
  ClosedError,
  DuplicateIdError,
  IncompatibleError,
  LimitError,
  MafaldaError,
  mafaldaErrors,
  NodeDrainingError,
  NodeFullError,
  NodeUnavailableError,
  ProvisionError,
  RefusedError,
  WorkerBudgetError,
} from '../../../../src/api/errors.ts';
import { StaleLinkError } from '../../../../src/piping/endpoint.ts';
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

  const causes = {
    'wss://a': new LimitError('too many', { limit: 'objects', max: 5 }),
    'wss://b': new TypeError('none'),
  };
  const examples: MafaldaError[] = [
    new NodeUnavailableError('no node', { node: 'wss://a', cause: new WorkerBudgetError('none left'), causes }),
    new NodeUnavailableError('no node'),
    new NodeDrainingError('draining', { node: 'wss://a' }),
    new NodeFullError('full', { load: 81.5, maxLoad: 80 }),
    new LimitError('too many', { limit: 'pendingCalls', max: 10 }),
    new WorkerBudgetError('none left'),
    new CallTimeoutError('late', { method: 'consume' }),
    new RefusedError('go away', { reason: 'unauthorized', permanent: true }),
    new CallTimeoutError('late', { method: 'consume', cause: new NodeUnavailableError('away', { node: 'wss://a' }) }),
    new ClosedError('over'),
    new DuplicateIdError('there is an older one', { id: 'mic' }),
    new IncompatibleError('too old'),
    new ProvisionError('none to be had', { operation: 'stop', id: 'i-1', cause: new TypeError('exit code 1') }),
  ];

  test('all of this library are tried here', () => {
    expect(new Set(examples.map(({ code }) => code))).toEqual(new Set(Object.keys(mafaldaErrors)));
  });

  test.each(examples)('%p keeps its class, code and fields over two wires', example => {
    const error = transfer(transfer(example));
    expect(error).toBeInstanceOf(MafaldaError);
    expect(Object.getPrototypeOf(error)).toBe(Object.getPrototypeOf(example));
    expect({ ...error, message: error.message, cause: error.cause }).toEqual({
      ...example,
      message: example.message,
      cause: example.cause,
    });
  });

  test('an error of another copy of this module is known by its code', () => {
    const other = Object.assign(new Error('too many'), { code: 'ERR_MAFALDA_LIMIT', limit: 'objects', max: 7 });
    expect(transfer(other)).toBeInstanceOf(LimitError);
    expect(transfer(other)).toMatchObject({ limit: 'objects', max: 7 });
  });

  test('causes that go on for ever end on the wire', () => {
    const endless = new NodeUnavailableError('no node', { node: 'wss://a' });
    Object.assign(endless, { causes: { again: endless }, cause: endless });
    expect(transfer(endless)).toBeInstanceOf(NodeUnavailableError);
  });

  test.each([{ causes: 5, cause: 'x' }, { node: 7 }, null, 'fields'])(
    'fields that are none are left out: %p',
    fields => {
      const error = decodeError({
        name: 'NodeUnavailableError',
        message: 'm',
        code: 'ERR_MAFALDA_NODE_UNAVAILABLE',
        fields: fields as Record<string, unknown>,
      });
      expect(error).toBeInstanceOf(NodeUnavailableError);
      expect({ ...error, message: error.message, cause: error.cause }).toMatchObject({
        message: 'm',
        node: undefined,
        cause: undefined,
        causes: {},
      });
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
