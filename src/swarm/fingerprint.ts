/** Fingerprints of certificates, by which a peer that others know by its key is known to be at the other end of TLS. */
import { X509Certificate } from 'node:crypto';

export const FINGERPRINT_BYTES = 32;

/**
 * Returns the SHA-256 fingerprint of a certificate, as Node.js and openssl write it: `AB:CD:…`.
 * @param cert PEM; of a chain the first certificate counts
 * @throws {TypeError} if it is no certificate
 */
export function fingerprintOf(cert: string | Buffer): string {
  try {
    return new X509Certificate(cert).fingerprint256;
  } catch (error) {
    throw new TypeError('cert must be a certificate in PEM', { cause: error });
  }
}

export function fingerprintToBytes(fingerprint: string): Buffer {
  return Buffer.from(fingerprint.replaceAll(':', ''), 'hex');
}

/** @returns undefined for bytes that are no fingerprint, or stand for none: all zero */
export function fingerprintFromBytes(bytes: Buffer): string | undefined {
  if (bytes.length !== FINGERPRINT_BYTES || bytes.every(byte => byte === 0)) return undefined;
  return bytes
    .toString('hex')
    .toUpperCase()
    .replace(/..(?!$)/g, '$&:');
}
