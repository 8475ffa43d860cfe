import { networkInterfaces } from 'node:os';
import type { Family } from './families.ts';

const LOOPBACKS = { 4: '127.0.0.1', 6: '::1' } as const;
/** Link-local addresses, which are valid on a single cable only: others can't use them without naming the interface. */
const LINK_LOCAL = /^(fe80:|169\.254\.)/i;

type Interfaces = ReturnType<typeof networkInterfaces>;

/**
 * Returns an address by which others reach this machine, for a Transport that listens on all addresses and has to
 * announce an address: the first address of the family that is neither internal nor link-local; else the loopback
 * address.
 */
export function ownAddress(family: Family, interfaces: Interfaces = networkInterfaces()): string {
  const addresses = Object.values(interfaces).flatMap(infos => infos ?? []);
  return (
    addresses.find(
      ({ family: name, internal, address }) => name === `IPv${family}` && !internal && !LINK_LOCAL.test(address),
    )?.address ?? LOOPBACKS[family]
  );
}
