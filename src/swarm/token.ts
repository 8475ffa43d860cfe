/**
 * Tokens by which a peer shows to the server of another peer that it belongs to the group, and which peer it is. A token
 * is for one server and for a minute.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Verdict } from '../remote/server/sessions.ts';
import { isSignedBy, type Identity } from './identity.ts';
import type { Trust } from './trust.ts';

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
  const [peerId = '', time = '', signature = '', ...rest] = token.split('.');
  if (rest.length > 1 || !/^\d{1,15}$/.test(time) || Math.abs(now - Number(time)) > MAX_AGE_MS) return undefined;
  const isAuthentic =
    isProven(token, keys, url) &&
    isSignedBy(
      Buffer.from(peerId, 'base64url'),
      signed([peerId, time].join('.'), url),
      Buffer.from(signature, 'base64url'),
    );
  return isAuthentic ? peerId : undefined;
}

/**
 * Returns what becomes of a client that was let in by this token, by the present keys and peers: it stays, or has to show
 * a new token, or has to go.
 */
export function judgeToken(token: string, trust: Pick<Trust, 'keys' | 'trusts'>, url: string): Verdict {
  const [peerId = ''] = token.split('.');
  if (!trust.trusts(peerId)) return 'end';
  return isProven(token, trust.keys, url) ? 'keep' : 'reconnect';
}

/** Whether the token was made with one of the keys. */
function isProven(token: string, keys: readonly Buffer[], url: string): boolean {
  const [peerId = '', time = '', , proven = ''] = token.split('.');
  const given = Buffer.from(proven, 'base64url');
  return keys.some(key => isEqual(given, proof(key, [peerId, time].join('.'), url)));
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
