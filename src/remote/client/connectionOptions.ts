/** What an application may say of how a server is reached. */
import { checkDuration } from '../../api/checkDuration.ts';
import type { NodeLimits } from './nodeLimits.ts';
import { isName, MAX_NAME_LENGTH } from '../protocol/validate.ts';

export type Token = string | ((url: string) => string | undefined | Promise<string | undefined>);

export interface ConnectionOptions {
  /**
   * The token that the server's `auth` asks for; or a function that gets the server's URL, asked at each attempt to connect. With a token for each server, none of
   * them can use the others in our name.
   */
  token?: Token;
  /** Of servers whose URL has none; default `/mafalda`. */
  path?: string;
  /** Certificate authority, PEM, for servers whose certificate the system does not know. Certificates are always checked. */
  ca?: string | Buffer;
  /** Certificate and key of this client, PEM, for servers that ask for them. */
  cert?: string | Buffer;
  key?: string | Buffer;
  /** How long a call may take, the time without a connection included, in ms; default 15,000. Then it rejects. */
  callTimeout?: number;
  /**
   * How long the server may be silent before all that came from it is closed here, in ms. Default and upper limit: what
   * the server says.
   */
  sessionTimeout?: number;
  /**
   * Under which this client may come back: when its application starts again, what it had left on the server is closed at once, its
   * objects, and its own Workers with their ports. Of two clients with the same name, the one that comes last is served, and the other
   * one gets a `RefusedError`. At most 200 characters.
   */
  name?: string;
  /** What the server may tell: beyond that its session is ended, and all that came from it closes. */
  limits?: Partial<NodeLimits>;
}

export const connectionOptions: Record<keyof ConnectionOptions, true> = {
  token: true,
  path: true,
  ca: true,
  cert: true,
  key: true,
  callTimeout: true,
  sessionTimeout: true,
  name: true,
  limits: true,
};

/** @throws {TypeError} for an option that can't be used */
export function checkConnectionOptions({ callTimeout, sessionTimeout, name, token }: ConnectionOptions): void {
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'function')
    throw new TypeError('if given, token must be a string, or a function of the URL');
  checkDuration('callTimeout', callTimeout, 1);
  checkDuration('sessionTimeout', sessionTimeout, 1);
  if (name !== undefined && !isName(name))
    throw new TypeError(`if given, name must be a string of 1 to ${MAX_NAME_LENGTH} characters`);
}
