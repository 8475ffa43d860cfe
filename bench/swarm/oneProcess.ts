/**
 * Work that simulated peers can leave out since they are all in one process: it takes most of the time there, and changes nothing of
 * what a simulation counts.
 */
import type { KeyObject } from 'node:crypto';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { SIGNATURE_BYTES } from '../../src/swarm/identity.ts';

interface PeerModule {
  id: (host: string, port: number) => Buffer;
  ipv4: { decode: (state: ReadState) => { id: null; host: string; port: number } };
}

interface ReadState {
  start: number;
  end: number;
  buffer: Buffer;
}

interface Crypto {
  createPublicKey: (from: KeyObject) => KeyObject;
  sign: unknown;
  verify: unknown;
}

interface Sodium {
  crypto_generichash(out: Buffer, data: Buffer, key: Buffer): void;
}

const ADDRESS_BYTES = 6;

const require = createRequire(import.meta.url);

/**
 * Leaves that work out, until the function that it returns is called.
 * @param signatures whether signatures are left out too
 */
export function leaveOut(signatures: boolean): () => void {
  const restoring = [rememberPeers(), ...(signatures ? [signByHash()] : [])];
  return () => restoring.forEach(restore => restore());
}

/** Computes the id of each peer once, which is a hash of its address, and reads the text of each host once. */
function rememberPeers(): () => void {
  const module = require('dht-rpc/lib/peer') as PeerModule;
  const { id, ipv4 } = module;
  const { decode } = ipv4;
  const ids = new Map<number, Map<string, Buffer>>();
  module.id = (host, port) => {
    let ofPort = ids.get(port);
    if (!ofPort) ids.set(port, (ofPort = new Map<string, Buffer>()));
    let found = ofPort.get(host);
    if (!found) ofPort.set(host, (found = id(host, port)));
    return found;
  };
  const hosts = new Map<number, string>();
  ipv4.decode = state => {
    const { start, end, buffer } = state;
    if (end - start < ADDRESS_BYTES) throw new Error('Out of bounds');
    const number = buffer.readUInt32BE(start);
    let host = hosts.get(number);
    if (host === undefined) hosts.set(number, (host = buffer.subarray(start, start + 4).join('.')));
    state.start += ADDRESS_BYTES;
    return { id: null, host, port: buffer.readUInt16LE(start + 4) };
  };
  return () => {
    module.id = id;
    ipv4.decode = decode;
  };
}

/**
 * Makes the signatures of peers by a hash of their public keys, so that who knows one can sign: they are as long as real ones, and what
 * was signed for another target or by another peer is refused as it is else.
 */
function signByHash(): () => void {
  const crypto = require('node:crypto') as Crypto;
  const sodium = require('sodium-universal') as Sodium;
  const { createPublicKey, sign, verify } = crypto;
  const publicKeys = new WeakMap<KeyObject, Buffer>();
  const bytesOf = (jwk: { x?: string }): Buffer => Buffer.from(jwk.x!, 'base64url');
  const signatureBy = (publicKey: Buffer, data: Buffer): Buffer => {
    const signature = Buffer.allocUnsafe(SIGNATURE_BYTES);
    sodium.crypto_generichash(signature, data, publicKey);
    return signature;
  };
  const replace = (by: Record<keyof Crypto, unknown>): void => {
    Object.assign(crypto, by);
    syncBuiltinESMExports();
  };
  replace({
    createPublicKey: (from: KeyObject | { key: { x: string } }) => {
      if ('key' in from) return { bytes: bytesOf(from.key) };
      const publicKey = createPublicKey(from);
      publicKeys.set(from, bytesOf(publicKey.export({ format: 'jwk' })));
      return publicKey;
    },
    sign: (_: null, data: Buffer, privateKey: KeyObject) => signatureBy(publicKeys.get(privateKey)!, data),
    verify: (_: null, data: Buffer, { bytes }: { bytes: Buffer }, signature: Buffer) =>
      signatureBy(bytes, data).equals(signature),
  });
  return () => replace({ createPublicKey, sign, verify });
}
