/**
 * Connection to a server, made again whenever it is lost, with a session that goes on. Of several servers that stand
 * for the same thing, the next one takes over when one is lost, or is about to close.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { listen } from '../../core/listen.ts';
import { logger } from '../../core/logger.ts';
import { within } from '../../core/within.ts';
import { NodeUnavailableError, type RefusedError } from '../../api/errors.ts';
import type { LoadReport } from '../../api/load.ts';
import type { Welcome } from '../protocol/messages.ts';
import { lossErrorOf, timeoutErrorOf, type Circumstances } from './callErrors.ts';
import type { ResolvedConnectionOptions } from './connectionOptions.ts';
import { sayFarewell } from './farewell.ts';
import type { Rebinding } from './rebinding.ts';
import { Requests, type MessageCodec } from './requests.ts';
import { ServerSearch } from './serverSearch.ts';
import { ServerSocket, type ServerSocketEvents } from './serverSocket.ts';
import { Silence } from './silence.ts';

const log = logger('client');

export const NO_SIGN_OF_LIFE = 'no sign of life';
const GOODBYE_TIMEOUT_MS = 1000;
/** Number of missing load reports from which on a connected server counts as silent. */
const MISSED_REPORTS = 2.5;
/** Time for a server that is about to close to answer the calls that it has, in ms. */
const LAST_ANSWERS_MS = 3000;
/** Length of a connection below which the server counts as having sent the client away, in ms. */
const BRIEF_MS = 1000;
/** Number of such connections in a row after which the next attempt at a single server waits. */
const MAX_BRIEF = 20;

export type ConnectionEvents = {
  /** The socket is open. */
  open: [];
  /** The server has let the client in, and has described itself. */
  welcome: [welcome: Welcome];
  disconnected: [reason: string];
  load: [report: LoadReport];
  /**
   * The session has ended, and all objects in it are lost: another server process has answered, or none for too long;
   * or the session has failed for `reason`.
   */
  lost: [reason?: Error];
  /**
   * The server has refused the client, or has cut it off. Emitted once for each reason; tried again unless permanent.
   */
  refused: [error: RefusedError];
  /** An attempt to connect to the server of this URL has failed. Emitted once for each cause. */
  connecterror: [url: string, error: Error];
};

export interface ConnectionContext {
  options: ResolvedConnectionOptions;
  /** Distinguishes clients of the same name. */
  instance: string;
  codec: MessageCodec;
  /**
   * Prepares the mirrors for another server, which has handles of its own.
   * @param call calls that server ahead of all other calls
   * @param patienceMs time after which objects that it does not show count as gone
   */
  rebind: (call: Rebinding['call'], patienceMs: number) => Rebinding;
  /** Resolves when all that was lost has ended; undefined if it has. */
  untilEnded: () => Promise<void> | undefined;
}

export class Connection extends EnhancedEventEmitter<ConnectionEvents> {
  readonly requests: Requests;
  readonly #context: ConnectionContext;
  readonly #callTimeout: number;
  readonly #servers: readonly ServerSocket[];
  /** Search for a server, where there are several; socket.io connects again to a single one. */
  readonly #search: ServerSearch<ServerSocket> | undefined;
  /** Server of the session; before there is one, the first one. */
  #server: ServerSocket;
  readonly #silence = new Silence(() => this.giveUp());
  /** Watches for a silence after which another server is tried. */
  readonly #stall = new Silence(() => this.reconnect());
  /** Servers whose machines have refused a connection since the last sign of life. */
  readonly #ended = new Set<ServerSocket>();
  #sessionId: string | undefined;
  #serverId: string | undefined;
  #rebinding: Rebinding | undefined;
  #latestWelcome: Welcome | undefined;
  #closed = false;
  /** Time that the session outlives its last sign of life, in ms. */
  #sessionTimeout = 0;
  /** Id of a session that was given up, which the server is asked to end. */
  #endSessionId: string | undefined;
  /** Whether the connection is being closed because nothing comes through it. */
  #isGivenUp = false;
  /** Ends the wait for the last answers of a server that is being left. */
  #leaving: AbortController | undefined;
  /** Time at which a server has let the client in last. */
  #usedAt = -Infinity;
  /** Number of connections in a row that ended soon after the server had let the client in. */
  #briefConnections = 0;
  /** Time of the last sign of life. */
  #heardAt = performance.now();

