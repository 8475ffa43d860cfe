/** What `serve` and `cluster` warn of, by their options alone. */
import { expect, test } from '@jest/globals';
import { adviceFor, expiryOf, openFilesLimit } from '../../../src/cli/advice.ts';
import { selfSigned } from '../../helpers/tls.ts';

const { cert, key } = await selfSigned();
const well = { host: '127.0.0.1', auth: 'secret', announcedAddress: '127.0.0.1' } as const;
const DAY_MS = 86_400_000;
/** The limit of this machine's processes is no matter here. */
const of = (...args: Parameters<typeof adviceFor>): string[] =>
  adviceFor(...args).filter(line => !line.includes('open files'));

test('where all is well there is nothing to say', () => {
  expect(of(well)).toEqual([]);
  expect(of({ ...well, announcedAddress: undefined }, { listenInfos: [] })).toEqual([]);
});

test.each<[string, Parameters<typeof adviceFor>, RegExp]>([
  ['connections without TLS from other machines', [{ ...well, host: undefined }], /no TLS/],
  ['a port for everybody', [{ ...well, host: undefined, cert, key, auth: false }], /everybody who reaches the port/],
  ['addresses that nobody announces', [{ ...well, announcedAddress: undefined }], /no --announced-address/],
  [
    'fewer ports than Workers',
    [well, { mediaPorts: { min: 40_000, max: 40_001 }, workers: 4 }],
    /2 ports for 4 Workers/,
  ],
  ['a certificate that ends', [{ ...well, cert, key }], /CN=mafalda-test ends in [01] days/],
])('%s', (_what, args, advice) => {
  expect(of(...args).some(line => advice.test(line))).toBe(true);
});

test('a certificate is told of two weeks before its end, after it, and before it begins', () => {
  const now = Date.now();
  expect(expiryOf(cert, now - 20 * DAY_MS)).toMatch(/is valid from .* only/);
  expect(expiryOf(cert, now)).toMatch(/ends in [01] days/);
  expect(expiryOf(cert, now + 3 * DAY_MS)).toMatch(/was valid until/);
});

test('the limit of open files is a number, or not known', () => {
  expect(openFilesLimit() ?? Infinity).toBeGreaterThan(0);
});
