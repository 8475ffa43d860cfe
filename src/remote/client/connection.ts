/** The connection to a server: made again whenever it is lost, with one session that goes on across all of that. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { io, type Socket } from 'socket.io-client';
import { logger } from '../../shared/logger.ts';
import { decodeError } from '../protocol/errors.ts';
import {
  DEFAULT_MAX_PAYLOAD,
  PROTOCOL_VERSION,
  type ClientMessage,
  type Credentials,
  type LoadReport,
  type ServerMessage,
  type Target,
  type Welcome,
} from '../protocol/messages.ts';
import { Session } from '../protocol/session.ts';
import { isServerMessage } from '../protocol/validate.ts';
import type { Caller } from './mirrorCore.ts';

const log = logger('client');

const RECONNECTION_DELAY_MS = 200;
const RECONNECTION_DELAY_MAX_MS = 5000;
const GOODBYE_TIMEOUT_MS = 1000;
/** What surrounds the arguments of a call on the wire. */
const ENVELOPE_BYTES = 500;

export interface ConnectionOptions {
  /** What the server's `auth` asks for. */
  token?: string;
  /** Default `/mafalda`. */
  path?: string;
  /** Certificate authority, PEM, for servers whose certificate the system does not know. Certificates are always checked. */
  ca?: string | Buffer;
  /** How long the server may be silent before all that came from it is closed here, in ms; default: what the server says. */
  sessionTimeout?: number;
}

export type ConnectionEvents = {
  /** The socket is open. */
  open: [];
  /** The server has let us in. */
  welcome: [];
  disconnected: [reason: string];
  message: [message: Exclude<ServerMessage, { type: 'answer' | 'failure' }>];
  load: [report: LoadReport];
  /** The session is over, and all that the server told in it: another server process is there now, or none has been for too long. */
  lost: [];
  /** Trying again would not help. */
  refused: [error: Error];
};

interface PendingCall {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

export class Connection extends EnhancedEventEmitter<ConnectionEvents> implements Caller {
  /** Another one after each start of the server; undefined before the first welcome. */
  serverId: string | undefined;
  readonly #url: string;
  readonly #socket: Socket;
  readonly #token: string | undefined;
  readonly #calls = new Map<number, PendingCall>();
  #session = this.#newSession();
  #sessionId: string | undefined;
  #nextCallId = 1;
  #closed = false;
  /** How long the session lives without a connection: the server's word. */
  #sessionTimeout = 0;
  #absence: NodeJS.Timeout | undefined;
  /** What the server takes: what is larger would cost the connection, again and again. */
  #maxPayload = DEFAULT_MAX_PAYLOAD;

  constructor(url: string, { token, path = '/mafalda', ca }: ConnectionOptions) {
    super();
    this.#url = url;
    this.#token = token;
    this.#socket = io(toHttp(url), {
      path,
      // `ca` is for Node.js, where alone this runs; socket.io's types know the browser's options only.
      ...({ ca } as object),
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: RECONNECTION_DELAY_MS,
      reconnectionDelayMax: RECONNECTION_DELAY_MAX_MS,
      auth: tell => tell(this.#credentials()),
    });
    this.#socket.on('connect', () => this.emit('open'));
    this.#socket.on('welcome', (welcome: Welcome) => this.#onWelcome(welcome));
    this.#socket.on('load', (report: LoadReport) => this.emit('load', report));
    this.#socket.on('disconnect', reason => this.#onDisconnect(reason));
    this.#socket.on('connect_error', error => this.#onConnectError(error));
  }

  open(): void {
    this.#socket.connect();
  }

