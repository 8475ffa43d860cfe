/** Why a server is not reached, in words that say what to do: what the system and the libraries below say of it stays the cause. */
import { NodeUnavailableError } from '../../api/errors.ts';
import { shortened } from '../protocol/measure.ts';

/** A server says welcome as soon as it has let a client in. */
const WELCOME_TIMEOUT_MS = 2500;
/** What others say can be as long as they like. */
const MAX_CAUSE = 500;

export const MALFORMED_WELCOME = 'a malformed welcome';
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
    EPROTO: NO_TLS,
    ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  }),
);

/** Members by which socket.io and `ws` hand on what is below them. */
interface Described {
  description?: { error?: unknown };
}

/** What happened below socket.io, if it says so. */
export function causeOf(error: Error): Error & { code?: string } {
  const cause = (error as Described).description?.error;
  return isError(cause) ? cause : error;
}

/** An error of the system may belong to another realm than this module's `Error`. */
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

/** What keeps a client from its server: each cause is told once, until it was let in. */
export class ConnectErrors {
  readonly #url: string;
  readonly #onError: (error: NodeUnavailableError) => void;
  readonly #told = new Set<string>();
  #latest: Error | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(url: string, onError: (error: NodeUnavailableError) => void) {
    this.#url = url;
    this.#onError = onError;
  }

  /** Why there is no connection at present, as far as is known. */
  get latest(): Error | undefined {
    return this.#latest;
  }

  /** An attempt has failed, not by the server's will. @returns whether that is told now, for the first time */
  note(error: Error): boolean {
    const cause = causeOf(error);
    const { code, message } = cause;
    const what = code === undefined || message.includes(code) ? message : `${message} (${code})`;
    return this.#tell(
      code ?? message,
      `${explanationOf(this.#url, cause)}: ${shortened(what.replace(/\s+/g, ' ').trim(), MAX_CAUSE)}`,
      cause,
    );
  }

  /** There was a connection, and why it has gone is told by other means. */
  remember(error: Error): void {
    this.#latest = error;
  }

  /** The connection is open: now the server has to say welcome. */
  opened(): void {
    this.ended();
    this.#waiting = setTimeout(() => {
      this.#tell(
        'no welcome',
        `it has not said welcome within ${WELCOME_TIMEOUT_MS} ms: it is no Mafalda server, or its auth() takes longer`,
      );
    }, WELCOME_TIMEOUT_MS).unref();
  }

  /** There is nothing to be waited for: it has said something else, or the connection has gone. */
  ended(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }

  accepted(): void {
    this.ended();
    this.#told.clear();
    this.#latest = undefined;
  }

  #tell(key: string, why: string, cause?: Error): boolean {
    const error = new NodeUnavailableError(`${this.#url}: ${why}`, { node: this.#url, cause });
    this.#latest = error;
    if (this.#told.has(key)) return false;
    this.#told.add(key);
    this.#onError(error);
    return true;
  }
}
