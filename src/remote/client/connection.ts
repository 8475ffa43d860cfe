/** Connection to a server, made again whenever it is lost, with a session that goes on across connections. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { io, type Socket } from 'socket.io-client';
import { logger } from '../../core/logger.ts';
import { within } from '../../core/within.ts';
import { CallTimeoutError, ClosedError, NodeUnavailableError, type RefusedError } from '../../api/errors.ts';
import type { LoadReport } from '../../api/load.ts';
import { SentCapabilities } from '../protocol/capabilities.ts';
import { decodeError } from '../protocol/errors.ts';
import {
  DEFAULT_MAX_PAYLOAD,
  MAFALDA_TARGET,
  PROTOCOL_VERSION,
  type ClientMessage,
  type Credentials,
  type ServerMessage,
  type Target,
  type Welcome,
} from '../protocol/messages.ts';
import { shortened } from '../protocol/measure.ts';
import { Session } from '../protocol/session.ts';
import {
  listenToAll,
  type ClientEvents,
  type Received,
  type Sent,
  type ServerEvents,
  type SessionEvents,
} from '../protocol/socketEvents.ts';
import { isLoad, isLoadReport, isServerMessage, isWelcome } from '../protocol/validateServer.ts';
import type { Caller } from './mirrorCore.ts';
import { boundOf, sizeOf } from './argumentSize.ts';
import { causeOf, ConnectErrors, MALFORMED_WELCOME } from './connectErrors.ts';
import { checkConnectionOptions, type ConnectionOptions, type Token } from './connectionOptions.ts';
import { closeForMalformedPackets, replaceMalformed } from './malformedPackets.ts';
import { resolveNodeLimits } from './nodeLimits.ts';
import { Refusal } from './refusal.ts';
import { Silence } from './silence.ts';
import { askToken, warnOfPlainToken } from './tokens.ts';
import { UnconfirmedCloses } from './unconfirmedCloses.ts';
import { addressOf } from './url.ts';

const log = logger('client');

/** Time limit of an attempt to connect, in ms; TCP's own is much longer, also for attempts begun without a network. */
const CONNECT_TIMEOUT_MS = 4000;
const RECONNECTION_DELAY_MS = 200;
const RECONNECTION_DELAY_MAX_MS = 5000;
/** Longest delay of reconnection while there is a session, in ms. */
const RETURN_DELAY_MAX_MS = 1000;
export const NO_SIGN_OF_LIFE = 'no sign of life';
/** Time limit of the answer to `alive`, in ms. */
const ALIVE_TIMEOUT_MS = 5000;
const GOODBYE_TIMEOUT_MS = 1000;
/**
 * Shortest time to wait for the answer to `bye` when departing, in ms, since the server may be back within that time.
 */
const DEPARTURE_TIMEOUT_MS = 15_000;
const DEFAULT_CALL_TIMEOUT_MS = 15_000;
/** Number of missing load reports from which on a connected server counts as silent. */
const MISSED_REPORTS = 2.5;
/** Bytes of calls that are sent in one packet. */
const MAX_BATCH_BYTES = 32_768;
/** Characters of the reason of a refusal. */
const MAX_REASON = 2000;
/** Upper bound of the bytes around the arguments of a call on the wire. */
const ENVELOPE_BYTES = 500;

export type ConnectionEvents = {
  /** The socket is open. */
  open: [];
  /** The server has let the client in, and has described itself. */
  welcome: [welcome: Welcome];
  disconnected: [reason: string];
  message: [message: Exclude<ServerMessage, { type: 'answer' | 'failure' }>, bytes: number];
  load: [report: LoadReport];
  /** An answer has brought a new load of the server. */
  answered: [load: number];
  /** An answer has come to a call that has timed out. */
  late: [result: unknown];
  /**
   * The session has ended, and all objects in it are lost: another server process has answered, or none for too long;
   * or the session has failed for `reason`.
   */
  lost: [reason?: Error];
  /**
   * The server has refused the client, or has cut it off. Emitted once for each reason; tried again unless permanent.
   */
  refused: [error: RefusedError];
  /** An attempt to connect has failed. Emitted once for each cause. */
  connecterror: [error: Error];
};

interface PendingCall {
  timeout?: NodeJS.Timeout;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  /** Called when the server has answered, successfully or not. */
  onAnswer?: () => void;
}

