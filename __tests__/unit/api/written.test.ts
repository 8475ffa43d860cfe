import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { expecting, optionsOf, secret } from '../../../src/api/optionsSchema.ts';
import { callback, duration, flag, listOf, orFalse, pem, port, text, texts } from '../../../src/api/optionTypes.ts';
import { formOf, written, type WrittenForm } from '../../../src/api/written.ts';

const options = optionsOf<{ max?: number }>()({ max: v.optional(port) });

test.each<[string, v.GenericSchema, WrittenForm | undefined]>([
  ['a string', text, 'text'],
  ['a choice', v.picklist(['one', 'other']), 'text'],
  ['a number', port, 'number'],
  ['a boolean', flag, 'flag'],
  ['a duration', duration(1), 'duration'],
  ['a certificate', pem, 'file'],
  ['an array of strings', listOf('texts', text), 'list'],
  ['an array of objects', listOf('objects', options), 'json'],
  ['an object', options, 'json'],
  ['an object of strings', texts, 'json'],
  ['an object, or false', orFalse(options), 'json'],
  ['a function', callback('a function'), undefined],
  ['a function or a text, of which the schema says so', written('text', callback('a text or a function')), 'text'],
])('%s is written in its form, also when it is optional, secret, or described', (_what, schema, form) => {
  expect(formOf(schema)).toBe(form);
  expect(formOf(v.optional(schema))).toBe(form);
  expect(formOf(v.optional(secret(expecting('something', schema))))).toBe(form);
});
