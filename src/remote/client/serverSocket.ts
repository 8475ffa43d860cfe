/** Socket to one server, by its URL: makes the connections, checks what comes outside of the session, explains failures. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { io, type Socket } from 'socket.io-client';
import { logger } from '../../core/logger.ts';
import type { LoadReport } from '../../api/load.ts';
import { parser } from '../protocol/parser.ts';
import { PROTOCOL_VERSION, type Credentials, type Welcome } from '../protocol/messages.ts';
import { shortened } from '../protocol/measure.ts';
import {
  listenToAll,
  type ClientEvents,
  type Received,
  type Sent,
  type ServerEvents,
  type SessionEvents,
} from '../protocol/socketEvents.ts';
import { isLoadReport, isWelcome } from '../protocol/validateServer.ts';
import { causeOf, ConnectErrors, MALFORMED_WELCOME } from './connectErrors.ts';
import type { ResolvedConnectionOptions, Token } from './connectionOptions.ts';
import { closeForMalformedPackets, replaceMalformed } from './malformedPackets.ts';
import { pinningAgent } from './pinning.ts';
import { readInTurns } from './readInTurns.ts';
import { Refusal } from './refusal.ts';
import { terminate } from './terminate.ts';
import { askToken, warnOfPlainToken } from './tokens.ts';
import { addressOf } from './url.ts';

const log = logger('client');

/** Time limit of an attempt to connect, in ms; TCP's own is much longer, also for attempts begun without a network. */
const CONNECT_TIMEOUT_MS = 4000;
const RECONNECTION_DELAY_MS = 200;
const RECONNECTION_DELAY_MAX_MS = 5000;
/** Longest delay of reconnection while there is a session, in ms. */
const RETURN_DELAY_MAX_MS = 1000;
/** Time limit of the answer to `alive`, in ms. */
const ALIVE_TIMEOUT_MS = 5000;
/** Characters of the reason of a refusal. */
const MAX_REASON = 2000;

type ClientSocket = Socket<Received<ServerEvents & SessionEvents>, Sent<ClientEvents & SessionEvents>>;

export type ServerSocketEvents = {
  /** The socket is open. */
  open: [];
  /** The server has let the client in, and has described itself. */
  welcome: [welcome: Welcome];
  load: [report: LoadReport];
  /** The server is about to close. */
  goodbye: [];
  /** The server breaks the protocol outside of a session. */
  broken: [what: string];
  /** The server does not let the client in. */
  refused: [reason: string, permanent: boolean];
  /** The server has ended the session. */
  cutoff: [reason: string, permanent: boolean];
  /** An attempt to connect has failed below. @param isGone whether nobody listens at that address */
  failed: [isGone: boolean];
  disconnected: [reason: string];
  /** Something has come from the server. */
  sign: [];
  /** An attempt to connect has failed for a new cause. */
  connecterror: [error: Error];
};

export interface ServerSocketOptions {
  url: string;
  options: ResolvedConnectionOptions;
  /** Returns what the client says of itself at each connection, beside its token. */
  credentials: () => Omit<Credentials, 'protocol' | 'token'>;
  /** Whether it connects again by itself when the connection is lost, since there is no other server. */
  isOnly: boolean;
  /** Whether its connection and its timers keep the process alive; default: true. */
  keepsProcess?: boolean;
}

export class ServerSocket extends EnhancedEventEmitter<ServerSocketEvents> {
  readonly url: string;
  readonly refusal: Refusal;
  readonly connectErrors: ConnectErrors;
  readonly #token: Token | undefined;
  readonly #credentials: ServerSocketOptions['credentials'];
  readonly #socket: ClientSocket;
  #isClosed = false;

