/** Options of the connection to a server, with their schema. */
import * as v from 'valibot';
import { expecting, optionsOf, secret } from '../../api/optionsSchema.ts';
import { duration, pem, text } from '../../api/optionTypes.ts';
import { written } from '../../api/written.ts';
import { DEFAULT_PATH } from '../protocol/messages.ts';
import { MAX_NAME_LENGTH } from '../protocol/validate.ts';
import { nodeLimits, type NodeLimits } from './nodeLimits.ts';

/** Token, or a function of the server's URL that returns it. */
export type Token = string | ((url: string) => string | undefined | Promise<string | undefined>);

/** Fingerprints of certificates, or a function of the server's URL that returns them. */
export type Fingerprints = readonly string[] | ((url: string) => readonly string[] | undefined);

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
   * SHA-256 fingerprints of certificates, `AB:CD:…` as `openssl x509 -fingerprint -sha256` shows them: a server of a
   * `wss:` URL must have one of these certificates, and needs no authority. Or a function of the URL that returns them,
   * called at each attempt to connect, or undefined where authorities decide.
   * @default authorities decide
   */
  fingerprints?: Fingerprints | undefined;
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
   * Limits of what the server may cost this client: data that it sends, beyond which the session ends, and everything
   * that came from the server closes; and calls that it does not answer.
   * @default the defaults of each limit
   */
  limits?: Partial<NodeLimits> | undefined;
}

const isFingerprint = (value: unknown): boolean =>
  typeof value === 'string' && /^([\dA-F]{2}:){31}[\dA-F]{2}$/.test(value);

const fingerprints = written(
  'list',
  expecting(
    'an array of SHA-256 fingerprints (32 bytes as AB:CD:…), or a function of the URL',
    v.custom<Fingerprints>(
      value => typeof value === 'function' || (Array.isArray(value) && value.length > 0 && value.every(isFingerprint)),
    ),
  ),
);

/**
 * Options that apply to all nodes of a cluster; `sessionTimeout` is missing, since the cluster decides on silent nodes.
 */
export const clusterConnectionOptions = optionsOf<Omit<RemoteMafaldaClientOptions, 'sessionTimeout'>>()({
  token: v.optional(
    secret(
      written(
        'text',
        expecting(
          'a string, or a function of the URL',
          v.custom<Token>(value => typeof value === 'string' || typeof value === 'function'),
        ),
      ),
    ),
  ),
  path: v.optional(text, DEFAULT_PATH),
  ca: v.optional(pem),
  fingerprints: v.optional(fingerprints),
  cert: v.optional(pem),
  key: v.optional(secret(pem)),
  callTimeout: v.optional(duration(1), 15_000),
  name: v.optional(
    expecting(
      `a string of 1 to ${MAX_NAME_LENGTH} characters`,
      v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_NAME_LENGTH)),
    ),
  ),
  limits: v.optional(nodeLimits, {}),
});

export const connectionOptions = optionsOf<RemoteMafaldaClientOptions>()({
  ...clusterConnectionOptions.entries,
  sessionTimeout: v.optional(duration(1)),
});

/** Options of a connection with their defaults filled in. */
export type ResolvedConnectionOptions = v.InferOutput<typeof connectionOptions>;
