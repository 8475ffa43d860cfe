/** Identity of a peer: an Ed25519 key pair, with which it signs what it says of itself. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

export class Identity {
  /** Public key, base64url, which names the peer. */
  readonly id: string;
  readonly publicKey: Buffer;
  readonly #privateKey: KeyObject;

  /**
   * @param privateKey Ed25519 key in PEM; default: a new one
   * @throws {TypeError} for another kind of key
   */
  constructor(privateKey?: string) {
    this.#privateKey = privateKey === undefined ? generateKeyPairSync('ed25519').privateKey : parse(privateKey);
    const { x } = createPublicKey(this.#privateKey).export({ format: 'jwk' });
    this.id = x!;
    this.publicKey = Buffer.from(this.id, 'base64url');
  }

  sign(data: Buffer): Buffer {
    return sign(null, data, this.#privateKey);
  }
}

/** Returns whether the peer with this public key has signed the data. */
export function isSignedBy(publicKey: Buffer, data: Buffer, signature: Buffer): boolean {
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') };
    return verify(null, data, createPublicKey({ key: jwk, format: 'jwk' }), signature);
  } catch {
    // Not every string of 32 bytes is a key.
    return false;
  }
}

function parse(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new TypeError('identity must be an Ed25519 private key in PEM', { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new TypeError(`identity must be an Ed25519 private key, and is of type ${key.asymmetricKeyType}`);
  return key;
}
