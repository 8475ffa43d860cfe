/** A token shows which member of the group a client is, to one server and for a minute. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Identity } from '../../../src/swarm/identity.ts';
import { judgeToken, makeToken, readToken } from '../../../src/swarm/token.ts';

const url = 'wss://media-1.example/';
const key = randomBytes(32);
const peer = new Identity();
const NOW = 1_800_000_000_000;

test('a token names its peer, for members that know the key or the key before', () => {
  const token = makeToken(peer, key, url, NOW);
  expect(readToken(token, [key], url, NOW)).toBe(peer.id);
  expect(readToken(token, [randomBytes(32), key], url, NOW + 60_000)).toBe(peer.id);
});

test('a token of a stranger, for another server, of another time or peer is not taken', () => {
  const token = makeToken(peer, key, url, NOW);
  expect(readToken(token, [randomBytes(32)], url, NOW)).toBeUndefined();
  expect(readToken(token, [key], 'wss://media-2.example/', NOW)).toBeUndefined();
  expect(readToken(token, [key], url, NOW + 60_001)).toBeUndefined();
  expect(readToken(token, [key], url, NOW - 60_001)).toBeUndefined();
  const parts = token.split('.');
  expect(readToken([new Identity().id, ...parts.slice(1)].join('.'), [key], url, NOW)).toBeUndefined();
});

test('a member can’t speak for another: the signature must be that of the peer', () => {
  const other = new Identity();
  const liar = Object.assign(Object.create(other) as Identity, { id: peer.id });
  Object.defineProperty(liar, 'sign', { value: (data: Buffer) => other.sign(data) });
  expect(readToken(makeToken(liar, key, url, NOW), [key], url, NOW)).toBeUndefined();
});

test('a client that was let in stays as long as its key and its peer are accepted', () => {
  const token = makeToken(peer, key, url, NOW);
  const judge = (keys: Buffer[], trusted: boolean): string => judgeToken(token, { keys, trusts: () => trusted }, url);
  expect(judge([key], true)).toBe('keep');
  expect(judge([randomBytes(32), key], true)).toBe('keep');
  expect(judge([randomBytes(32)], true)).toBe('reconnect');
  expect(judge([key], false)).toBe('end');
});

test.each([undefined, '', '....', 'a.b.c.d', 'x'.repeat(2000)])('%p is none', token => {
  expect(readToken(token, [key], url, NOW)).toBeUndefined();
});
