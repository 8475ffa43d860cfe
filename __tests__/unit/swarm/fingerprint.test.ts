/** Fingerprints of certificates cross the wire as bytes. */
import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { fingerprintFromBytes, fingerprintOf, fingerprintToBytes } from '../../../src/swarm/fingerprint.ts';
import { selfSigned } from '../../helpers/tls.ts';

test('a fingerprint is that of the certificate, and survives the wire', async () => {
  const { cert } = await selfSigned();
  const fingerprint = fingerprintOf(cert);
  expect(fingerprint).toBe(new X509Certificate(cert).fingerprint256);
  expect(fingerprintOf(Buffer.from(cert))).toBe(fingerprint);
  expect(fingerprintToBytes(fingerprint)).toHaveLength(32);
  expect(fingerprintFromBytes(fingerprintToBytes(fingerprint))).toBe(fingerprint);
});

test('what is no certificate, or no fingerprint, is not taken for one', () => {
  expect(() => fingerprintOf('certificate')).toThrow('cert must be a certificate in PEM');
  expect(fingerprintFromBytes(Buffer.alloc(32))).toBeUndefined();
  expect(fingerprintFromBytes(Buffer.alloc(31, 1))).toBeUndefined();
});