  /** Says goodbye, if somebody is there to hear it. The server then closes what was made only for us. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#socket.connected) {
      await this.#socket.timeout(GOODBYE_TIMEOUT_MS).emitWithAck('bye').catch(error => log('%s said no goodbye: %o', this.#url, error));
    }
    this.#socket.disconnect();
    this.#endSession();
  }

  call(target: Target, method: string, args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#checkSize(method, args);
      const id = this.#nextCallId++;
      this.#calls.set(id, { resolve, reject });
      this.#session.send({ type: 'call', id, target, method, args });
    });
  }

  send(target: Target, method: string, args: unknown[]): void {
    this.#checkSize(method, args);
    this.#session.send({ type: 'send', target, method, args });
  }

  #checkSize(method: string, args: unknown[]): void {
    if (sizeOf(args) + ENVELOPE_BYTES <= this.#maxPayload) return;
    throw new RangeError(`${method}(): the arguments are too large, more than the ${this.#maxPayload} bytes of the server's maxPayload`);
  }

  #credentials(): Credentials {
    const session = this.#sessionId === undefined ? undefined : { id: this.#sessionId, received: this.#session.received };
    return { protocol: PROTOCOL_VERSION, token: this.#token, session };
  }

  #newSession(): Session<ClientMessage, ServerMessage> {
    const session = new Session<ClientMessage, ServerMessage>(isServerMessage);
    session.on('message', message => this.#onMessage(message));
    session.on('error', error => {
      log('%s: %o', this.#url, error);
      this.#loseSession();
    });
    return session;
  }

  #onWelcome({ maxPayload, sessionTimeout, serverId, session: { id, received } }: Welcome): void {
    clearTimeout(this.#absence);
    this.serverId = serverId;
    this.#maxPayload = maxPayload;
    this.#sessionTimeout = sessionTimeout;
    if (this.#sessionId !== undefined && this.#sessionId !== id) this.#loseSession();
    this.#sessionId = id;
    this.#session.attach(this.#socket, received);
    if (this.#session.isAttachedTo(this.#socket)) this.emit('welcome');
  }

  #onDisconnect(reason: string): void {
    this.#session.detach();
    clearTimeout(this.#absence);
    if (this.#sessionId !== undefined) this.#absence = setTimeout(() => this.#loseSession(), this.#sessionTimeout).unref();
    this.emit('disconnected', reason);
    // socket.io takes a server that closes for a wish of its own to be left alone; it may be starting again.
    // The same where a session has failed, and has closed the socket: there can be another session.
    if (!this.#closed && reason.endsWith('disconnect')) this.#socket.connect();
  }

  #onConnectError(error: Error): void {
    log('%s: %s', this.#url, error.message);
    // Where it is not going to try again, the server has refused us.
    if (!this.#socket.active) this.emit('refused', new Error(`${this.#url}: ${error.message}`));
  }

  #onMessage(message: ServerMessage): void {
    if (message.type !== 'answer' && message.type !== 'failure') {
      this.emit('message', message);
      return;
    }
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.type === 'answer') call?.resolve(message.result);
    else call?.reject(decodeError(message.error));
  }

  #loseSession(): void {
    this.#endSession();
    this.emit('lost');
  }

  #endSession(): void {
    clearTimeout(this.#absence);
    this.#session.detach();
    this.#session.removeAllListeners();
    this.#session = this.#newSession();
    this.#sessionId = undefined;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { reject } of calls) reject(new Error(`the connection to ${this.#url} was closed before the call was answered`));
  }
}

/** Of the largest message that these arguments take: Buffers go in messages of their own. */
function sizeOf(args: unknown[]): number {
  let largest = 0;
  const text = JSON.stringify(args, function (this: Record<string, unknown>, key: string, value: unknown) {
    // Buffers have been turned into objects by their toJSON() already: look at what they were.
    const original = this[key];
    if (!(original instanceof Uint8Array)) return value;
    largest = Math.max(largest, original.byteLength);
    return null;
  });
  return Math.max(largest, Buffer.byteLength(text));
}

function toHttp(url: string): string {
  const { protocol, host } = new URL(url);
  if (!/^(ws|http)s?:$/.test(protocol)) throw new TypeError(`${url}: must begin with wss:// or ws://`);
  return `${protocol.replace('ws', 'http')}//${host}`;
}
