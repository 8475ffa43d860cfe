import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import {
  anything,
  checkUnknown,
  data,
  either,
  flag,
  integer,
  list,
  name,
  number,
  object,
  parameters,
  reference,
  text,
  type Shape,
} from '../../../../src/api/shapes/shape.ts';

const router = new EventEmitter();
const classOf = (value: object): string | undefined => (value === router ? 'Router' : undefined);

interface Inner {
  id: number;
  rate?: number;
}
interface Options {
  label?: string;
  inner?: Inner;
  list?: Inner[];
  router?: EventEmitter;
  ip?: string | Inner;
  appData?: unknown;
}

const inner = object<Inner>()({ id: number, rate: integer });
const options = object<Options>()({
  label: text,
  inner,
  list: list(inner, 'objects'),
  router: reference('Router'),
  ip: either('a string or an object', text, inner),
  appData: anything,
});

function wrongOf(shape: Shape<never>, value: unknown): string | undefined {
  const wrong = shape.check(value, classOf);
  return wrong && `${wrong.ErrorClass.name}:${wrong.text}`;
}

describe('a shape', () => {
  test.each<[string, Shape<never>, unknown[], unknown[]]>([
    ['text', text, ['', 'x'.repeat(20_000)], ['x'.repeat(20_001), 5, {}, []]],
    ['name', name, ['x'], ['x'.repeat(2001), 5]],
    ['number', number, [0, NaN, -Infinity], ['1', {}]],
    ['flag', flag, [true, false], [0, 'true']],
    ['data', data, ['x', Buffer.from('x')], [5, {}]],
    ['parameters', parameters, [{}, { a: {} }], [[], Object.fromEntries([...Array(101).keys()].map(key => [key, 1]))]],
    ['reference', reference('Router'), [router], [{}, new EventEmitter(), 'id']],
  ])('of %s', (_name, shape, right, wrong) => {
    expect(right.filter(value => wrongOf(shape, value) !== undefined)).toEqual([]);
    expect(wrong.filter(value => wrongOf(shape, value) === undefined)).toEqual([]);
  });

  test.each([
    [{ label: 5 }, 'TypeError:.label must be a string of at most 20000 characters'],
    [{ inner: { id: '1' } }, 'TypeError:.inner.id must be a number'],
    [{ inner: { id: 1, rate: 0.5 } }, 'RangeError:.inner.rate must be an integer'],
    [{ inner: { id: 1, rate: '5' } }, 'TypeError:.inner.rate must be an integer'],
    // JSON has no undefined: null stands for it, save where mediasoup would make a bigint of it.
    [{ inner: { id: 1, rate: null } }, 'TypeError:.inner.rate must be an integer'],
    [{ inner: [] }, 'TypeError:.inner must be an object'],
    [{ list: [{ id: 1 }, { id: {} }] }, 'TypeError:.list[1].id must be a number'],
    [{ list: [null] }, 'TypeError:.list[0] must be an object'],
    [{ list: Array(101).fill({}) }, 'TypeError:.list must be an array of objects, at most 100'],
    [{ router: { id: 'x' } }, 'TypeError:.router must be a Router'],
    [{ ip: 5 }, 'TypeError:.ip must be a string of at most 20000 characters'],
    [{ ip: { id: '5' } }, 'TypeError:.ip.id must be a number'],
    [{ label: router }, 'TypeError:.label must be a string of at most 20000 characters'],
    [{ inner: router }, 'TypeError:.inner must be an object'],
    [{ more: [{ a: router }] }, "TypeError:.more[0].a must not be an object of mediasoup's"],
    [{ more: Array(1001).fill(1) }, 'TypeError:.more must have at most 1000 elements'],
    [router, 'TypeError: must be an object'],
    ['text', 'TypeError: must be an object'],
  ])('refuses %j: %s', (value, text) => {
    expect(wrongOf(options, value)).toBe(text);
  });

  test.each([
    {},
    { label: null, inner: undefined, list: null, router: null },
    { label: 'x', inner: { id: 1, rate: 5 }, list: [{ id: NaN }], router, ip: 'x', appData: router },
    { ip: { id: 1 }, more: { of: ['it', 5, null, Buffer.alloc(5000)] } },
    // Frozen values have been checked.
    { inner: Object.freeze({ id: 'x' }), list: Object.freeze(['x']) },
  ])('accepts %p', value => {
    expect(wrongOf(options, value)).toBeUndefined();
  });
});

test('what nobody reads must do no harm', () => {
  expect(checkUnknown({ a: [1, { b: 'x' }] })).toBeUndefined();
  expect(checkUnknown([[], [router]])?.text).toBe("[1][0] must not be an object of mediasoup's");
});
