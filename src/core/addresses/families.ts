/**
 * Over which kinds of addresses pipes reach a Router. It is known as soon as the Router is, so that nothing has to be asked,
 * and nothing is opened for a pipe that can't be.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Router } from 'mediasoup/types';
import { within } from '../within.ts';

/** IPv4 or IPv6. */
export type Family = 4 | 6;

/** A resolver that does not answer must not hold up a call for as long as it likes. */
const RESOLVE_TIMEOUT_MS = 2000;

const told = new WeakMap<Router, readonly Family[]>();

/** To be called as soon as the Router is there. @param families best first */
export function tellFamilies(router: Router, families: readonly Family[]): void {
  told.set(router, families);
}

/** Best first. Of a machine that has told nothing it is its loopback address. */
export function familiesOf(router: Router): readonly Family[] {
  return told.get(router) ?? [4];
}

/** The one that both Routers have, or undefined. The same whichever comes first: a link serves both directions. */
export function commonFamily(one: Router, other: Router): Family | undefined {
  const [first, second] = one.id < other.id ? [one, other] : [other, one];
  const families = familiesOf(second);
  return familiesOf(first).find(family => families.includes(family));
}

/** By the address that others are to use; where that is a name or missing, by the one that is listened on. */
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
 * The address of a host that is named by its address already, or by a name. A Worker connects to addresses only.
 * @param family the wanted one; 0: any
 * @throws {TypeError} if there is none, as mediasoup does for what is no address
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

/** As a socket of IPv6 has to be told of it. */
export function asIPv6(address: string): string {
  return isIP(address) === 4 ? `::ffff:${address}` : address;
}
