import { expect, test } from '@jest/globals';
import type { Router } from 'mediasoup/types';
import {
  asIPv6,
  commonFamily,
  familiesOf,
  familyOf,
  resolveHost,
  setFamilies,
  type Family,
} from '../../../../src/core/addresses/families.ts';

function router(id: string, families?: Family[]): Router {
  const made = { id } as Router;
  if (families) setFamilies(made, families);
  return made;
}

test('a Router without known families is reached over IPv4', () => {
  expect(familiesOf(router('a'))).toEqual([4]);
});

test.each<[Family[], Family[], Family | undefined]>([
  [[4], [4], 4],
  [[4, 6], [6], 6],
  [[4], [6], undefined],
  [[4, 6], [6, 4], 4],
])('the common family of %p and %p is %p, in both directions', (first, second, expected) => {
  const [a, b] = [router('a', first), router('b', second)];
  expect([commonFamily(a, b), commonFamily(b, a)]).toEqual([expected, expected]);
});

test.each([
  [{ ip: '0.0.0.0' }, 4],
  [{ ip: '::' }, 6],
  [{ ip: '0.0.0.0', announcedAddress: '2001:db8::1' }, 6],
  [{ ip: '::', announcedIp: '203.0.113.7' }, 4],
  [{ ip: '::', announcedAddress: 'media-1.example' }, 6],
] as const)('the family of %p is IPv%d', (listenInfo, family) => {
  expect(familyOf(listenInfo)).toBe(family);
});

test('addresses stay what they are, names are resolved, and unknown names are refused as mediasoup does', async () => {
  expect(await resolveHost('203.0.113.7')).toBe('203.0.113.7');
  expect(await resolveHost('localhost', 4)).toBe('127.0.0.1');
  await expect(resolveHost('nowhere.invalid')).rejects.toThrow(TypeError);
  expect([asIPv6('127.0.0.1'), asIPv6('::1')]).toEqual(['::ffff:127.0.0.1', '::1']);
});