  /** @throws {TypeError} for an invalid URL */
  constructor({ url, options, credentials, isOnly, keepsProcess = true }: ServerSocketOptions) {
    super();
    const { token, ca, cert, key, fingerprints, limits } = options;
    this.url = url;
    this.#token = token;
    this.#credentials = credentials;
    this.refusal = new Refusal(url, () => isOnly && this.#socket.connect());
    this.connectErrors = new ConnectErrors(url, error => this.emit('connecterror', error));
    const { origin, path } = addressOf(url, options.path);
    this.#socket = io(origin, {
      path,
      parser,
      // socket.io's types lack these options, which exist in Node.js only.
      ...({ ca, cert, key, agent: pinningAgent(fingerprints, url), maxPayload: limits.packetBytes } as object),
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      autoUnref: !keepsProcess,
      timeout: CONNECT_TIMEOUT_MS,
      reconnection: isOnly,
      reconnectionDelay: RECONNECTION_DELAY_MS,
      reconnectionDelayMax: RECONNECTION_DELAY_MAX_MS,
      auth: answer => void this.#ask().then(answer, (error: Error) => this.#onNoToken(error)),
    });
    warnOfPlainToken(token, url);
    closeForMalformedPackets(this.#socket.io);
    this.#socket.on('connect', () => this.emit('open'));
    listenToAll<ServerEvents>(this.#socket, {
      welcome: welcome => {
        if (isWelcome(welcome)) this.emit('welcome', welcome);
        else this.emit('broken', MALFORMED_WELCOME);
      },
      load: report => {
        if (isLoadReport(report)) this.emit('load', report);
        else log.warn('%s sent a load report that is none', url);
      },
      goodbye: () => this.emit('goodbye'),
      refused: (reason, permanent) => {
        const text = typeof reason === 'string' ? shortened(reason, MAX_REASON) : 'no reason';
        this.emit('cutoff', text, permanent === true);
      },
    });
    this.#socket.on('disconnect', reason => this.#onDisconnect(reason));
    this.#socket.io.on('packet', packet => replaceMalformed(packet));
    this.#socket.io.on('packet', () => readInTurns(this.#socket.io));
    // Packets of a server that refuses the client are no sign of life of its session.
    this.#socket.io.on('packet', () => this.#socket.connected && this.emit('sign'));
    this.#socket.io.on('ping', () => this.emit('sign'));
    this.#socket.io.on('open', () => this.connectErrors.opened());
    this.#socket.io.on('close', () => this.connectErrors.ended());
    this.#socket.on('connect_error', error => this.#onConnectError(error));
  }

  /** Socket that carries the session. */
  get socket(): ClientSocket {
    return this.#socket;
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  /** Known reason why there is no connection at present. */
  get trouble(): Error | undefined {
    return this.refusal.error ?? this.connectErrors.latest;
  }

  connect(): void {
    this.#socket.connect();
  }

  disconnect(): void {
    this.#socket.disconnect();
  }

  /** Ends the connection below, through which nothing comes, so that a new one is made. */
  cut(): void {
    terminate(this.#socket.io);
    this.#socket.io.engine.close();
  }

  /** Asks for a sign of life. */
  ask(): void {
    if (this.#socket.connected) this.#socket.timeout(ALIVE_TIMEOUT_MS).emit('alive', () => undefined);
  }

  /** Ends the session, now and on each further connection. Resolves when the server has acknowledged it. */
  sayGoodbye(flush: () => void): Promise<void> {
    return new Promise(resolve => {
      const say = (): void => {
        // Queued messages go before the goodbye.
        flush();
        this.#socket.emit('bye', () => resolve());
      };
      if (this.#socket.connected) say();
      this.on('welcome', say);
    });
  }

  /** Tells the server that the client has moved to another one. Resolves when the server has acknowledged it. */
  sayMoved(): Promise<void> {
    return new Promise(resolve => this.#socket.emit('moved', () => resolve()));
  }

  /** Makes attempts to connect wait shorter while there is a session to go on with. */
  expectReturn(hasSession: boolean): void {
    this.#socket.io.reconnectionDelayMax(hasSession ? RETURN_DELAY_MAX_MS : RECONNECTION_DELAY_MAX_MS);
  }

  /** Ends the attempts to connect, but not the connection, so that a goodbye still gets through. */
  stop(): void {
    this.#isClosed = true;
    this.refusal.close();
  }

  /** Ends the connection for good. @param isSilent whether nothing comes through it */
  close(isSilent = false): void {
    this.stop();
    if (isSilent) terminate(this.#socket.io);
    this.#socket.disconnect();
    this.connectErrors.ended();
  }

  async #ask(): Promise<Credentials> {
    const token = await askToken(this.#token, this.url);
    return { protocol: PROTOCOL_VERSION, token, ...this.#credentials() };
  }

  #onDisconnect(reason: string): void {
    // socket.io's own queue is dropped: after a long sleep it notices the dead connection only when a packet is sent,
    // and would send that packet on the next connection, before the session goes on, or even in another session.
    this.#socket.sendBuffer.length = 0;
    this.emit('disconnected', reason);
  }

  #onConnectError(error: Error): void {
    const cause = causeOf(error);
    log.warn('%s: %s', this.url, cause.message);
    this.connectErrors.ended();
    const isGone = cause.code === 'ECONNREFUSED';
    // socket.io does not try again after a refusal by the server.
    const isRefused = !this.#socket.active;
    if (!this.#isClosed && !isRefused) this.connectErrors.note(error);
    if (!this.#isClosed && isRefused) this.emit('refused', shortened(error.message, MAX_REASON), isPermanent(error));
    else this.emit('failed', isGone);
  }

  /**
   * Handles a missing token like a refusal, with the same delays. Nothing is sent to the server without credentials.
   */
  #onNoToken({ message }: Error): void {
    if (this.#isClosed) return;
    this.#socket.disconnect();
    this.emit('refused', `no token: ${shortened(message, MAX_REASON)}`, false);
  }
}

/** Whether the server has marked its refusal as permanent. */
function isPermanent(error: Error): boolean {
  const { data } = error as { data?: unknown };
  return typeof data === 'object' && data !== null && 'permanent' in data && data.permanent === true;
}
