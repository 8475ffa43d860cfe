/** Connections of clients to a server: lets clients in, gives each connection to its session, and reports the load. */
import type { Server as HttpServer } from 'node:http';
import type { Index } from 'mediasoup/types';
import { Server as SocketServer } from 'socket.io';
import type { LoadReport } from '../../api/load.ts';
import { logger } from '../../core/logger.ts';
import { RateLimit } from '../../core/rateLimit.ts';
import { within } from '../../core/within.ts';
import { parser } from '../protocol/parser.ts';
import { PROTOCOL_VERSION, type Credentials, type MediasoupInfo, type Welcome } from '../protocol/messages.ts';
import {
  listenToAll,
  type ClientEvents,
  type Received,
  type Sent,
  type ServerEvents,
  type SessionEvents,
} from '../protocol/socketEvents.ts';
import { authenticate } from './authenticate.ts';
import type { ClientSession, ClientSocket, SessionContext } from './clientSession.ts';
import { ConnectionGuard } from './connectionGuard.ts';
import type { ResolvedServerOptions } from './serverOptions.ts';
import { Sessions } from './sessions.ts';

const log = logger('server');

const PING_INTERVAL_MS = 2000;
const PING_TIMEOUT_MS = 4000;
/**
 * Time limit for beginning the messages before a client's `bye`, and for closing its objects; the client waits about as
 * long.
 */
const GOODBYE_TIMEOUT_MS = 1000;
/** Time for a client whose session has ended to close its connection itself, in ms. */
const LINGER_MS = 1000;
/** Time limit for clients to move to another server before this one closes, in ms. */
const MOVE_TIMEOUT_MS = 8000;
/** Time within which a new connection must send its credentials. */
const HANDSHAKE_TIMEOUT_MS = 5000;

export class ClientConnections {
  readonly sessions: Sessions;
  readonly #context: SessionContext;
  readonly #options: ResolvedServerOptions;
  readonly #serverId: string;
  readonly #guard: ConnectionGuard;
  #sockets: SocketServer<Received<ClientEvents & SessionEvents>, Sent<ServerEvents & SessionEvents>> | undefined;
  /** Whether clients are asked to move to other servers, since this one is about to close. */
  #isMovingAll = false;

  constructor(context: SessionContext, options: ResolvedServerOptions, serverId: string) {
    this.#context = context;
    this.#options = options;
    this.#serverId = serverId;
    this.sessions = new Sessions(context);
    this.#guard = new ConnectionGuard(context.limits.messagesPerSecond);
  }

  get isOpen(): boolean {
    return this.#sockets !== undefined;
  }

