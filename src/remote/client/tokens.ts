/** Tokens that a client shows to servers. */
import { isLoopback } from '../../core/addresses/loopback.ts';
import type { Token } from './connectionOptions.ts';

/**
 * Returns the token for a server.
 * @throws the error of the token function
 * @throws {TypeError} if the function returns anything else than a string or undefined
 */
export async function askToken(token: Token | undefined, url: string): Promise<string | undefined> {
  const asked: unknown = typeof token === 'function' ? await token(url) : token;
  if (asked === undefined || typeof asked === 'string') return asked;
  throw new TypeError(`token(${url}) gave something of type ${typeof asked}, which is no string`);
}

/** Warns once for each server to which the token is sent unencrypted over a network. */
export function warnOfPlainToken(token: Token | undefined, url: string): void {
  const { protocol, hostname } = new URL(url);
  if (token === undefined || /^(wss|https):$/.test(protocol) || isLoopback(hostname) || warned.has(url)) return;
  warned.add(url);
  process.emitWarning(
    `the token for ${url} leaves this machine unencrypted: use wss://, or a network that nobody else reads`,
    { code: 'MAFALDA_PLAIN_TOKEN' },
  );
}

const warned = new Set<string>();
