/**
 * Status of a peer: what others need of its servers for a choice between them. It is signed by the peer, so that no other
 * member of the group can answer in its name.
 */
import { isObject } from '../../api/optionTypes.ts';
import type { NodeRecord } from '../../horizontal/directory/directory.ts';
import { checkedRecord } from '../../horizontal/directory/nodeRecord.ts';
import { fingerprintFromBytes, fingerprintToBytes } from '../fingerprint.ts';
import { isSignedBy, SIGNATURE_BYTES, type Identity } from '../identity.ts';

/** Bytes of a status, so that it fits into a packet. */
const MAX_STATUS_BYTES = 1140;
/** Servers of one peer: with more it would be chosen more often than others. */
const MAX_SERVERS = 4;
/** Age beyond which a status is not taken, in ms, and the difference between two clocks that is put up with. */
const MAX_AGE_MS = 60_000;

export interface PeerStatus {
  /** Public key of the peer, base64url. */
  readonly peerId: string;
  /** Fingerprint of the certificate of its servers; undefined if authorities say whether that is right. */
  readonly fingerprint: string | undefined;
  readonly servers: readonly NodeRecord[];
}

/** @throws {RangeError} if the records are too long for a packet */
export function encodeStatus(
  identity: Identity,
  { servers, fingerprint }: Omit<PeerStatus, 'peerId'>,
  now = Date.now(),
): Buffer {
  const cert = fingerprint && fingerprintToBytes(fingerprint).toString('base64url');
  const body = Buffer.from(JSON.stringify({ peerId: identity.id, time: now, cert, servers }));
  const bytes = body.length + SIGNATURE_BYTES;
  if (bytes > MAX_STATUS_BYTES)
    throw new RangeError(`url, region and labels take ${bytes} bytes, and a packet has ${MAX_STATUS_BYTES}`);
  return Buffer.concat([identity.sign(signed(body)), body]);
}

/** @returns undefined if it is malformed, old, or not signed by its peer; records that are none are left out */
export function decodeStatus(bytes: Buffer, now = Date.now()): PeerStatus | undefined {
  const body = bytes.subarray(SIGNATURE_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { peerId, time, cert = '', servers } = value as Partial<Record<string, unknown>>;
  if (typeof peerId !== 'string' || typeof time !== 'number' || !(Math.abs(now - time) <= MAX_AGE_MS)) return undefined;
  if (!Array.isArray(servers) || typeof cert !== 'string') return undefined;
  if (!isSignedBy(Buffer.from(peerId, 'base64url'), signed(body), bytes.subarray(0, SIGNATURE_BYTES))) return undefined;
  const records = servers.slice(0, MAX_SERVERS).flatMap(record => checkedRecord(record) ?? []);
  return { peerId, fingerprint: fingerprintFromBytes(Buffer.from(cert, 'base64url')), servers: records };
}

function signed(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from('mafalda swarm status '), body]);
}
