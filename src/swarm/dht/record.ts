/**
 * Records of the DHT: a peer says that it holds a part of a room. A record is signed by that peer, and bound to the
 * target under which it is found, so that no peer can speak for another.
 */
import { createHash } from 'node:crypto';
import { isNodeUrl } from '../../horizontal/directory/nodeRecord.ts';
import { FINGERPRINT_BYTES, fingerprintFromBytes, fingerprintToBytes } from '../fingerprint.ts';
import { isSignedBy, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, type Identity } from '../identity.ts';

/** Time for which a record is valid, in ms. */
export const RECORD_LIFETIME_MS = 25 * 60_000;
/** Difference between the clocks of two peers that is put up with, in ms. */
const MAX_SKEW_MS = 60_000;
/** Bytes of a URL, and of the id of a server. */
export const MAX_TEXT_BYTES = 255;
export const TARGET_BYTES = 32;

const VERSION = 2;
const TIME_BYTES = 6;
const LIFETIME_BYTES = 2;
const ADDRESS_BYTES = 6;
/** Bytes before the two texts, whose lengths are the last of them. */
const FIXED_BYTES = 1 + PUBLIC_KEY_BYTES + TIME_BYTES + LIFETIME_BYTES + ADDRESS_BYTES + FINGERPRINT_BYTES + 2;

/** Facts of a record about the peer's server. */
export interface Claim {
  /** URL of the peer's server. */
  readonly url: string;
  /** Id of the server, new after each of its starts. */
  readonly serverId: string;
  /** Address of the peer in the DHT. */
  readonly address: { readonly host: string; readonly port: number };
  /** Fingerprint of the server's certificate; undefined if authorities say whether that is right. */
  readonly fingerprint?: string | undefined;
}

export interface SwarmRecord extends Claim {
  /** Public key of the peer, base64url. */
  readonly peerId: string;
  /** Time of the signature, in ms since 1970. */
  readonly time: number;
  /** Time at which the record ends, in ms since 1970; the record takes back an earlier record if that is `time`. */
  readonly expires: number;
  /** The record as it is stored and sent. */
  readonly bytes: Buffer;
}

/** Returns the target under which the records of a room are found. */
export function targetOfRoom(roomId: string): Buffer {
  return createHash('sha256').update('mafalda room ').update(roomId).digest();
}

/** @param lifetime in ms; 0 takes back an earlier record */
export function signRecord(
  identity: Identity,
  target: Buffer,
  { url, serverId, address, fingerprint }: Claim,
  lifetime = RECORD_LIFETIME_MS,
  now = Date.now(),
): Buffer {
  const texts = [Buffer.from(url), Buffer.from(serverId)];
  if (texts.some(({ length }) => length > MAX_TEXT_BYTES))
    throw new RangeError(`the url, or the id of the server, has more than ${MAX_TEXT_BYTES} bytes`);
  const fixed = Buffer.alloc(FIXED_BYTES);
  let at = fixed.writeUInt8(VERSION, 0);
  at += identity.publicKey.copy(fixed, at);
  at = fixed.writeUIntBE(now, at, TIME_BYTES);
  at = fixed.writeUInt16BE(Math.floor(lifetime / 1000), at);
  for (const byte of address.host.split('.')) at = fixed.writeUInt8(Number(byte), at);
  at = fixed.writeUInt16BE(address.port, at);
  if (fingerprint !== undefined) fingerprintToBytes(fingerprint).copy(fixed, at);
  at += FINGERPRINT_BYTES;
  for (const { length } of texts) at = fixed.writeUInt8(length, at);
  const body = Buffer.concat([fixed, ...texts]);
  return Buffer.concat([body, identity.sign(Buffer.concat([target, body]))]);
}

/**
 * Reads a record.
 * @returns undefined if it is malformed, not signed by its peer for this target, over, or valid for too long
 */
export function readRecord(target: Buffer, bytes: Buffer, now = Date.now()): SwarmRecord | undefined {
  if (bytes.length < FIXED_BYTES || bytes[0] !== VERSION) return undefined;
  if (bytes.length !== lengthOf(bytes)) return undefined;
  const bodyBytes = bytes.length - SIGNATURE_BYTES;
  const body = bytes.subarray(0, bodyBytes);
  let at = 1;
  const publicKey = body.subarray(at, (at += PUBLIC_KEY_BYTES));
  const time = body.readUIntBE(at, TIME_BYTES);
  at += TIME_BYTES;
  const lifetime = body.readUInt16BE(at) * 1000;
  at += LIFETIME_BYTES;
  const host = body.subarray(at, at + 4).join('.');
  const port = body.readUInt16BE(at + 4);
  at += ADDRESS_BYTES;
  const fingerprint = fingerprintFromBytes(body.subarray(at, at + FINGERPRINT_BYTES));
  const endOfUrl = FIXED_BYTES + body[FIXED_BYTES - 2]!;
  const url = body.subarray(FIXED_BYTES, endOfUrl).toString();
  const serverId = body.subarray(endOfUrl).toString();
  const expires = time + lifetime;
  if (time > now + MAX_SKEW_MS || lifetime > RECORD_LIFETIME_MS) return undefined;
  if (expires + MAX_SKEW_MS < now || port === 0 || !isNodeUrl(url)) return undefined;
  if (!isSignedBy(publicKey, Buffer.concat([target, body]), bytes.subarray(bodyBytes))) return undefined;
  const peerId = publicKey.toString('base64url');
  return { peerId, url, serverId, address: { host, port }, fingerprint, time, expires, bytes };
}

/** Splits records that were sent together; stops at what is none. */
export function* splitRecords(bytes: Buffer): Generator<Buffer> {
  let at = 0;
  while (at + FIXED_BYTES <= bytes.length) {
    const length = lengthOf(bytes.subarray(at));
    if (at + length > bytes.length) return;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Returns the length of the record that begins the bytes, which have its fixed part. */
function lengthOf(bytes: Buffer): number {
  return FIXED_BYTES + bytes[FIXED_BYTES - 2]! + bytes[FIXED_BYTES - 1]! + SIGNATURE_BYTES;
}
