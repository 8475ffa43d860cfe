import { describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { expecting, optionsOf, resolveOptions, rule, secret } from '../../../src/api/optionsSchema.ts';
import { duration, flag, listOf, orFalse, pem, port, text } from '../../../src/api/optionTypes.ts';

interface Limits {
  clients: number;
}

interface Options {
  port?: number;
  token: string | false;
  hosts?: readonly string[];
  limits?: Partial<Limits>;
  budget?: Partial<Limits> | false;
  key?: string | Buffer;
  interval?: number;
  verbose?: boolean;
  regions?: Record<string, Partial<Limits>>;
}

const limits = optionsOf<Partial<Limits>>()({
  clients: v.optional(expecting('an integer', v.pipe(v.number(), v.integer())), 5),
});

const schema = v.pipe(
  optionsOf<Options>()({
    port: v.optional(port),
    token: secret(
      expecting(
        'a token, or false',
        v.custom<string | false>(token => token === false || typeof token === 'string'),
      ),
    ),
    hosts: v.optional(listOf('hosts', text), []),
    limits: v.optional(limits, {}),
    budget: v.optional(orFalse(limits), {}),
    key: v.optional(secret(pem)),
    interval: v.optional(duration(10), 100),
    verbose: v.optional(flag),
    regions: v.optional(v.record(v.string(), limits)),
  }),
  rule(({ port: given, key }) => (given !== undefined && key ? 'port and key exclude each other' : undefined)),
);

const resolve = (given: unknown): v.InferOutput<typeof schema> => resolveOptions('Thing', schema, given as Options);

describe('options', () => {
  test('have their defaults where they are not given, or undefined', () => {
    const defaults = { hosts: [], limits: { clients: 5 }, budget: { clients: 5 }, interval: 100 };
    expect(resolve({ token: 'x' })).toEqual({ token: 'x', ...defaults });
    expect(resolve({ token: 'x', interval: undefined, limits: { clients: undefined }, other: undefined })).toEqual({
      token: 'x',
      ...defaults,
    });
    expect(resolve({ token: false, budget: false, port: 5, hosts: ['a'], limits: { clients: 7 } })).toEqual({
      ...defaults,
      ...{ token: false, budget: false, port: 5, hosts: ['a'], limits: { clients: 7 } },
    });
  });

  test.each([
    [{ port: '4443' }, 'port must be an integer from 0 to 65535; it is "4443" (a string)'],
    [{ port: 65_536 }, 'port must be an integer from 0 to 65535; it is 65536 (a number)'],
    [{ port: NaN }, 'port must be an integer from 0 to 65535; it is NaN (a number)'],
    [{ port: null }, 'port must be an integer from 0 to 65535; it is null'],
    [{ verbose: 'yes' }, 'verbose must be true or false; it is "yes" (a string)'],
    [{ hosts: 'a' }, 'hosts must be an array of hosts; it is "a" (a string)'],
    [{ hosts: ['a', 5] }, 'hosts[1] must be a non-empty string; it is 5 (a number)'],
    [{ limits: 5 }, 'limits must be an object; it is 5 (a number)'],
    [{ limits: { clients: [] } }, 'limits.clients must be an integer; it is an array of 0'],
    [{ budget: { clients: 0.5 } }, 'budget.clients must be an integer; it is 0.5 (a number)'],
    [{ regions: { eu: { clients: '5' } } }, 'regions.eu.clients must be an integer; it is "5" (a string)'],
    [{ budget: true }, 'budget must be an object, or false; it is true (a boolean)'],
    [{ limits: { client: 5 } }, 'limits: unknown option client, do you mean clients?; known are clients'],
    [
      { prot: 5, verbos: true },
      /^Thing: unknown option prot, verbos, do you mean port, verbose\?; known are port, token/,
    ],
    [{ interval: Infinity }, /interval must be a number of milliseconds, from 10 to \d+; it is Infinity/],
    [{ port: 1, key: 'x' }, 'port and key exclude each other'],
  ])('%j: %s', (given, message) => {
    const wrong = (): unknown => resolve({ token: 'x', ...given });
    expect(wrong).toThrow(TypeError);
    expect(wrong).toThrow(typeof message === 'string' ? new TypeError(`Thing: ${message}`) : message);
  });

  test.each([
    [{}, 'token must be a token, or false; it is missing'],
    [{ token: 4711 }, 'token must be a token, or false; it is a number'],
    [
      { token: 'x', key: new Map([['s3cret', 1]]) },
      'key must be PEM, as a string or a Buffer; it is an object of class Map',
    ],
  ])('%p: what is secret is not told', (given, message) => {
    expect(() => resolve(given)).toThrow(new TypeError(`Thing: ${message}`));
  });

  test('that are wrong are told together, and no more than five', () => {
    expect(() => resolve({ token: 'x', port: -1, verbose: 1 })).toThrow(/^Thing: port must be .*; verbose must be .*/);
    const hosts = Array.from({ length: 100 }, () => 5);
    expect(() => resolve({ token: 'x', hosts })).toThrow(/hosts\[4\][^\]]*$/);
  });

  test.each([null, 'text', 5, undefined])('%p in their place is refused', given => {
    expect(() => resolve(given)).toThrow(/^Thing: options must be an object; it is/);
  });
});
