import { expect, test } from '@jest/globals';
import type { networkInterfaces } from 'node:os';
import { ownAddress } from '../../../../src/core/addresses/ownAddress.ts';

type Info = NonNullable<ReturnType<typeof networkInterfaces>[string]>[number];

const info = (family: 'IPv4' | 'IPv6', address: string, internal = false): Info =>
  family === 'IPv4'
    ? { family, address, internal, netmask: '255.255.255.0', mac: '', cidr: null }
    : { family, address, internal, netmask: 'ffff::', mac: '', cidr: null, scopeid: 0 };

const lo = [info('IPv4', '127.0.0.1', true), info('IPv6', '::1', true)];

test('is the first one that others can reach, of the family that is asked for', () => {
  const eth0 = [
    info('IPv4', '169.254.7.7'),
    info('IPv6', 'fe80::1'),
    info('IPv4', '192.0.2.7'),
    info('IPv6', '2001:db8::7'),
  ];
  const eth1 = [info('IPv4', '198.51.100.7')];
  expect([ownAddress(4, { lo, eth0, eth1 }), ownAddress(6, { lo, eth0, eth1 })]).toEqual(['192.0.2.7', '2001:db8::7']);
});

test('is the loopback address where there is no other', () => {
  expect([ownAddress(4, { lo }), ownAddress(6, { lo }), ownAddress(4, {})]).toEqual(['127.0.0.1', '::1', '127.0.0.1']);
});
