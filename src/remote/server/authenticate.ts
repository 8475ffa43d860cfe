import { createHash, timingSafeEqual } from 'node:crypto';
import { PROTOCOL_VERSION } from '../protocol/messages.ts';
import { isCredentials } from '../protocol/validate.ts';

/** The token that all clients share, or a function that decides. It may throw to say why not. */
export type Auth = string | ((token: string | undefined) => boolean | Promise<boolean>);

/** @throws {Error} saying why the client is refused, in words that help its operator and nobody else */
export async function authenticate(auth: Auth | undefined, credentials: unknown): Promise<void> {
  if (!isCredentials(credentials)) throw new Error('malformed credentials: see docs/reference/protocol.md');
  const { protocol, token } = credentials;
  if (!(await isAllowed(auth, token))) throw new Error('unauthorized: the token is missing or wrong');
  if (protocol !== PROTOCOL_VERSION) {
    const message = `incompatible: the server speaks version ${PROTOCOL_VERSION} of the protocol, the client version ${protocol}`;
    // socket.io hands `data` over to the client.
    throw Object.assign(new Error(message), { data: { permanent: true } });
  }
}

async function isAllowed(auth: Auth | undefined, token: string | undefined): Promise<boolean> {
  if (auth === undefined) return true;
  if (typeof auth === 'function') return (await auth(token)) === true;
  return token !== undefined && timingSafeEqual(digest(auth), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
