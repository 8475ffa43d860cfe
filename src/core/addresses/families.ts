/**
 * Families of addresses over which pipes reach a Router. They are known as soon as the Router is, so that no request is
 * needed, and no end is opened for a pipe that is impossible.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Router } from 'mediasoup/types';
import { within } from '../within.ts';

/** IPv4 or IPv6. */
export type Family = 4 | 6;

/** Limit for the resolver, in ms: a silent resolver must not delay a call without end. */
const RESOLVE_TIMEOUT_MS = 2000;

const familiesByRouter = new WeakMap<Router, readonly Family[]>();

/**
 * Sets the families of a Router. Must be called as soon as the Router exists.
 * @param families best first
 */
export function setFamilies(router: Router, families: readonly Family[]): void {
  familiesByRouter.set(router, families);
}

/**
 * Returns the families of a Router, best first; for a machine without known families, IPv4, that of its loopback
 * address.
 */
export function familiesOf(router: Router): readonly Family[] {
  return familiesByRouter.get(router) ?? [4];
}

/**
 * Returns the family that both Routers have, or undefined. The order of the Routers makes no difference, since a link
 * serves both directions.
 */
export function commonFamily(one: Router, other: Router): Family | undefined {
  const [first, second] = one.id < other.id ? [one, other] : [other, one];
  const families = familiesOf(second);
  return familiesOf(first).find(family => families.includes(family));
}

/**
 * Returns the family of the announced address; of the listening address if the announced address is a name or missing.
 */
export function familyOf({
  ip,
  announcedAddress,
  announcedIp,
}: {
  ip: string;
  announcedAddress?: string;
  announcedIp?: string;
}): Family {
  return (isIP(announcedAddress ?? announcedIp ?? '') || isIP(ip)) === 6 ? 6 : 4;
}

/**
 * Resolves with the address of a host, given as an address or a name: a Worker connects to addresses only.
 * @param family the wanted family; 0: any
 * @throws {TypeError} if there is none, as mediasoup does for a malformed address
 */
export async function resolveHost(host: string, family: Family | 0 = 0): Promise<string> {
  if (isIP(host)) return host;
  const kind = family === 0 ? 'address' : `IPv${family} address`;
  let address: string | undefined;
  try {
    await within(
      lookup(host, { family }).then(found => (address = found.address)),
      RESOLVE_TIMEOUT_MS,
    );
  } catch (error) {
    throw new TypeError(`invalid IP "${host}": that name has no ${kind} here`, { cause: error });
  }
  if (address === undefined)
    throw new TypeError(`invalid IP "${host}": no ${kind} of that name was found in ${RESOLVE_TIMEOUT_MS} ms`);
  return address;
}

/** Returns the address in the notation that a socket of IPv6 needs. */
export function asIPv6(address: string): string {
  return isIP(address) === 4 ? `::ffff:${address}` : address;
}
