import { describe, expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { NotFoundError } from 'mediasoup/errors';
import { decode, encode, encodeAppData, encodeShared } from '../../../../src/remote/protocol/codec.ts';

const object = new EventEmitter();
const handleOf = (candidate: object): number | undefined => (candidate === object ? 7 : undefined);
const objectOf = (handle: number): object | undefined => (handle === 7 ? object : undefined);

/** As it arrives over the wire. */
function transfer(value: unknown): unknown {
  return decode(JSON.parse(JSON.stringify(encode(value, handleOf))), objectOf);
}

function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; ++level) value = level % 2 ? [value] : { value };
  return value;
}

describe('the codec', () => {
  test.each([
    ['a text', 'text'],
    ['a number', -1.5],
    ['null', null],
    ['false', false],
    ['an array', [1, 'two', [3]]],
    ['an object', { a: { b: [] }, c: {} }],
    ['bigints', { size: 40n, list: [-(2n ** 63n), 2n ** 64n - 1n] }],
    ['undefined in an array', [undefined, null, [undefined]]],
    ['numbers that JSON does not have', { list: [NaN, Infinity], number: -Infinity }],
    ['keys that mean something to the codec', [{ $bigint: '1' }, { $undefined: true }, { $number: 'NaN' }]],
    ['keys that begin with $', { $ref: 7 }],
    ['keys that begin with $$', { $$ref: 7, $: 1, $$: 2, $$$x: 3 }],
    [
      'what socket.io puts in the place of a Buffer',
      { _placeholder: true, num: 9, $_placeholder: 1, $$_placeholder: 2 },
    ],
    ['an object beside $ref', { $ref: 7, more: 1 }],
    ['names of Object’s own members', { constructor: 1, toString: 2, hasOwnProperty: 3 }],
  ])('carries %s', (_what, value) => {
    expect(transfer(value)).toEqual(value);
  });

  test('carries objects that both sides know as references, wherever they are', () => {
    const result = transfer({ one: object, list: [object, { deep: object }] }) as {
      one: unknown;
      list: [unknown, { deep: unknown }];
    };
    expect(result.one).toBe(object);
    expect(result.list[0]).toBe(object);
    expect(result.list[1].deep).toBe(object);
    expect(transfer(object)).toBe(object);
  });

  test('takes nobody’s data for a reference', () => {
    expect(encode({ $ref: 7 }, handleOf)).toEqual({ $$ref: 7 });
    expect(transfer([{ $ref: 7 }])).toEqual([{ $ref: 7 }]);
  });

  test('leaves Buffers to socket.io', () => {
    const [buffer, bytes] = [Buffer.from('abc'), new Uint8Array([1, 2])];
    const result = decode(encode({ buffer, bytes }, handleOf), objectOf) as Record<string, unknown>;
    expect(result['buffer']).toBe(buffer);
    expect(result['bytes']).toBe(bytes);
  });

  test('takes nobody’s data for a Buffer', () => {
    expect(encode({ _placeholder: true, num: 9 }, handleOf)).toEqual({ $_placeholder: true, num: 9 });
  });

  test('refuses more Buffers than socket.io carries in one packet', () => {
    const buffers = (count: number): Buffer[] => Array.from({ length: count }, () => Buffer.from('x'));
    expect(encode({ all: buffers(10) }, handleOf)).toBeDefined();
    expect(() => encode([{ some: buffers(5) }, buffers(6)], handleOf)).toThrow(RangeError);
  });

  test('refuses to send what would be lost: a key __proto__', () => {
    expect(() => encode({ a: JSON.parse('{"__proto__": 1}') as unknown }, handleOf)).toThrow(
      /it\.a has a key __proto__/,
    );
  });

  test('leaves out undefined members, and asks toJSON()', () => {
    expect(encode({ a: undefined, b: 1 }, handleOf)).toEqual({ b: 1 });
    expect(encode({ at: new Date(0) }, handleOf)).toEqual({ at: '1970-01-01T00:00:00.000Z' });
    expect(encode(undefined, handleOf)).toBeUndefined();
  });

  test('does not change what it is given', () => {
    const value = Object.freeze({ $a: Object.freeze([Object.freeze({ b: undefined })]) });
    expect(transfer(value)).toEqual({ $a: [{}] });
  });

  test.each([
    ['a function', { data: { fn: () => undefined } }, /it\.data\.fn is a function/],
    ['a symbol', [Symbol('s')], /it\[0\] is a symbol/],
    [
      'an object that is closed',
      { router: new EventEmitter() },
      /it\.router is an object that the other process does not know/,
    ],
    ['a nest of 40', nested(40), /nested more than 32 levels deep/],
  ])('refuses to send %s, and says where it is', (_what, value, message) => {
    expect(() => encode(value, handleOf)).toThrow(TypeError);
    expect(() => encode(value, handleOf)).toThrow(message);
  });

  test('refuses what contains itself', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = { circular };
    expect(() => encode(circular, handleOf)).toThrow(/contains itself/);
    const endless = { toJSON: () => endless };
    expect(() => encode(endless, handleOf)).toThrow(/contains itself/);
  });

  test('has the same limit of depth on both sides', () => {
    expect(transfer(nested(32))).toEqual(nested(32));
    expect(() => encode(nested(34), handleOf)).toThrow(TypeError);
    expect(() => decode(nested(34), objectOf)).toThrow(/nested more than 32/);
  });

  test('refuses to receive what poisons prototypes', () => {
    const poison: unknown = JSON.parse('[{"a": {"__proto__": {"polluted": true}}}]');
    expect(() => decode(poison, objectOf)).toThrow(/__proto__/);
    const result = decode(JSON.parse('{"constructor": {"prototype": {"polluted": true}}}'), objectOf) as object;
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test.each([1, '', '1', 'nan', null])('refuses a number of %p that JSON has, or nobody', number => {
    expect(() => decode({ $number: number }, objectOf)).toThrow(TypeError);
  });

  test.each([1, '', '1.5', '0x1', '9'.repeat(21), null])('refuses a bigint of %p', digits => {
    expect(() => decode({ $bigint: digits }, objectOf)).toThrow(TypeError);
  });

  test.each([8, -7, NaN])('does not find what a reference to %p stands for: it may have closed', handle => {
    expect(() => decode({ $ref: handle }, objectOf)).toThrow(NotFoundError);
  });

  test.each(['7', null, {}, [7]])('refuses a reference to %p', handle => {
    expect(() => decode({ $ref: handle }, objectOf)).toThrow(TypeError);
  });

  test('leaves out of appData what can’t be sent, and keeps the rest, in whatever order and depth', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    const throwing = Object.defineProperty({ before: 1 }, 'getter', {
      enumerable: true,
      get: () => {
        throw new Error('not now');
      },
    });
    const appData = {
      circle,
      twice: [circle, circle],
      fn: () => undefined,
      symbol: Symbol('s'),
      socket: Object.assign(new EventEmitter(), { key: 'secret' }),
      throwing,
      toJSONs: { toJSON: () => ({ fn: () => 1, kept: true }) },
      list: [null, undefined, () => 1, 0, '', false],
      huge: 10n ** 40n,
      big: 5n,
      nan: NaN,
      $ref: 1,
      map: new Map([[1, 2]]),
      date: new Date(0),
    };
    const sent = decode(JSON.parse(JSON.stringify(encode([{ appData }], () => undefined))), () => undefined);
    expect(sent).toEqual([
      {
        appData: {
          circle: { name: 'circle' },
          twice: [{ name: 'circle' }, { name: 'circle' }],
          toJSONs: { kept: true },
          list: [null, undefined, undefined, 0, '', false],
          big: 5n,
          nan: NaN,
          $ref: 1,
          map: {},
          date: '1970-01-01T00:00:00.000Z',
        },
      },
    ]);
  });

  test('sends a bounded part of an appData that is endless', () => {
    const graph = Array.from({ length: 50 }, (_, id): Record<string, unknown> => ({ id }));
    for (const one of graph) one['others'] = graph;
    const endless = {
      get next(): unknown {
        return endless;
      },
      deep: undefined as unknown,
      text: 'x'.repeat(2_000_000),
      buffers: Array.from({ length: 20 }, () => Buffer.from('b')),
    };
    let deep: unknown = 'bottom';
    for (let level = 0; level < 100; ++level) deep = { deep };
    endless.deep = deep;
    const encoded = encode([{ appData: { graph, endless } }], () => undefined);
    expect(JSON.stringify(encoded).length).toBeLessThan(1_000_000);
    expect(() => decode(structuredClone(encoded), () => undefined)).not.toThrow();
    expect(encode([{ appData: new EventEmitter() }], () => undefined)).toEqual([{ appData: {} }]);
  });

  test('leaves out of appData what the other side does not know any more, and refuses nothing for it', () => {
    const closed = new EventEmitter();
    const handles = (candidate: object, isInAppData: boolean): number | undefined =>
      candidate === closed && isInAppData ? 8 : handleOf(candidate);
    const encoded = encode([{ appData: { closed, list: [closed], object } }], handles);
    expect(decode(encoded, objectOf)).toEqual([{ appData: { closed: undefined, list: [undefined], object } }]);
    expect(decode(encode({ closed: { $ref: 1 } }, handles), objectOf)).toEqual({ closed: { $ref: 1 } });
    expect(decode({ deep: [{ $ref: 8 }] }, objectOf, true)).toEqual({ deep: [undefined] });
    expect(() => encode([{ appData: {}, closed }], handles)).toThrow(TypeError);
  });

  test('data that is the same encoded is not copied where it never changes', () => {
    const plain = { list: [1, { text: 'a', missing: undefined }], none: null };
    expect(encodeShared(plain, handleOf)).toBe(plain);
  });

  test.each([
    ['a key that is escaped', { list: [{ $ref: 7 }] }],
    ['undefined in an array', { list: [undefined] }],
    ['a bigint', [1n]],
    ['a number that JSON does not have', { number: NaN }],
    ['a reference', { object }],
    ['an appData', { appData: { call: () => undefined } }],
    ['a Buffer', [Buffer.from('a')]],
    ['a toJSON()', { at: new Date(0) }],
  ])('data with %s is encoded in any case', (_what, data) => {
    expect(encodeShared(data, handleOf)).toEqual(encode(data, handleOf));
    expect(encodeShared(data, handleOf)).not.toBe(data);
  });

  test('data that can’t be sent is refused in any case', () => {
    expect(() => encodeShared(nested(40), handleOf)).toThrow(TypeError);
  });

  test('an appData without anything in it is left out', () => {
    expect(encodeAppData({}, handleOf)).toBeUndefined();
    expect(encodeAppData({ of: 1 }, handleOf)).toEqual({ of: 1 });
    expect(encodeAppData(new EventEmitter(), handleOf)).toEqual({});
  });
});
