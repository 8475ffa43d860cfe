/**
 * Pinned certificates: a server is known by the certificate itself, not by an authority that has signed it. Nothing is
 * sent to a server that has another one.
 */
import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';
import { CERT_NOT_PINNED } from './connectErrors.ts';
import type { Fingerprints } from './connectionOptions.ts';

/** Limit for connecting and the handshake of TLS, in ms. */
const HANDSHAKE_TIMEOUT_MS = 4000;

/** Returns what makes the connections to a server; undefined if authorities decide on its certificate in any case. */
export function pinningAgent(fingerprints: Fingerprints | undefined, url: string): Agent | undefined {
  const isSecure = /^(wss|https):/.test(url);
  if (!isSecure || fingerprints === undefined) return undefined;
  return new PinningAgent(() => (typeof fingerprints === 'function' ? fingerprints(url) : fingerprints));
}

class PinningAgent extends Agent {
  readonly #fingerprints: () => readonly string[] | undefined;

  constructor(fingerprints: () => readonly string[] | undefined) {
    // A session that is resumed would show no certificate.
    super({ maxCachedSessions: 0 });
    this.#fingerprints = fingerprints;
  }

  override createConnection(
    options: AgentOptions,
    callback: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const pinned = this.#fingerprints();
    if (!pinned) return super.createConnection(options, callback);
    // The path is that of the request, and would be taken for that of a socket of this machine.
    const socket = connect({ ...options, path: undefined, rejectUnauthorized: false } as ConnectionOptions);
    const timer = setTimeout(
      () => socket.destroy(new Error(`no TLS within ${HANDSHAKE_TIMEOUT_MS} ms`)),
      HANDSHAKE_TIMEOUT_MS,
    );
    const onError = (error: Error): void => callback(error, socket);
    socket.once('error', onError);
    socket.once('close', () => clearTimeout(timer));
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      const shown = socket.getPeerX509Certificate()?.fingerprint256;
      if (shown === undefined || !pinned.includes(shown))
        return void socket.destroy(Object.assign(new Error(`it has shown ${shown}`), { code: CERT_NOT_PINNED }));
      socket.off('error', onError);
      callback(null, socket);
    });
    return undefined;
  }
}