export class Connection extends EnhancedEventEmitter<ConnectionEvents> implements Caller {
  readonly #url: string;
  readonly #socket: Socket<Received<ServerEvents & SessionEvents>, Sent<ClientEvents & SessionEvents>>;
  readonly #identity: Pick<Credentials, 'name' | 'instance'>;
  readonly #token: Token | undefined;
  readonly #calls = new Map<number, PendingCall>();
  readonly #callTimeout: number;
  readonly #ownSessionTimeout: number;
  readonly #closes = new UnconfirmedCloses();
  readonly #silence = new Silence(() => this.giveUp());
  readonly #refusal: Refusal;
  readonly #connectErrors: ConnectErrors;
  #session = this.#newSession();
  #capabilities = this.#newCapabilities();
  #sessionId: string | undefined;
  #serverId: string | undefined;
  #nextCallId = 1;
  #closed = false;
  /** Time that the session outlives its last sign of life, in ms. */
  #sessionTimeout = 0;
  /** Id of a session that was given up, which the server is asked to end. */
  #endSessionId: string | undefined;
  /** Whether the connection is being closed because nothing comes through it. */
  #isGivenUp = false;
  /** Time of the last sign of life. */
  #heardAt = performance.now();
  /** Whether the server's machine has refused a connection since. */
  #nobodyListens = false;
  /** Bytes of a message that the server takes; a larger message would cost the connection, again and again. */
  #maxPayload = DEFAULT_MAX_PAYLOAD;