  /** Lets clients in that connect to this HTTP server. */
  open(http: HttpServer): void {
    const { path, maxPayload, origins } = this.#options;
    this.#sockets = new SocketServer({
      parser,
      path,
      transports: ['websocket'],
      serveClient: false,
      maxHttpBufferSize: maxPayload,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      connectTimeout: HANDSHAKE_TIMEOUT_MS,
      allowRequest: ({ headers: { origin } }, answer) => answer(null, origin === undefined || origins.includes(origin)),
    });
    this.#sockets.use((socket, next) => {
      const credentials = socket.handshake.auth;
      const admitted = authenticate(this.#options.auth, credentials).then(() =>
        this.sessions.succeed(credentials as Credentials),
      );
      const answer = (refusal: Error | undefined): void => {
        if (refusal) this.#context.tally.refusedConnection(refusal);
        next(refusal);
      };
      admitted.then(
        () => answer(this.unavailability(credentials as Credentials)),
        // An auth function may throw any value, and socket.io takes `undefined` for an admission.
        (error: unknown) => answer(error instanceof Error ? error : new Error('unauthorized')),
      );
    });
    this.#sockets.on('connection', socket => this.#onConnection(socket));
    this.#sockets.attach(http);
    this.#sockets.engine.on('connection', (connection: ClientSocket['conn']) => this.#guard.watch(connection));
  }

  /** Reports the load to all clients. @param isVolatile whether a client with a busy connection can do without it */
  report(report: LoadReport, isVolatile: boolean): void {
    const sockets = isVolatile ? this.#sockets?.volatile : this.#sockets;
    sockets?.emit('load', this.#completed(report));
  }

  /** Returns the reason why an authenticated client, or any new client, can't be let in at present. */
  unavailability(credentials?: Credentials): Error | undefined {
    if (this.#isMovingAll && !this.sessions.has(credentials?.session?.id ?? ''))
      return new Error('closing: the server is about to close');
    if (this.#isFull(credentials)) return new Error(`full: the server has ${this.sessions.size} clients already`);
    try {
      infoOf(this.#context.served.mafalda.mediasoup);
      return undefined;
    } catch (error) {
      // A served RemoteMafaldaClient lacks the module's information until its own server has answered.
      return new Error(`unavailable: ${(error as Error).message}`);
    }
  }

  /** Asks clients that know another server to move there. Resolves when they have, or after 8 s. */
  async moveAll(): Promise<void> {
    const { movable } = this.sessions;
    if (movable.length === 0) return;
    this.#isMovingAll = true;
    await within(Promise.all(movable.map(session => session.moveOn())), MOVE_TIMEOUT_MS);
    // Their messages are acknowledged first.
    await new Promise(resolve => setImmediate(resolve));
    this.#isMovingAll = false;
  }

  /** Ends all sessions, which close their objects, and all connections. */
  async close(): Promise<void> {
    const closing = this.sessions.close();
    const sockets = this.#sockets;
    this.#sockets = undefined;
    sockets?.disconnectSockets(true);
    sockets?.engine.close();
    await closing;
  }

  #onConnection(socket: ClientSocket): void {
    this.#guard.trust(socket.conn);
    const credentials = socket.handshake.auth as Credentials;
    const { session: resumed } = credentials;
    const session = this.sessions.begin(credentials, socket);
    // Another client has come under its name while it was waiting here.
    if (!session) return void socket.disconnect(true);
    this.#limit(socket, session);
    socket.emit('welcome', this.#welcome(session));
    // The first report is not volatile: it would get lost right behind another packet, and no load is known before it.
    socket.emit('load', this.#completed(this.#context.load.report()));
    session.connect(socket, session.id === resumed?.id ? resumed.received : 0);
    if (this.#isMovingAll) void session.moveOn();
    listenToAll<ClientEvents>(socket, {
      alive: done => {
        if (isCallback(done)) done();
      },
      moved: done => void this.#endBy(socket, session, () => this.sessions.release(session), done),
      bye: done => void this.#endBy(socket, session, () => this.sessions.leave(session), done),
    });
    socket.on('disconnect', reason => {
      log.warn('session %s lost its connection: %s', session.id, reason);
      if (this.sessions.has(session.id))
        session.disconnect(socket, this.#options.sessionTimeout, () => this.sessions.giveUp(session));
    });
  }

  /**
   * Ends a session by its client's wish, after the messages before it. A connection without a session counts against no
   * limit, so it is closed if the client does not.
   */
  async #endBy(socket: ClientSocket, session: ClientSession, end: () => Promise<void>, done: unknown): Promise<void> {
    const ending = within(session.untilDelivered(), GOODBYE_TIMEOUT_MS).then(end);
    await within(ending, GOODBYE_TIMEOUT_MS);
    if (isCallback(done)) done();
    const timer = setTimeout(() => socket.disconnect(true), LINGER_MS).unref();
    socket.once('disconnect', () => clearTimeout(timer));
  }

  #welcome(session: ClientSession): Welcome {
    const { maxPayload, sessionTimeout, loadInterval, region, labels, maxLoad } = this.#options;
    return {
      protocol: PROTOCOL_VERSION,
      maxPayload,
      sessionTimeout,
      loadInterval,
      serverId: this.#serverId,
      region,
      labels,
      maxLoad,
      mediasoup: infoOf(this.#context.served.mafalda.mediasoup),
      session: { id: session.id, received: session.received },
    };
  }

  /** Limits what comes over the connection of a session. */
  #limit(socket: ClientSocket, session: ClientSession): void {
    const rate = new RateLimit(this.#context.limits.messagesPerSecond);
    const byteRate = new RateLimit(this.#context.limits.bytesPerSecond);
    // Bytes are counted by packet, since Buffers come in packets of their own, before the message that they belong to.
    socket.conn.on('packet', ({ data }: { data?: unknown }) => {
      const isMeasurable = typeof data === 'string' || data instanceof Uint8Array;
      if (!isMeasurable || byteRate.take(data.length) || !socket.connected) return;
      this.#refuse(session, 'bytesPerSecond', 'bytes');
    });
    socket.use((packet, next) => {
      // A packet consists of its name, two numbers, and the messages.
      if (rate.take(Math.max(1, packet.length - 3))) next();
      else this.#refuse(session, 'messagesPerSecond', 'messages');
    });
  }

  /** Ends the session of a client that has exceeded a limit, with the reason. */
  #refuse(session: ClientSession, limit: 'bytesPerSecond' | 'messagesPerSecond', what: string): void {
    const reason = `more than ${this.#context.limits[limit]} ${what} per second`;
    this.#context.tally.refusals.add(limit);
    log.warn('session %s is refused: %s', session.id, reason);
    session.refuse(reason, false);
    void this.sessions.end(session, 'failed');
  }

  /** Whether there is no place for another client; a client that resumes its session takes no new place. */
  #isFull(credentials?: Credentials): boolean {
    const { session } = credentials ?? {};
    return this.sessions.size >= this.#context.limits.clients && !(session && this.sessions.has(session.id));
  }

  #completed({ workers, ...report }: LoadReport): LoadReport {
    const { served, draining } = this.#context;
    const ofClients = workers.map(worker => ({ ...worker, id: served.exports.workerId(worker.id) }));
    return { ...report, draining: draining.isOn, workers: ofClients };
  }
}

function infoOf({ version, workerBin, getSupportedRtpCapabilities }: Index): MediasoupInfo {
  return { version, workerBin, supportedRtpCapabilities: getSupportedRtpCapabilities() };
}

/** Whether the client has asked for an acknowledgement, as the protocol demands. */
function isCallback(value: unknown): value is () => void {
  return typeof value === 'function';
}
