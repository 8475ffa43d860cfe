/** The option `auth`, and the decision by it which clients are let in. */
import { createHash, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { expecting, secret } from '../../api/optionsSchema.ts';
import { PROTOCOL_VERSION } from '../protocol/messages.ts';
import { isCredentials } from '../protocol/validate.ts';

/**
 * Decides whether a client is let in: the token that all clients share; or a function of the client's token, and of the
 * `name` that it comes under, which returns true to let it in, and whose error's message is sent to a client that it
 * refuses; or false to let in every client.
 */
export type Auth =
  string | false | ((token: string | undefined, name: string | undefined) => boolean | Promise<boolean>);

/** An environment variable that is not set must not open a server to everybody: so there is no default. */
export const auth = secret(
  expecting(
    'the token that clients have to show (a string), or a function that decides, or false if everybody who reaches the port may come in',
    v.custom<Auth>(
      value => value === false || typeof value === 'function' || (typeof value === 'string' && value !== ''),
    ),
  ),
);

/** @throws {Error} with the reason of the refusal, in words that help an operator, and no intruder */
export async function authenticate(auth: Auth, credentials: unknown): Promise<void> {
  if (!isCredentials(credentials)) throw new Error('malformed credentials: see docs/reference/protocol.md');
  const { protocol, token, name } = credentials;
  if (!(await isAllowed(auth, token, name))) throw new Error('unauthorized: the token is missing or wrong');
  if (protocol !== PROTOCOL_VERSION) {
    const message = `incompatible: the server speaks version ${PROTOCOL_VERSION} of the protocol, the client version ${protocol}`;
    // socket.io sends `data` to the client.
    throw Object.assign(new Error(message), { data: { permanent: true } });
  }
}

async function isAllowed(auth: Auth, token: string | undefined, name: string | undefined): Promise<boolean> {
  if (auth === false) return true;
  if (typeof auth === 'function') return (await auth(token, name)) === true;
  return token !== undefined && timingSafeEqual(digest(auth), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
