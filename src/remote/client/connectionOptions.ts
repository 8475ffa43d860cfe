/** Options of the connection to a server, with their checks. */
import { checkDuration } from '../../api/checkDuration.ts';
import type { OptionNames } from '../../api/options.ts';
import type { NodeLimits } from './nodeLimits.ts';
import { isName, MAX_NAME_LENGTH } from '../protocol/validate.ts';

/** Token, or a function of the server's URL that returns it. */
export type Token = string | ((url: string) => string | undefined | Promise<string | undefined>);

/** Options of a RemoteMafaldaClient. */
export interface RemoteMafaldaClientOptions {
  /**
   * Token that the server's `auth` asks for; or a function of the server's URL that returns it, called at each attempt
   * to connect. With a different token for each server, no server can use another in the client's name.
   * @default no token
   */
  token?: Token | undefined;
  /**
   * Path of the server, if its URL has none.
   * @default '/mafalda'
   */
  path?: string | undefined;
  /**
   * Certificate authority, PEM, for servers whose certificate the system does not know. Certificates are always
   * checked.
   * @default the authorities that Node.js knows
   */
  ca?: string | Buffer | undefined;
  /**
   * Certificate of this client, PEM, for servers that ask for it.
   * @default no certificate
   */
  cert?: string | Buffer | undefined;
  /**
   * Private key of `cert`, PEM.
   * @default no key
   */
  key?: string | Buffer | undefined;
  /**
   * Time limit of a call, in ms, including the time without a connection. A call beyond it rejects with a
   * `CallTimeoutError`, or with a `NodeUnavailableError` or `RefusedError` if it was never sent.
   * @default 15000
   */
  callTimeout?: number | undefined;
  /**
   * Silence of the server, in ms, after which everything that came from it closes here. The server's own
   * `sessionTimeout` is the upper limit.
   * @default the server's sessionTimeout
   */
  sessionTimeout?: number | undefined;
  /**
   * Name under which this client may come back, of at most 200 characters: when its application starts again, the
   * server closes at once everything that the client had left there, its objects, and its own Workers with their ports.
   * Of two clients with the same name, the last to come is served, and the other gets a `RefusedError`.
   * @default no name
   */
  name?: string | undefined;
  /**
   * Limits of the data that the server may send; beyond them the session ends, and everything that came from the server
   * closes.
   * @default the defaults of each limit
   */
  limits?: Partial<NodeLimits> | undefined;
}

/**
 * Names of the options that apply to all nodes of a cluster; `sessionTimeout` is missing, since the cluster decides on
 * silent nodes.
 */
export const clusterConnectionOptions: OptionNames<Omit<RemoteMafaldaClientOptions, 'sessionTimeout'>> = {
  token: true,
  path: true,
  ca: true,
  cert: true,
  key: true,
  callTimeout: true,
  name: true,
  limits: true,
};

export const connectionOptions: OptionNames<RemoteMafaldaClientOptions> = {
  ...clusterConnectionOptions,
  sessionTimeout: true,
};

/** @throws {TypeError} for an invalid option */
export function checkConnectionOptions({ callTimeout, sessionTimeout, name, token }: RemoteMafaldaClientOptions): void {
  if (token !== undefined && typeof token !== 'string' && typeof token !== 'function')
    throw new TypeError('if given, token must be a string, or a function of the URL');
  checkDuration('callTimeout', callTimeout, 1);
  checkDuration('sessionTimeout', sessionTimeout, 1);
  if (name !== undefined && !isName(name))
    throw new TypeError(`if given, name must be a string of 1 to ${MAX_NAME_LENGTH} characters`);
}
