/**
 * Tokens by which a peer shows to the server of another peer that it belongs to the group, and which peer it is. A token
 * is for one server and for a minute.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isSignedBy, type Identity } from './identity.ts';

/** Age beyond which a token is not taken, in ms, and the difference between two clocks that is put up with. */
const MAX_AGE_MS = 60_000;
const MAX_LENGTH = 1000;

/**
 * @param key of the group
 * @param url of the server that the token is for
 */
export function makeToken(identity: Identity, key: Buffer, url: string, now = Date.now()): string {
  const body = [identity.id, String(now)].join('.');
  const signature = identity.sign(signed(body, url)).toString('base64url');
  return [body, signature, proof(key, body, url).toString('base64url')].join('.');
}

/**
 * Reads the token of a client.
 * @param keys of the group
 * @param url of this server
 * @returns the id of the peer; undefined for a stranger, and for a token that is for another server or old
 */
export function readToken(
  token: string | undefined,
  keys: readonly Buffer[],
  url: string,
  now = Date.now(),
): string | undefined {
  if (token === undefined || token.length > MAX_LENGTH) return undefined;
  const [peerId = '', time = '', signature = '', proven = '', ...rest] = token.split('.');
  if (rest.length > 0 || !/^\d{1,15}$/.test(time) || Math.abs(now - Number(time)) > MAX_AGE_MS) return undefined;
  const body = [peerId, time].join('.');
  const given = Buffer.from(proven, 'base64url');
  const isMember = keys.some(key => isEqual(given, proof(key, body, url)));
  const isAuthentic =
    isMember && isSignedBy(Buffer.from(peerId, 'base64url'), signed(body, url), Buffer.from(signature, 'base64url'));
  return isAuthentic ? peerId : undefined;
}

function signed(body: string, url: string): Buffer {
  return Buffer.from(`mafalda swarm token ${body} ${url}`);
}

function proof(key: Buffer, body: string, url: string): Buffer {
  return createHmac('sha256', key).update(signed(body, url)).digest();
}

function isEqual(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
