/** The connection to a server: made again whenever it is lost, with one session that goes on across all of that. */
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

/** An attempt that began while the network was away is given up: TCP's own patience is much longer. */
const CONNECT_TIMEOUT_MS = 4000;
const RECONNECTION_DELAY_MS = 200;
const RECONNECTION_DELAY_MAX_MS = 5000;
/** While there is a session to lose. */
const RETURN_DELAY_MAX_MS = 1000;
export const NO_SIGN_OF_LIFE = 'no sign of life';
/** An answer that says no more than that the server is there. */
const ALIVE_TIMEOUT_MS = 5000;
const GOODBYE_TIMEOUT_MS = 1000;
/** A goodbye that need not be over soon: the server may be back within that time. */
const DEPARTURE_TIMEOUT_MS = 15_000;
const DEFAULT_CALL_TIMEOUT_MS = 15_000;
/** A connected server says something at least as often as it reports its load: so many reports missing are silence. */
const MISSED_REPORTS = 2.5;
/** Calls that are made together travel together, as long as they are small. */
const MAX_BATCH_BYTES = 32_768;
/** Why a server refuses us is for people to read. */
const MAX_REASON = 2000;
/** What surrounds the arguments of a call on the wire. */
const ENVELOPE_BYTES = 500;

export type ConnectionEvents = {
  /** The socket is open. */
  open: [];
  /** The server has let us in, and what it says of itself. */
  welcome: [welcome: Welcome];
  disconnected: [reason: string];
  message: [message: Exclude<ServerMessage, { type: 'answer' | 'failure' }>, bytes: number];
  load: [report: LoadReport];
  /** An answer has come, and with it the load of the server. */
  answered: [load: number];
  /** The answer to a call that nobody waits for any longer. */
  late: [result: unknown];
  /**
   * The session is over, and all that the server told in it: another server process is there now, or none has been for too
   * long; or it could not go on, for the reason that is told.
   */
  lost: [reason?: Error];
  /** The server does not let us in, or no longer. Unless that is permanent, it is tried again. Told once for each reason. */
  refused: [error: RefusedError];
  /** An attempt to connect has failed. Told once for each cause. */
  connecterror: [error: Error];
};

interface PendingCall {
  timeout?: NodeJS.Timeout;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  /** Called when the server has performed it, or can't. */
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
  /** How long the session lives without a sign of life. */
  #sessionTimeout = 0;
  #endSessionId: string | undefined;
  /** The connection is being closed because nothing comes through it. */
  #isGivenUp = false;
  /** When the server was heard for the last time. */
  #heardAt = performance.now();
  /** Whether its machine has said since that nobody listens there. */
  #nobodyListens = false;
  /** What the server takes: what is larger would cost the connection, again and again. */
  #maxPayload = DEFAULT_MAX_PAYLOAD;

  /**
   * @param instance tells clients apart that have the same name
   * @throws {TypeError} for a URL or an option that can't be used
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
      // These are for Node.js, where alone this runs; socket.io's types know the browser's options only.
      ...({ ca, cert, key, maxPayload: resolveNodeLimits(options.limits).packetBytes } as object),
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      timeout: CONNECT_TIMEOUT_MS,
      reconnectionDelay: RECONNECTION_DELAY_MS,
      reconnectionDelayMax: RECONNECTION_DELAY_MAX_MS,
      auth: tell => void this.#credentials().then(tell, (error: Error) => this.#onNoToken(error)),
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
    // A server that refuses us lives, but our session does not live on that.
    this.#socket.io.on('packet', () => this.#socket.connected && this.#onSign());
    this.#socket.io.on('ping', () => this.#onSign());
    this.#socket.io.on('open', () => this.#connectErrors.opened());
    this.#socket.io.on('close', () => this.#connectErrors.ended());
    this.#socket.on('connect_error', error => this.#onConnectError(error));
  }

  /** Why the server does not let us in at present. */
  get refusal(): RefusedError | undefined {
    return this.#refusal.error;
  }

  /** Why it is not connected at present, as far as is known. */
  get trouble(): Error | undefined {
    return this.#refusal.error ?? this.#connectErrors.latest;
  }

  /** Whether there is a session, with a connection at present or without. */
  get hasSession(): boolean {
    return this.#sessionId !== undefined;
  }

  /** For how long nothing was heard of the server, in ms. */
  get silentFor(): number {
    return performance.now() - this.#heardAt;
  }

  /** Whether the server's machine has refused a connection since the server was heard: the process is gone. */
  get nobodyListens(): boolean {
    return this.#nobodyListens;
  }

