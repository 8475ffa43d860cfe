import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { MAX_DURATION_MS } from '../../../src/api/optionTypes.ts';
import * as types from '../../../src/api/optionTypes.ts';
import { object, number } from '../../../src/api/shapes/shape.ts';

const { duration, integerFrom, mediasoupOptions, percentage, pem, port, positiveInteger, text, texts } = types;
const ofMediasoup = mediasoupOptions(object<{ ssrc: number }>()({ ssrc: number }));

test.each<[name: string, schema: v.GenericSchema, right: unknown[], wrong: unknown[]]>([
  ['text', text, ['x'], ['', 5, null]],
  ['positiveInteger', positiveInteger, [1, 2 ** 40], [0, -1, 1.5, NaN, Infinity, '1', 2 ** 53]],
  ['integerFrom', integerFrom(0), [0, 7], [-1, 0.5, Infinity, '0']],
  ['percentage', percentage, [0, 66.6, 1000], [-1, NaN, '60', null]],
  ['port', port, [0, 65_535], [-1, 65_536, 4.5, '80']],
  ['pem', pem, ['-----BEGIN', Buffer.from('x')], ['', 5, {}, null]],
  ['texts', texts, [{}, { a: 'b' }], [{ a: 1 }, 'a', null]],
  ['duration', duration(5), [5, 5.5, MAX_DURATION_MS], [4.9, -1, NaN, Infinity, MAX_DURATION_MS + 1, '5', null]],
  // Their values are mediasoup's to check.
  ['mediasoupOptions', ofMediasoup, [{}, { ssrc: 'x' }, { other: undefined }], [{ ssrcs: 1 }, [], null, 'x']],
])('%s', (_name, schema, right, wrong) => {
  expect(right.filter(value => !v.is(schema, value))).toEqual([]);
  expect(wrong.filter(value => v.is(schema, value))).toEqual([]);
});
