/**
 * Errors of connecting, with messages that advise a remedy. The errors of the system and of libraries become their
 * causes.
 */
import { NodeUnavailableError } from '../../api/errors.ts';
import { shortened } from '../protocol/measure.ts';

/** Time limit of the server's welcome after the connection is open, in ms. */
const WELCOME_TIMEOUT_MS = 2500;
/** Characters of the text of a cause, which can be of any length. */
const MAX_CAUSE = 500;

export const MALFORMED_WELCOME = 'a malformed welcome';
/** Code of the error for a certificate that is none of those that are pinned. */
export const CERT_NOT_PINNED = 'CERT_NOT_PINNED';
const UNTRUSTED =
  'the authority that has signed its certificate is not known here: give it as `ca` (PEM), or by NODE_EXTRA_CA_CERTS';
const NO_TLS = 'it does not speak TLS on that port: ws:// is for servers without `cert` and `key`';
const NO_PORT = 'nobody listens on that port: is the server running, and the port right';
const NO_WAY = 'there is no way to that machine from here: is the address right, and does a firewall let it pass';
const NO_NAME = 'that name can’t be resolved: is the host right';

const byCode = new Map(
  Object.entries({
    ECONNREFUSED: NO_PORT,
    ENOTFOUND: NO_NAME,
    EAI_AGAIN: NO_NAME,
    EHOSTUNREACH: NO_WAY,
    ENETUNREACH: NO_WAY,
    ETIMEDOUT: NO_WAY,
    SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
    DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
    UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
    CERT_SIGNATURE_FAILURE: UNTRUSTED,
    CERT_HAS_EXPIRED: 'its certificate has expired',
    CERT_NOT_YET_VALID: 'its certificate is not valid yet: are both clocks right',
    ERR_TLS_CERT_ALTNAME_INVALID:
      'its certificate is for another host: use the name, or the address, that it is made for',
    [CERT_NOT_PINNED]:
      'its certificate is none of those that it is known by: it has a new one, or something between here and there answers in its place',
    EPROTO: NO_TLS,
    ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  }),
);

/** Members by which socket.io and `ws` pass on the error below them. */
interface Described {
  description?: { error?: unknown };
}

/** Returns the error below socket.io, or the given error if there is none. */
export function causeOf(error: Error): Error & { code?: string } {
  const cause = (error as Described).description?.error;
  return isError(cause) ? cause : error;
}

/** Checks members rather than the class, since an error of the system may belong to another realm. */
function isError(value: unknown): value is Error & { code?: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'message' in value &&
    typeof value.message === 'string' &&
    'stack' in value
  );
}

function explanationOf(url: string, { code = '', message }: { code?: string; message: string }): string {
  const isSecure = /^(wss|https):/.test(url);
  const known = byCode.get(code);
  if (known) return known;
  const status = /Unexpected server response: (\d+)/.exec(message)?.[1];
  if (status !== undefined) return explanationOfStatus(status);
  if (code.startsWith('HPE_') || message === 'server error' || message === MALFORMED_WELCOME)
    return 'what answers there is no Mafalda server';
  if (code.startsWith('ERR_SSL_') && code.includes('ALERT'))
    return 'it refuses the TLS connection: does it ask for a certificate of yours (`cert` and `key`)';
  if (code === 'ECONNRESET') {
    return isSecure
      ? 'it has closed the connection before anything was said: is it a Mafalda server, and does it ask for a certificate of yours (`cert` and `key`)'
      : 'it has closed the connection before anything was said: a port with TLS needs wss://; else, is it a Mafalda server, and the path right';
  }
  if (message === 'timeout')
    return 'it has not answered in time: is the address right, does a firewall swallow packets, is it a Mafalda server';
  return 'it can’t be reached';
}

function explanationOfStatus(status: string): string {
  if (status === '404') return 'there is no Mafalda server at that path';
  if (status === '403' || status === '401')
    return 'it lets nobody in without more ado: a proxy before it asks for something, or it takes us for a page of a browser (`origins`)';
  if (['502', '503', '504'].includes(status)) return 'what answers there has no server behind it at present';
  return 'what answers there is no Mafalda server: are host, port and path right';
}

/** Reports the reasons why a client can't connect, each cause once until the client is let in. */
export class ConnectErrors {
  readonly #url: string;
  readonly #onError: (error: NodeUnavailableError) => void;
  readonly #reported = new Set<string>();
  #latest: Error | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(url: string, onError: (error: NodeUnavailableError) => void) {
    this.#url = url;
    this.#onError = onError;
  }

  /** Known reason why there is no connection at present. */
  get latest(): Error | undefined {
    return this.#latest;
  }

  /** Notes a failed attempt that is not a refusal. @returns whether it has been reported, since its cause is new */
  note(error: Error): boolean {
    const cause = causeOf(error);
    const { code, message } = cause;
    const what = code === undefined || message.includes(code) ? message : `${message} (${code})`;
    return this.#report(
      code ?? message,
      `${explanationOf(this.#url, cause)}: ${shortened(what.replace(/\s+/g, ' ').trim(), MAX_CAUSE)}`,
      cause,
    );
  }

  /** Remembers the loss of a connection, which the caller reports. */
  remember(error: Error): void {
    this.#latest = error;
  }

  /** Starts waiting for the server's welcome. */
  opened(): void {
    this.ended();
    this.#waiting = setTimeout(() => {
      this.#report(
        'no welcome',
        `it has not said welcome within ${WELCOME_TIMEOUT_MS} ms: it is no Mafalda server, or its auth() takes longer`,
      );
    }, WELCOME_TIMEOUT_MS).unref();
  }

  /** Stops waiting for the welcome. */
  ended(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }

  accepted(): void {
    this.ended();
    this.#reported.clear();
    this.#latest = undefined;
  }

  #report(key: string, why: string, cause?: Error): boolean {
    const error = new NodeUnavailableError(`${this.#url}: ${why}`, { node: this.#url, cause });
    this.#latest = error;
    if (this.#reported.has(key)) return false;
    this.#reported.add(key);
    this.#onError(error);
    return true;
  }
}
