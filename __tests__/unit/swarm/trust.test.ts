/** Trust of a peer changes while it runs, in what is given only. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Trust } from '../../../src/swarm/trust.ts';

const key = randomBytes(32);

test('all members of the group are trusted, but for those that are revoked', () => {
  const trust = new Trust({ key, trusted: undefined, revoked: ['bad'] });
  expect(['good', 'bad'].map(peer => trust.trusts(peer))).toEqual([true, false]);
});

test('with a list of the trusted nobody else is, and what is revoked neither', () => {
  const trust = new Trust({ key, trusted: ['good', 'bad'], revoked: ['bad'] });
  expect(['good', 'bad', 'another'].map(peer => trust.trusts(peer))).toEqual([true, false, false]);
});

test('what is given is replaced, and the rest stays', () => {
  const trust = new Trust({ key, trusted: ['one', 'two'], revoked: [] });
  trust.update({ revoked: ['two'] });
  expect(['one', 'two'].map(peer => trust.trusts(peer))).toEqual([true, false]);
  const next = randomBytes(32);
  trust.update({ key: [next, key], revoked: undefined });
  expect(trust.keys).toEqual([next, key]);
  trust.update({ trusted: ['two'], revoked: [] });
  expect(['one', 'two'].map(peer => trust.trusts(peer))).toEqual([false, true]);
  expect(trust.keys).toEqual([next, key]);
});

test('keys are copied: a caller may erase its own', () => {
  const given = randomBytes(32);
  const trust = new Trust({ key: given, trusted: undefined, revoked: [] });
  given.fill(0);
  expect(trust.keys[0]).not.toEqual(given);
});