  /**
   * @param instance distinguishes clients of the same name
   * @throws {TypeError} for an invalid URL or option
   */
  constructor(url: string, options: ConnectionOptions, instance: string) {
    super();
    checkConnectionOptions(options);
    const { token, ca, cert, key, callTimeout = DEFAULT_CALL_TIMEOUT_MS, sessionTimeout = Infinity, name } = options;
    this.#callTimeout = callTimeout;
    this.#ownSessionTimeout = sessionTimeout;
    this.#url = url;
    this.#identity = { name, instance };
    this.#token = token;
    this.#refusal = new Refusal(url, () => this.#socket.connect());
    this.#connectErrors = new ConnectErrors(url, error => this.emit('connecterror', error));
    const { origin, path } = addressOf(url, options.path);
    this.#socket = io(origin, {
      path,
      // socket.io's types lack these options, which exist in Node.js only.
      ...({ ca, cert, key, maxPayload: resolveNodeLimits(options.limits).packetBytes } as object),
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      timeout: CONNECT_TIMEOUT_MS,
      reconnectionDelay: RECONNECTION_DELAY_MS,
      reconnectionDelayMax: RECONNECTION_DELAY_MAX_MS,
      auth: answer => void this.#credentials().then(answer, (error: Error) => this.#onNoToken(error)),
    });
    warnOfPlainToken(token, url);
    closeForMalformedPackets(this.#socket.io);
    this.#socket.on('connect', () => this.emit('open'));
    listenToAll<ServerEvents>(this.#socket, {
      welcome: welcome => {
        if (isWelcome(welcome)) this.#onWelcome(welcome);
        else this.#giveUp(MALFORMED_WELCOME);
      },
      load: report => {
        if (isLoadReport(report)) this.emit('load', report);
        else log('%s sent a load report that is none', url);
      },
      refused: (reason, permanent) => {
        this.#onCutOff(typeof reason === 'string' ? shortened(reason, MAX_REASON) : 'no reason', permanent === true);
      },
    });
    this.#socket.on('disconnect', reason => this.#onDisconnect(reason));
    this.#socket.io.on('packet', packet => replaceMalformed(packet));
    // Packets of a server that refuses the client are no sign of life of its session.
    this.#socket.io.on('packet', () => this.#socket.connected && this.#onSign());
    this.#socket.io.on('ping', () => this.#onSign());
    this.#socket.io.on('open', () => this.#connectErrors.opened());
    this.#socket.io.on('close', () => this.#connectErrors.ended());
    this.#socket.on('connect_error', error => this.#onConnectError(error));
  }

  /** Reason why the server refuses the client at present. */
  get refusal(): RefusedError | undefined {
    return this.#refusal.error;
  }

  /** Known reason why there is no connection at present. */
  get trouble(): Error | undefined {
    return this.#refusal.error ?? this.#connectErrors.latest;
  }

  /** Whether there is a session, with or without a connection at present. */
  get hasSession(): boolean {
    return this.#sessionId !== undefined;
  }

  /** Time since the last sign of life, in ms. */
  get silentFor(): number {
    return performance.now() - this.#heardAt;
  }

  /**
   * Whether the server's machine has refused a connection since the last sign of life, so that the process must have
   * ended.
   */
  get nobodyListens(): boolean {
    return this.#nobodyListens;
  }

  /** Asks for a sign of life. */
  ask(): void {
    if (this.#socket.connected) this.#socket.timeout(ALIVE_TIMEOUT_MS).emit('alive', () => undefined);
  }

  /** Replaces the connection by a new connection. The session goes on. */
  reconnect(): void {
    if (!this.#socket.connected) return;
    this.#isGivenUp = true;
    this.#socket.io.engine.close();
  }

  /** Connects, or makes the next attempt at once after a refusal. */
  open(): void {
    this.#refusal.retryNow();
  }

  /**
   * Sends `bye`, if the server is in reach, so that it closes the objects of this client.
   * @param patience with it, `bye` is sent again on each connection, until it is aborted, or for 15 s or the session's
   * time-out, whichever is longer; without it, for a second
   */
  async close(patience?: AbortSignal): Promise<void> {
    const { trouble } = this;
    this.#closed = true;
    this.#refusal.close();
    if (this.#sessionId !== undefined || this.#endSessionId !== undefined) {
      const heard = this.#sayGoodbye();
      if (patience) await within(heard, Math.max(this.#sessionTimeout, DEPARTURE_TIMEOUT_MS), patience);
      else await within(heard, GOODBYE_TIMEOUT_MS);
    }
    this.#socket.disconnect();
    this.#connectErrors.ended();
    this.#endSession(trouble);
  }

  call(target: Target, method: string, args: unknown[]): Promise<unknown> {
    return this.#call(target, method, args);
  }

  closeObject(handle: number, mafaldaRouter: string | undefined): void {
    const number = this.#session.send({ type: 'send', target: handle, method: 'close', args: [] }, ENVELOPE_BYTES);
    // The client's own Workers end with the session, so their objects need no confirmation.
    if (mafaldaRouter === undefined) return;
    this.#closes.confirm(this.#session.delivered);
    this.#closes.add(handle, mafaldaRouter, number);
  }

  closeMafaldaRouter(id: string, number: number | undefined): Promise<unknown> {
    if (number === undefined) return this.#call(id, 'close', []);
    this.#closes.addMafaldaRouter(id, number);
    return this.#call(id, 'close', [], () => this.#closes.confirmMafaldaRouter(number));
  }

  closeLostMafaldaRouter(id: string, number: number): void {
    this.#closes.addMafaldaRouter(id, number);
    if (this.hasSession) for (const call of this.#unconfirmedCalls()) this.#session.send(call);
  }

  /** Whether this client has closed the object, which the server may not know yet. */
  hasClosed(handle: number): boolean {
    return this.#closes.has(handle);
  }

  #call(target: Target, method: string, args: unknown[], onAnswer?: () => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const shortened = this.#capabilities.shorten(args);
      const bytes = this.#checkSize(method, shortened);
      const id = this.#nextCallId++;
      const timeout = setTimeout(() => this.#onTimeout(id, method), this.#callTimeout);
      this.#calls.set(id, { timeout, resolve, reject, onAnswer });
      this.#session.send({ type: 'call', id, target, method, args: shortened }, bytes);
    });
  }

  /** Sends `bye`, now and on each further connection. Resolves when the server has acknowledged it. */
  #sayGoodbye(): Promise<void> {
    return new Promise(resolve => {
      const say = (): void => {
        // Queued messages go before the goodbye.
        this.#session.flush();
        this.#socket.emit('bye', () => resolve());
      };
      if (this.#socket.connected) say();
      this.#socket.on('welcome', say);
    });
  }

  send(target: Target, method: string, args: unknown[]): void {
    const bytes = this.#checkSize(method, args);
    this.#session.send({ type: 'send', target, method, args }, bytes);
  }

  listen(handle: number, name: string, listening: boolean): void {
    this.#session.send({ type: 'listen', handle, name, listening });
  }

  /**
   * @returns the size of the message, in bytes, or an upper bound
   * @throws {RangeError} if it is larger than the server takes
   */
  #checkSize(method: string, args: unknown[]): number {
    const roughly = boundOf(args) + ENVELOPE_BYTES;
    if (roughly <= this.#maxPayload) return roughly;
    const bytes = sizeOf(args) + ENVELOPE_BYTES;
    if (bytes <= this.#maxPayload) return bytes;
    throw new RangeError(
      `${method}(): the arguments are too large, more than the ${this.#maxPayload} bytes of the server's maxPayload`,
    );
  }

  async #credentials(): Promise<Credentials> {
    const token = await askToken(this.#token, this.#url);
    const session =
      this.#sessionId === undefined ? undefined : { id: this.#sessionId, received: this.#session.received };
    return { protocol: PROTOCOL_VERSION, token, ...this.#identity, session, endSessionId: this.#endSessionId };
  }

  #newSession(): Session<ClientMessage, ServerMessage> {
    const session = new Session<ClientMessage, ServerMessage>(isServerMessage, { holdsBack: true });
    session.on('message', (message, { bytes }) => this.#onMessage(message, bytes));
    // The next session waits, since an immediate beginning might fail in the same way again and again.
    session.on('failing', () => this.#refusal.pause());
    session.on('error', error => {
      log('%s: %o', this.#url, error);
      this.#endSessionId = this.#sessionId;
      this.#loseSession(new Error(`${this.#url}: ${error.message}`, { cause: error }));
    });
    return session;
  }

  #newCapabilities(): SentCapabilities {
    return new SentCapabilities((slot, rtpCapabilities) => {
      const bytes = this.#checkSize('consume', [rtpCapabilities]);
      this.#session.send({ type: 'capabilities', slot, rtpCapabilities }, bytes);
    });
  }

  #onWelcome(welcome: Welcome): void {
    const {
      maxPayload,
      sessionTimeout,
      loadInterval,
      serverId,
      session: { id, received },
    } = welcome;
    this.#refusal.accepted();
    this.#connectErrors.accepted();
    this.#maxPayload = maxPayload;
    this.#endSessionId = undefined;
    if (this.#sessionId !== undefined && this.#sessionId !== id) this.#loseSession();
    if (serverId !== this.#serverId) this.#closes.clear();
    this.#serverId = serverId;
    if (this.#sessionId === undefined) this.#closeUnconfirmed();
    this.#session.maxBatchBytes = Math.min(MAX_BATCH_BYTES, maxPayload);
    this.#sessionId = id;
    this.#onSign();
    this.#socket.io.reconnectionDelayMax(RETURN_DELAY_MAX_MS);
    this.#sessionTimeout = Math.min(sessionTimeout, this.#ownSessionTimeout);
    this.#silence.watch(Math.max(this.#sessionTimeout, MISSED_REPORTS * loadInterval));
    this.#session.attach(this.#socket, received);
    if (this.#session.isAttachedTo(this.#socket) && !this.#closed) this.emit('welcome', welcome);
  }

  /** Closes objects again at the beginning of a new session, before the server announces them. */
  #closeUnconfirmed(): void {
    this.#session.sendFirst(this.#unconfirmedCalls());
  }

  #unconfirmedCalls(): ClientMessage[] {
    return this.#closes.takeLost().map(({ unconfirmed, onConfirmed }) => {
      const id = this.#nextCallId++;
      this.#calls.set(id, {
        resolve: () => undefined,
        reject: error => log('closing again: %o', error),
        onAnswer: onConfirmed,
      });
      return { type: 'call', id, target: MAFALDA_TARGET, method: 'closeUnconfirmed', args: [unconfirmed] };
    });
  }

  #onSign(): void {
    this.#heardAt = performance.now();
    this.#nobodyListens = false;
    this.#silence.end();
  }

  /** Ends the connection and the session, if any, because of a server that breaks the protocol outside a session. */
  #giveUp(what: string): void {
    this.#refusal.pause();
    this.#endSessionId = this.#sessionId;
    this.#socket.disconnect();
    const isNew = this.#connectErrors.note(new Error(what));
    this.#loseSession(isNew ? this.#connectErrors.latest : undefined);
  }

  /** Gives up the session after too long a silence, whatever TCP says of the connection. */
  giveUp(): void {
    if (!this.hasSession) return;
    this.#endSessionId = this.#sessionId;
    this.#loseSession(undefined, new Error(NO_SIGN_OF_LIFE));
    // The same server, or a new server, may answer on a new connection.
    this.reconnect();
  }

  #onTimeout(id: number, method: string): void {
    const call = this.#calls.get(id);
    if (!call) return;
    // An answer may still come, with an object that has to be closed.
    this.#calls.set(id, {
      ...call,
      resolve: result => this.emit('late', result),
      reject: error => log('%s(): %o', method, error),
    });
    call.reject(this.#timeoutError(method));
  }

  #timeoutError(method: string): Error {
    const { trouble } = this;
    const isConnected = this.#socket.connected && this.#sessionId !== undefined;
    const state = isConnected ? '' : `: there is no connection at present${trouble ? `, ${trouble.message}` : ''}`;
    const message = `${method}() was not answered within ${this.#callTimeout} ms by ${this.#url}${state}`;
    // Without a session the call was never sent, so that it was certainly not performed.
    if (this.#sessionId !== undefined || !trouble)
      return new CallTimeoutError(message, { method, cause: isConnected ? undefined : trouble });
    return (
      this.#refusal.error ??
      new NodeUnavailableError(message, { node: this.#url, cause: trouble, causes: { [this.#url]: trouble } })
    );
  }

  #onDisconnect(reason: string): void {
    this.#session.detach();
    // socket.io's own queue is dropped: after a long sleep it notices the dead connection only when a packet is sent,
    // and
    // would send that packet on the next connection, before the session goes on, or even in another session.
    this.#socket.sendBuffer.length = 0;
    // A closed connection is a sign of life, since only a machine that lives closes it.
    if (reason.startsWith('transport')) this.#heardAt = performance.now();
    if (this.#sessionId !== undefined) this.#silence.watch(this.#sessionTimeout);
    const why = this.#isGivenUp ? NO_SIGN_OF_LIFE : reason;
    this.#isGivenUp = false;
    if (!this.#closed)
      this.#connectErrors.remember(
        new NodeUnavailableError(`${this.#url}: the connection was lost (${why})`, { node: this.#url }),
      );
    this.emit('disconnected', why);
    // socket.io does not reconnect after a server has closed the connection, which may only be restarting, nor after a
    // failed session has closed the socket. A server that has cut the client off is tried again later.
    if (!this.#closed && !this.#refusal.waiting && reason.endsWith('disconnect')) this.#socket.connect();
  }

  #onConnectError(error: Error): void {
    const cause = causeOf(error);
    log('%s: %s', this.#url, cause.message);
    this.#connectErrors.ended();
    if (cause.code === 'ECONNREFUSED') this.#nobodyListens = true;
    if (this.#closed) return;
    // socket.io does not try again after a refusal by the server.
    if (this.#socket.active) this.#connectErrors.note(error);
    else this.#onRefused(shortened(error.message, MAX_REASON), isPermanent(error));
  }

  /**
   * Handles a missing token like a refusal, with the same delays. Nothing is sent to the server without credentials.
   */
  #onNoToken({ message }: Error): void {
    if (this.#closed) return;
    this.#socket.disconnect();
    this.#onRefused(`no token: ${shortened(message, MAX_REASON)}`, false);
  }

  /** Handles `refused`: the server has ended the session, and closes the connection. */
  #onCutOff(reason: string, permanent: boolean): void {
    this.#sessionId = undefined;
    this.#onRefused(reason, permanent);
    this.#endSession(this.#refusal.error);
    this.emit('lost');
  }

  #onRefused(reason: string, permanent: boolean): void {
    const error = this.#refusal.note(reason, permanent);
    if (error) this.emit('refused', error);
  }

  #onMessage(message: ServerMessage, bytes: number): void {
    if (message.type !== 'answer' && message.type !== 'failure') {
      this.emit('message', message, bytes);
      return;
    }
    const call = this.#calls.get(message.id);
    clearTimeout(call?.timeout);
    this.#calls.delete(message.id);
    call?.onAnswer?.();
    if (message.type === 'answer') {
      if (isLoad(message.load)) this.emit('answered', message.load);
      call?.resolve(message.result);
    } else call?.reject(decodeError(message.error));
  }

  /** @param reason to be emitted with `lost` @param why reason in the errors of unanswered calls */
  #loseSession(reason?: Error, why = reason): void {
    this.#endSession(why);
    this.emit('lost', reason);
  }

  #endSession(reason?: Error): void {
    this.#silence.stop();
    this.#closes.confirm(this.#session.delivered);
    this.#closes.onSessionLost();
    this.#session.close();
    this.#session.removeAllListeners();
    this.#session = this.#newSession();
    this.#capabilities = this.#newCapabilities();
    this.#sessionId = undefined;
    this.#socket.io.reconnectionDelayMax(RECONNECTION_DELAY_MAX_MS);
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { timeout } of calls) clearTimeout(timeout);
    for (const { reject } of calls) reject(this.#lossError(reason));
  }

  /** Returns the error of calls that are unanswered when the session ends. */
  #lossError(reason: Error | undefined): Error {
    const message = `the connection to ${this.#url} was closed before the call was answered${reason ? `: ${reason.message}` : ''}`;
    const { error: refusal } = this.#refusal;
    if (refusal?.permanent) return refusal;
    if (this.#closed) return new ClosedError(message);
    return new NodeUnavailableError(message, {
      node: this.#url,
      cause: reason,
      causes: reason && { [this.#url]: reason },
    });
  }
}

/** Whether the server has marked its refusal as permanent. */
function isPermanent(error: Error): boolean {
  const { data } = error as { data?: unknown };
  return typeof data === 'object' && data !== null && 'permanent' in data && data.permanent === true;
}