  /**
   * @param urls of servers that stand for the same thing
   * @throws {TypeError} for an invalid URL
   */
  constructor(urls: readonly string[], context: ConnectionContext) {
    super();
    const { options, codec } = context;
    this.#context = context;
    this.#callTimeout = options.callTimeout;
    const canMove = urls.length > 1;
    this.#servers = urls.map(url => this.#serverSocket(url, canMove));
    this.#server = this.#servers[0]!;
    if (canMove) this.#search = new ServerSearch(this.#servers, ({ refusal }) => refusal.error?.permanent === true);
    this.requests = new Requests({
      codec,
      canMove,
      callTimeout: this.#callTimeout,
      maxPending: options.limits.pendingCalls,
      timeoutError: ({ method }) => timeoutErrorOf(method, this.#callTimeout, this.#circumstances),
    });
    // The next session waits, since an immediate beginning might fail in the same way again and again.
    this.requests.on('failing', () => this.#server.refusal.pause());
    this.requests.on('failed', error => {
      log.warn('%s: %o', this.url, error);
      this.#endSessionId = this.#sessionId;
      this.#loseSession(new Error(`${this.url}: ${error.message}`, { cause: error }));
    });
  }

  /** URL of the server that is used, or was used last. */
  get url(): string {
    return this.#server.url;
  }

  /** Reason why the server refuses the client at present. */
  get refusal(): RefusedError | undefined {
    return this.#server.refusal.error;
  }

  /** Known reason why there is no connection at present. */
  get trouble(): Error | undefined {
    return this.#server.trouble ?? this.#servers.find(({ trouble }) => trouble)?.trouble;
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
   * Whether the machines of all servers have refused a connection since the last sign of life, so that the processes
   * must have ended.
   */
  get nobodyListens(): boolean {
    return this.#ended.size === this.#servers.length;
  }

  /** Asks for a sign of life. */
  ask(): void {
    this.#server.ask();
  }

  /** Replaces the connection by a new connection. The session goes on, or the next server takes over. */
  reconnect(): void {
    if (!this.#server.connected) return;
    this.#isGivenUp = true;
    this.#server.cut();
  }

  /** Connects, or makes the next attempt at once after a refusal. */
  open(): void {
    if (this.#search) this.#search.begin(this.#server);
    else this.#server.refusal.retryNow();
  }

  /**
   * Sends `bye`, so that the server closes the objects of this client. A server that does not hear it within a second is
   * told in the background, as soon as it is in reach: see {@link sayFarewell}.
   */
  async close(): Promise<void> {
    const { trouble } = this;
    this.#closed = true;
    for (const server of this.#servers) server.stop();
    const sessionId = this.#sessionId ?? this.#endSessionId;
    let isHeard = sessionId === undefined;
    if (!isHeard) {
      // Queued messages go before the goodbye.
      const heard = this.#server.sayGoodbye(() => this.requests.flush());
      await within(
        heard.then(() => (isHeard = true)),
        GOODBYE_TIMEOUT_MS,
      );
    }
    this.#search?.stop();
    for (const server of this.#servers) server.close(!isHeard);
    this.#endSession(trouble);
    // The objects of a process that has ended have ended with it.
    if (isHeard || sessionId === undefined || this.#ended.has(this.#server)) return;
    const { url, requests } = this;
    sayFarewell({ url, options: this.#context.options, sessionId, serverId: this.#serverId, requests });
  }

  /** Gives up the session after too long a silence, whatever TCP says of the connection. */
  giveUp(): void {
    if (!this.hasSession) return;
    this.#endSessionId = this.#sessionId;
    this.#loseSession(undefined, new Error(NO_SIGN_OF_LIFE));
    // The same server, or a new server, may answer on a new connection.
    this.reconnect();
  }

  #serverSocket(url: string, canMove: boolean): ServerSocket {
    const { options, instance } = this.#context;
    const server = new ServerSocket({
      url,
      options,
      isOnly: !canMove,
      credentials: () => ({
        name: options.name,
        instance,
        session: this.#sessionId === undefined ? undefined : { id: this.#sessionId, received: this.requests.received },
        endSessionId: this.#endSessionId,
        canMove: canMove || undefined,
        lists: true,
      }),
    });
    const isUsed = (): boolean => server === this.#server;
    listen<ServerSocketEvents>(server, {
      open: () => (isUsed() || !this.#server.connected) && this.emit('open'),
      welcome: welcome => void this.#onWelcome(server, welcome),
      load: report => isUsed() && this.emit('load', report),
      goodbye: () => this.#onGoodbye(server),
      broken: what => this.#onBroken(server, what),
      refused: (reason, permanent) => this.#onRefused(server, reason, permanent),
      cutoff: (reason, permanent) => this.#onCutOff(server, reason, permanent),
      failed: isGone => {
        if (isGone) this.#ended.add(server);
        this.#search?.failed(server);
      },
      disconnected: reason => this.#onDisconnect(server, reason),
      sign: () => isUsed() && this.#onSign(),
      connecterror: error => this.emit('connecterror', url, error),
    });
    return server;
  }

  /** Moves to another server, if there is one. A server that is being left already says nothing new. */
  #onGoodbye(server: ServerSocket): void {
    if (server === this.#server && !this.#closed && !this.#leaving) this.#search?.leave(server);
  }

  async #onWelcome(server: ServerSocket, welcome: Welcome): Promise<void> {
    server.refusal.accepted();
    server.connectErrors.accepted();
    this.#search?.found();
    this.#latestWelcome = welcome;
    const isAnother = this.#sessionId !== undefined && this.#sessionId !== welcome.session.id;
    if (isAnother && this.#search && !this.#closed) return this.#moveTo(server, welcome);
    if (isAnother) this.#loseSession();
    const isEnding = this.#sessionId === undefined && this.#context.untilEnded() !== undefined;
    if (isEnding && !(await this.#untilEnded(server, welcome))) return;
    if (welcome.serverId !== this.#serverId) this.requests.forgetCloses();
    if (this.#sessionId === undefined) this.requests.begin();
    const previous = this.#server;
    this.#use(server, welcome);
    if (previous !== server) previous.disconnect();
  }

  /**
   * Waits for the end of what was lost, which the server may show again, under the same ids. Until it is asked for
   * something it sends nothing.
   * @returns whether the connection is still the latest one
   */
  async #untilEnded(server: ServerSocket, welcome: Welcome): Promise<boolean> {
    for (let ending = this.#context.untilEnded(); ending; ending = this.#context.untilEnded()) await ending;
    return this.#latestWelcome === welcome && server.connected;
  }

  /** Uses the session that the server has begun or resumed. */
  #use(server: ServerSocket, welcome: Welcome): void {
    const { maxPayload, sessionTimeout, loadInterval, serverId, session } = welcome;
    this.#server = server;
    this.#usedAt = performance.now();
    this.#endSessionId = undefined;
    this.#serverId = serverId;
    this.#sessionId = session.id;
    this.#onSign();
    server.expectReturn(true);
    this.#sessionTimeout = Math.min(sessionTimeout, this.#context.options.sessionTimeout ?? Infinity);
    const stallMs = MISSED_REPORTS * loadInterval;
    this.#silence.watch(Math.max(this.#sessionTimeout, stallMs));
    if (this.#search) this.#stall.watch(stallMs);
    if (this.requests.attach(server.socket, session.received, maxPayload) && !this.#closed)
      this.emit('welcome', welcome);
  }

  /**
   * Goes on at another server with the same objects. A server that is left, and lives, answers before what it has been
   * asked, and is told when the other one has taken over.
   */
  async #moveTo(server: ServerSocket, welcome: Welcome): Promise<void> {
    const left = this.#server;
    this.requests.hold();
    if (left !== server && left.connected) {
      this.#leaving = new AbortController();
      await within(this.requests.untilAnswered(), LAST_ANSWERS_MS, this.#leaving.signal);
      this.#leaving = undefined;
      if (this.#closed) return;
      if (!server.connected) return left.connected ? this.#search?.leave(left) : this.#search?.beginAfter(server);
    }
    log('moving from %s to %s', left.url, server.url);
    this.#rebinding?.stop();
    this.requests.moveFrom(left.url);
    const rebinding = this.#context.rebind((...call) => this.requests.callAhead(...call), welcome.sessionTimeout);
    this.#rebinding = rebinding;
    this.#use(server, welcome);
    this.requests.closeAgain();
    await rebinding.attach();
    if (this.#rebinding !== rebinding) return;
    this.requests.resume();
    await rebinding.adopt();
    if (this.#rebinding !== rebinding || left === server) return;
    if (left.connected) await within(left.sayMoved(), GOODBYE_TIMEOUT_MS);
    if (this.#server !== left && this.#search?.target !== left) left.disconnect();
  }

  #onSign(): void {
    this.#heardAt = performance.now();
    this.#ended.clear();
    this.#silence.end();
    this.#stall.end();
  }

  /** Ends the connection and the session, if any, because of a server that breaks the protocol outside a session. */
  #onBroken(server: ServerSocket, what: string): void {
    server.refusal.pause();
    const isUsed = server === this.#server;
    if (isUsed) this.#endSessionId = this.#sessionId;
    server.disconnect();
    const isNew = server.connectErrors.note(new Error(what));
    if (isUsed) this.#loseSession(isNew ? server.connectErrors.latest : undefined);
    this.#search?.failed(server);
  }

  #onDisconnect(server: ServerSocket, reason: string): void {
    this.#search?.lost(server);
    if (server !== this.#server) return this.#search?.failed(server);
    this.requests.detach();
    this.#stall.stop();
    this.#leaving?.abort();
    // A closed connection is a sign of life, since only a machine that lives closes it.
    if (reason.startsWith('transport')) this.#heardAt = performance.now();
    if (this.#sessionId !== undefined) this.#silence.watch(this.#sessionTimeout);
    const isGivenUp = this.#isGivenUp;
    const why = isGivenUp ? NO_SIGN_OF_LIFE : reason;
    this.#isGivenUp = false;
    if (!this.#closed)
      server.connectErrors.remember(
        new NodeUnavailableError(`${server.url}: the connection was lost (${why})`, { node: server.url }),
      );
    this.emit('disconnected', why);
    if (this.#closed) return;
    const isBrief = performance.now() - this.#usedAt < BRIEF_MS;
    this.#briefConnections = isBrief ? this.#briefConnections + 1 : 0;
    if (this.#search) return isGivenUp ? this.#search.beginAfter(server) : this.#search.returnTo(server, isBrief);
    // socket.io does not reconnect after a server has closed the connection, which may only be restarting, nor after a
    // failed session has closed the socket. A server that has cut the client off is tried again later.
    if (server.refusal.waiting || !reason.endsWith('disconnect')) return;
    if (this.#briefConnections > MAX_BRIEF) server.refusal.pause();
    else server.connect();
  }

  /** Handles `refused`: the server has ended the session, and closes the connection. */
  #onCutOff(server: ServerSocket, reason: string, permanent: boolean): void {
    if (server !== this.#server) return this.#onRefused(server, reason, permanent);
    this.#sessionId = undefined;
    const error = server.refusal.note(reason, permanent);
    if (error) this.emit('refused', error);
    this.#endSession(server.refusal.error);
    this.emit('lost');
  }

  /** Handles a refusal; that of one of several servers is no more than a failed attempt. */
  #onRefused(server: ServerSocket, reason: string, permanent: boolean): void {
    const error = server.refusal.note(reason, permanent);
    const isFinal = !this.#search || this.#servers.every(({ refusal }) => refusal.error?.permanent === true);
    if (error && isFinal) this.emit('refused', error);
    else if (error) this.emit('connecterror', server.url, error);
    this.#search?.failed(server);
  }

  /** @param reason to be emitted with `lost` @param why reason in the errors of unanswered calls */
  #loseSession(reason?: Error, why = reason): void {
    this.#endSession(why);
    this.emit('lost', reason);
  }

  #endSession(reason?: Error): void {
    this.#silence.stop();
    this.#stall.stop();
    this.#rebinding?.stop();
    this.#rebinding = undefined;
    this.#sessionId = undefined;
    this.#server.expectReturn(false);
    this.requests.end(() => lossErrorOf(reason, this.#circumstances));
  }

  get #circumstances(): Circumstances {
    const { url, hasSession, trouble, refusal } = this;
    return {
      url,
      hasSession,
      trouble,
      refusal,
      isConnected: hasSession && this.#server.connected,
      isClosed: this.#closed,
    };
  }
}