  /** Asks for a sign of life. */
  ask(): void {
    if (this.#socket.connected) this.#socket.timeout(ALIVE_TIMEOUT_MS).emit('alive', () => undefined);
  }

  /** Gives up the connection, and makes another one. The session goes on. */
  reconnect(): void {
    if (!this.#socket.connected) return;
    this.#isGivenUp = true;
    this.#socket.io.engine.close();
  }

  /** Also makes the next attempt now, where one was refused. */
  open(): void {
    this.#refusal.retryNow();
  }

  /**
   * Says goodbye, if the server can hear it. It then closes what we have made.
   * @param patience until it is aborted, and no longer than 15 s, or the session lives without us, it is said again on each connection; without it, for a second
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
    // Our own Workers end with the session.
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

  /** Whether we have closed the object, which the server may not know yet. */
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

  /** Where the connection has just been lost, the server hears it on the next one. */
  #sayGoodbye(): Promise<void> {
    return new Promise(resolve => {
      const say = (): void => {
        // What was said before the goodbye comes before it.
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

  /** @returns how large the message will be */
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
    // Who is to blame is not known: to begin anew at once would do the same again and again.
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

  /** Before anything else is said in a new session: what we have closed is not to be seen again. */
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

  /** The server does not keep to the protocol where there is no session yet that could fail. */
  #giveUp(what: string): void {
    this.#refusal.pause();
    this.#endSessionId = this.#sessionId;
    this.#socket.disconnect();
    const isNew = this.#connectErrors.note(new Error(what));
    this.#loseSession(isNew ? this.#connectErrors.latest : undefined);
  }

  /** No sign of life for too long, whatever TCP says of the connection. What the server holds for us is out of reach. */
  giveUp(): void {
    if (!this.hasSession) return;
    this.#endSessionId = this.#sessionId;
    this.#loseSession(undefined, new Error(NO_SIGN_OF_LIFE));
    // It may answer on a new connection, or a new server may.
    this.reconnect();
  }

  #onTimeout(id: number, method: string): void {
    const call = this.#calls.get(id);
    if (!call) return;
    // Its answer may still come, and tell of what was made in vain.
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
    // Without a session it was never sent: then it is known that it was not performed, and why.
    if (this.#sessionId !== undefined || !trouble)
      return new CallTimeoutError(message, { method, cause: isConnected ? undefined : trouble });
    return (
      this.#refusal.error ??
      new NodeUnavailableError(message, { node: this.#url, cause: trouble, causes: { [this.#url]: trouble } })
    );
  }

  #onDisconnect(reason: string): void {
    this.#session.detach();
    // After a long sleep socket.io notices that the connection is dead when something is said, and keeps that for the next connection:
    // there it would come before the session goes on, or even in another one.
    this.#socket.sendBuffer.length = 0;
    // To close a connection is something that only a machine does that is there.
    if (reason.startsWith('transport')) this.#heardAt = performance.now();
    if (this.#sessionId !== undefined) this.#silence.watch(this.#sessionTimeout);
    const why = this.#isGivenUp ? NO_SIGN_OF_LIFE : reason;
    this.#isGivenUp = false;
    if (!this.#closed)
      this.#connectErrors.remember(
        new NodeUnavailableError(`${this.#url}: the connection was lost (${why})`, { node: this.#url }),
      );
    this.emit('disconnected', why);
    // socket.io takes a server that closes for a wish of its own to be left alone; it may be starting again.
    // The same where a session has failed, and has closed the socket: there can be another session.
    // A server that has cut us off is left alone for a time.
    if (!this.#closed && !this.#refusal.waiting && reason.endsWith('disconnect')) this.#socket.connect();
  }

  #onConnectError(error: Error): void {
    const cause = causeOf(error);
    log('%s: %s', this.#url, cause.message);
    this.#connectErrors.ended();
    if (cause.code === 'ECONNREFUSED') this.#nobodyListens = true;
    if (this.#closed) return;
    // Where socket.io is not going to try again, the server has refused us.
    if (this.#socket.active) this.#connectErrors.note(error);
    else this.#onRefused(shortened(error.message, MAX_REASON), isPermanent(error));
  }

  /** Without credentials nothing is said to the server: it counts as refused, and is tried again like that. */
  #onNoToken({ message }: Error): void {
    if (this.#closed) return;
    this.#socket.disconnect();
    this.#onRefused(`no token: ${shortened(message, MAX_REASON)}`, false);
  }

  /** The server has ended the session, and closes the connection. */
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

  /** @param reason that is to be told, beside to the calls that have no answer */
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

  /** What is said of calls that have no answer when the session ends. */
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

/** The server says so where to come back as we are can't help. */
function isPermanent(error: Error): boolean {
  const { data } = error as { data?: unknown };
  return typeof data === 'object' && data !== null && 'permanent' in data && data.permanent === true;
}
