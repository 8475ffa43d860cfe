/** By which address others reach this machine, where nobody has said it: one that listens on all of them has to name one. */
import { networkInterfaces } from 'node:os';
import type { Family } from './families.ts';

const LOOPBACKS = { 4: '127.0.0.1', 6: '::1' } as const;
/** Of one cable: others need to know which. */
const LINK_LOCAL = /^(fe80:|169\.254\.)/i;

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The first one of the family that is not the machine's alone; a machine that has none has its loopback address. */
export function ownAddress(family: Family, interfaces: Interfaces = networkInterfaces()): string {
  const addresses = Object.values(interfaces).flatMap(infos => infos ?? []);
  return (
    addresses.find(
      ({ family: name, internal, address }) => name === `IPv${family}` && !internal && !LINK_LOCAL.test(address),
    )?.address ?? LOOPBACKS[family]
  );
}
