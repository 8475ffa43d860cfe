/** Reads what a simulation counts from datagrams of dht-rpc, as lib/io.js there writes them. */
import * as commands from '../../src/swarm/dht/commands.ts';

/** Purpose of a datagram. `trial` is a lookup by the simulation itself. */
export type Purpose = 'routing' | 'status' | 'finding' | 'storing' | 'telling' | 'trial';

export const purposes: readonly Purpose[] = ['routing', 'status', 'finding', 'storing', 'telling', 'trial'];

const REQUEST = 0b0000_0011;
const HEAD_BYTES = 10;
const HASH_BYTES = 32;
const ADDRESS_BYTES = 6;
/** Flags of both kinds of datagrams. */
const HAS_ID = 1;
const HAS_TOKEN = 2;
/** Flags of a request. */
const IS_INTERNAL = 4;
const HAS_TARGET = 8;
/** Flags of an answer. */
const HAS_CLOSER = 4;
const HAS_VALUE = 16;

const purposeOf: Record<number, Purpose> = {
  [commands.FIND]: 'finding',
  [commands.STORE]: 'storing',
  [commands.NOTICE]: 'telling',
  [commands.STATUS]: 'status',
};

export function isRequest(datagram: Buffer): boolean {
  return datagram[0] === REQUEST;
}

/** Returns the number that an answer has of its request. */
export function numberOf(datagram: Buffer): number {
  return datagram.readUInt16LE(2);
}

export function purposeOfRequest(datagram: Buffer): Purpose {
  return datagram[1]! & IS_INTERNAL ? 'routing' : (purposeOf[datagram[afterHead(datagram)]!] ?? 'routing');
}

/** Returns whether a request has a target, and that is this one. */
export function hasTarget(datagram: Buffer, target: Buffer): boolean {
  const at = afterHead(datagram) + 1;
  return (datagram[1]! & HAS_TARGET) !== 0 && target.compare(datagram, at, at + HASH_BYTES) === 0;
}

/** Returns the closer peers that an answer names, `host:port`, and whether it has records. */
export function readAnswer(datagram: Buffer): { closer: string[]; hasValue: boolean } {
  const flags = datagram[1]!;
  const closer: string[] = [];
  if (flags & HAS_CLOSER) {
    let at = afterHead(datagram);
    for (let left = datagram[at++]!; left > 0; --left, at += ADDRESS_BYTES)
      closer.push(`${datagram.subarray(at, at + 4).join('.')}:${datagram.readUInt16LE(at + 4)}`);
  }
  return { closer, hasValue: (flags & HAS_VALUE) !== 0 };
}

function afterHead(datagram: Buffer): number {
  const flags = datagram[1]!;
  return HEAD_BYTES + (flags & HAS_ID ? HASH_BYTES : 0) + (flags & HAS_TOKEN ? HASH_BYTES : 0);
}
