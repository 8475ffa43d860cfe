/** A peer has a key of its own, by which it is known. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Identity, isSignedBy } from '../../../src/swarm/identity.ts';

const data = Buffer.from('said by a peer');

test('what a peer has signed is known to be its own', () => {
  const [peer, other] = [new Identity(), new Identity()];
  const signature = peer.sign(data);
  expect(isSignedBy(peer.publicKey, data, signature)).toBe(true);
  expect(isSignedBy(other.publicKey, data, signature)).toBe(false);
  expect(isSignedBy(peer.publicKey, Buffer.from('said by another'), signature)).toBe(false);
  expect(isSignedBy(Buffer.alloc(3), data, signature)).toBe(false);
  expect(isSignedBy(peer.publicKey, data, Buffer.alloc(3))).toBe(false);
});

test('a peer with the same private key is the same peer', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  expect(new Identity(pem).id).toBe(new Identity(pem).id);
  expect(new Identity().id).not.toBe(new Identity().id);
});

test('another kind of key is refused', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  expect(() => new Identity(rsa as string)).toThrow('and is of type rsa');
  expect(() => new Identity('no key')).toThrow('identity must be an Ed25519 private key in PEM');
});
