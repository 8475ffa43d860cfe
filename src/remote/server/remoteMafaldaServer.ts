/** The server of a Mafalda: it listens, lets clients in, reports the load, drains and closes. Sessions do the rest. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Index, WebRtcServerOptions } from 'mediasoup/types';
import type { Registry } from 'prom-client';
import { Server as SocketServer } from 'socket.io';
import { Addresses } from '../../core/addresses/addresses.ts';
import { NodeUnavailableError } from '../../api/errors.ts';
import { resolveOptions } from '../../api/optionsSchema.ts';
import { logger } from '../../core/logger.ts';
import { logRejections } from '../../core/logRejections.ts';
import type { LoadReport } from '../../api/load.ts';
import type { CallObserver, ServerStatistics } from '../../api/statistics.ts';
import type { MafaldaApi } from '../../api/types.ts';
import {
  listenToAll,
  type ClientEvents,
  type Received,
  type Sent,
  type ServerEvents,
  type SessionEvents,
} from '../protocol/socketEvents.ts';
import {
  DEFAULT_PATH,
  PROTOCOL_VERSION,
  type Credentials,
  type MediasoupInfo,
  type Welcome,
} from '../protocol/messages.ts';
import { MemoryBudget } from '../protocol/memory.ts';
import { within } from '../../core/within.ts';
import { authenticate } from './authenticate.ts';
import type { ClientSession, SessionContext, ClientSocket } from './clientSession.ts';
import { Draining } from './draining.ts';
import { ConnectionGuard } from './connectionGuard.ts';
import { DirectoryEntry } from './directoryEntry.ts';
import { RateLimit, ServerUse } from './limits.ts';
import { Monitoring } from './monitoring.ts';
import type { Orphans } from './orphanRegistry.ts';
import { ServedMafalda } from './servedMafalda.ts';
import { ServerLoad } from './serverLoad.ts';
import { ServerTally } from './serverTally.ts';
import { Sessions } from './sessions.ts';
import { Targets } from './targets.ts';
import { SettingsPolicy } from './settingsPolicy.ts';
import {
  resolveServerOptions,
  serverDrainOptions,
  type RemoteMafaldaServerOptions,
  type ResolvedServerOptions,
  type ServerDrainOptions,
} from './serverOptions.ts';

const log = logger('server');

const PING_INTERVAL_MS = 2000;
const PING_TIMEOUT_MS = 4000;
/**
 * Time limit for beginning the messages before a client's `bye`, and for closing its objects; the client waits about as
 * long.
 */
const GOODBYE_TIMEOUT_MS = 1000;
/** Time limit for clients to move to another server before this one closes, in ms. */
const MOVE_TIMEOUT_MS = 8000;
/** Time within which a new connection must send its credentials. */
const HANDSHAKE_TIMEOUT_MS = 5000;

/** Numbers of the clients of a server, and of their MafaldaRouters and objects. */
export interface ServerCounts {
  /** Sessions of clients, including those that are without a connection at present. */
  clients: number;
  /** MafaldaRouters that clients are attached to. */
  mafaldaRouters: number;
  /** Objects in them, and in clients' own Workers: Workers, Routers, Transports… */
  objects: number;
}

/**
 * Shows a Mafalda, whichever implementation it is, to other processes, which use it by a RemoteMafaldaClient.
 *
 * @example
 * const mafalda = new Mafalda(mediasoup);
 * const server = new RemoteMafaldaServer(mafalda, {
 *   port: 4443,
 *   cert: await readFile('cert.pem'),
 *   key: await readFile('key.pem'),
 *   auth: process.env.MAFALDA_TOKEN!,
 * });
 * await server.listen();
 * console.log(`clients can connect to ${server.url}`);
 */
export class RemoteMafaldaServer {
  readonly #options: ResolvedServerOptions;
  readonly #context: SessionContext;
  readonly #serverId = randomUUID();
  readonly #sessions: Sessions;
  readonly #guard: ConnectionGuard;
  readonly #http: HttpServer;
  readonly #monitoring: Monitoring;
  #sockets: SocketServer<Received<ClientEvents & SessionEvents>, Sent<ServerEvents & SessionEvents>> | undefined;
  #entry: DirectoryEntry | undefined;
  #registry: Promise<Registry> | undefined;
  /** Number of calls of close(), by which listen() notices that it was closed meanwhile. */
  #closes = 0;
  /** Whether it waits for clients to move to other servers before it closes. */
  #isClosing = false;

  /**
   * @param mafalda that clients use; closing it remains the caller's task
   * @throws {TypeError} for options that are unknown, invalid, or exclude each other, and for a missing `auth`
   */
  constructor(mafalda: MafaldaApi, options: RemoteMafaldaServerOptions) {
    logRejections(this, ['close', 'drain']);
    const resolved = resolveServerOptions(mafalda, options);
    const { limits, workerSettings, clientWorkerSettings, orphanTimeout, plainTargets, server, maxLoad } = resolved;
    this.#options = resolved;
    const settings = new SettingsPolicy(workerSettings, clientWorkerSettings);
    const memory = new MemoryBudget(limits.totalBytes);
    const { webRtcServerOptions } = mafalda as { webRtcServerOptions?: WebRtcServerOptions };
    const addresses = new Addresses(resolved, webRtcServerOptions?.listenInfos);
    this.#context = {
      served: new ServedMafalda(mafalda, this.#serverId, memory, addresses.pipeFamilies, settings, orphanTimeout),
      load: new ServerLoad(mafalda, maxLoad),
      addresses,
      targets: plainTargets && new Targets(plainTargets),
      settings,
      use: new ServerUse(),
      limits,
      memory,
      tally: new ServerTally(),
      draining: new Draining(
        () => this.#context.served.exports.isEmpty,
        () => this.#onDraining(),
      ),
    };
    this.#context.served.exports.onRemove = () => this.#context.draining.objectGone();
    this.#sessions = new Sessions(this.#context);
    this.#guard = new ConnectionGuard(limits.messagesPerSecond);
    this.#monitoring = new Monitoring(
      { unreadiness: () => this.#unreadiness, metrics: () => this.#collectMetrics() },
      resolved.metricsToken,
    );
    this.#http = server ?? createHttp(resolved, (...request) => this.handleRequest(...request));
  }

  /**
   * URL for clients on this machine, such as `ws://127.0.0.1:4443`.
   * @throws {Error} while the server does not listen
   */
  get url(): string {
    const address = this.#http.address() as AddressInfo | null;
    if (!address) throw new Error('the server does not listen: await server.listen() first');
    const { host, path } = this.#options;
    const isWildcard = !host || host === '0.0.0.0' || host === '::';
    const secure = 'setSecureContext' in this.#http;
    return `${secure ? 'wss' : 'ws'}://${isWildcard ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${address.port}${path === DEFAULT_PATH ? '' : path}`;
  }

  /** Numbers of clients, MafaldaRouters and objects at present, all zero when no client has anything here. */
  get counts(): ServerCounts {
    const { served } = this.#context;
    return { clients: this.#sessions.size, mafaldaRouters: served.attached, objects: served.exports.size };
  }

  /** Whether the server is being drained, by {@link drain} or by a client's `drain()`. */
  get draining(): boolean {
    return this.#context.draining.isOn;
  }

  /**
   * Takes the server out of use: it creates nothing new, every controller hears of that, and uses other servers.
   * Objects that exist stay until their makers close them; clients that know another server are asked to move there.
   * @returns what is left of clients when nothing is, or when the deadline has passed, or `undrain()` or `close()` was
   * called
   * @throws {TypeError} if `deadline` is not a duration
   */
  async drain(options: ServerDrainOptions = {}): Promise<ServerCounts> {
    const { deadline } = resolveOptions('drain()', serverDrainOptions, options);
    this.#context.draining.begin();
    for (const session of this.#sessions.movable) void session.moveOn();
    await this.#context.draining.untilEmpty(deadline);
    return this.counts;
  }

  /** Takes the server into use again. Does nothing if it is not being drained. */
  undrain(): void {
    this.#context.draining.end();
  }

  /** Mafalda that clients use. */
  get mafalda(): MafaldaApi {
    return this.#context.served.mafalda;
  }

  /** Present state, and counts since the start. */
  get statistics(): ServerStatistics {
    const { served, memory, tally } = this.#context;
    const { connected, size } = this.#sessions;
    return {
      ready: this.#unreadiness === undefined,
      draining: this.draining,
      sessions: { connected, absent: size - connected },
      begun: tally.begun,
      resumed: tally.resumed,
      ended: tally.ended.counts,
      snapshots: tally.snapshots,
      refusals: tally.refusals.counts,
      objects: served.exports.size,
      keptBytes: memory.bytes,
      directory: this.#options.directory?.statistics,
      orphans: served.orphans.list().reduce((sum, { objects }) => sum + objects.length, 0),
    };
  }

  /** Has each call of clients measured from now on. A later observer takes the place of an earlier one. */
  observeCalls(observer: CallObserver): void {
    this.#context.tally.onCall = observer;
  }

  /**
   * Answers requests for `/healthz`, `/readyz` and `/metrics`. Only needed with the option `server`: a server of its own
   * does it by itself.
   * @returns whether the request was one of these, and so needs no other answer
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#monitoring.handle(request, response);
  }

  /**
   * Objects of clients that went away without closing their session, in MafaldaRouters that others are attached to too.
   */
  get orphans(): Orphans[] {
    return this.#context.served.orphans.list();
  }

  /**
   * Resolves when clients can connect. If the Workers are this machine's, it checks first that a Worker can be started.
   * @throws {NodeUnavailableError} if no Worker can be started
   * @throws {Error} if the port is taken or may not be used, or if the server listens already or is closed meanwhile
   */
  async listen(): Promise<void> {
    if (this.#sockets) throw new Error('the server listens already');
    const closes = this.#closes;
    await this.#ensureWorker();
    if (this.#closes !== closes) throw new Error('the server was closed while it was to listen');
    const { path, maxPayload, port, host, server, origins, loadInterval } = this.#options;
    // Listening comes first, since it may fail, and then there is nothing to undo.
    if (!server) {
      this.#http.listen(port ?? 0, host);
      await once(this.#http, 'listening');
    }
    this.#sockets = new SocketServer({
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
        this.#sessions.succeed(credentials as Credentials),
      );
      const answer = (refusal: Error | undefined): void => {
        if (refusal) this.#context.tally.refusedConnection(refusal);
        next(refusal);
      };
      admitted.then(
        () => answer(this.#unavailability(credentials as Credentials)),
        // An auth function may throw any value, and socket.io takes `undefined` for an admission.
        (error: unknown) => answer(error instanceof Error ? error : new Error('unauthorized')),
      );
    });
    this.#sockets.on('connection', socket => this.#onConnection(socket));
    this.#sockets.attach(this.#http);
    this.#sockets.engine.on('connection', (connection: ClientSocket['conn']) => this.#guard.watch(connection));
    this.#context.load.watch(loadInterval, report => this.#onLoad(report));
    this.#register();
  }

  /**
   * Ends all connections, and closes all objects of clients. Clients that know another server are asked to move there,
   * with their objects, and are waited for, for up to 8 s. The Mafalda itself stays open. Idempotent.
   */
  async close(): Promise<void> {
    ++this.#closes;
    const { movable } = this.#sessions;
    if (movable.length > 0) {
      this.#isClosing = true;
      await within(Promise.all(movable.map(session => session.moveOn())), MOVE_TIMEOUT_MS);
      this.#isClosing = false;
    }
    this.#context.load.close();
    this.#context.draining.stopWaiting();
    // Controllers that read the directory look for another server, rather than come here.
    const unregistered = this.#entry?.close();
    this.#entry = undefined;
    const closing = this.#sessions.close();
    const sockets = this.#sockets;
    this.#sockets = undefined;
    if (!sockets) return;
    sockets.disconnectSockets(true);
    sockets.engine.close();
    await Promise.all([closing, unregistered]);
    if (this.#options.server) return;
    this.#http.closeAllConnections();
    await new Promise(resolve => this.#http.close(resolve));
  }

  #register(): void {
    const { directory, publicUrl, region, labels } = this.#options;
    if (!directory || publicUrl === undefined) return;
    const { mafalda } = this.#context.served;
    const record = {
      url: publicUrl,
      serverId: this.#serverId,
      region,
      labels,
      load: mafalda.load,
      draining: this.draining,
    };
    this.#entry = new DirectoryEntry(mafalda, directory, record);
  }

  async #ensureWorker(): Promise<void> {
    try {
      await this.#context.served.mafalda.ensureWorker?.();
    } catch (error) {
      throw new NodeUnavailableError(`no Worker can be started here: ${(error as Error).message}`, {
        cause: error as Error,
      });
    }
  }

  #onConnection(socket: ClientSocket): void {
    this.#guard.trust(socket.conn);
    const credentials = socket.handshake.auth as Credentials;
    const { session: resumed } = credentials;
    const session = this.#sessions.begin(credentials);
    // Another client has come under its name while it was waiting here.
    if (!session) return void socket.disconnect(true);
    const { maxPayload, sessionTimeout, loadInterval, region, labels, maxLoad } = this.#options;
    const welcome: Welcome = {
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
    socket.emit('welcome', welcome);
    // The first report is not volatile: it would get lost right behind another packet, and no load is known before it.
    socket.emit('load', this.#completed(this.#context.load.report()));
    session.connect(socket, session.id === resumed?.id ? resumed.received : 0);
    if (this.#isClosing) void session.moveOn();
    listenToAll<ClientEvents>(socket, {
      alive: done => {
        if (isCallback(done)) done();
      },
      moved: done => {
        const leaving = within(session.untilDelivered(), GOODBYE_TIMEOUT_MS).then(() =>
          this.#sessions.release(session),
        );
        void within(leaving, GOODBYE_TIMEOUT_MS).then(() => isCallback(done) && done());
      },
      bye: done => {
        const leaving = within(session.untilDelivered(), GOODBYE_TIMEOUT_MS).then(() => this.#sessions.leave(session));
        void within(leaving, GOODBYE_TIMEOUT_MS).then(() => isCallback(done) && done());
      },
    });
    socket.on('disconnect', reason => {
      log.warn('session %s lost its connection: %s', session.id, reason);
      if (this.#sessions.has(session.id))
        session.disconnect(socket, sessionTimeout, () => this.#sessions.giveUp(session));
    });
  }

  /** Returns the reason why an authenticated client, or any new client, can't be let in at present. */
  #unavailability(credentials?: Credentials): Error | undefined {
    if (this.#isClosing && !this.#sessions.has(credentials?.session?.id ?? ''))
      return new Error('closing: the server is about to close');
    if (this.#isFull(credentials)) return new Error(`full: the server has ${this.#sessions.size} clients already`);
    try {
      infoOf(this.#context.served.mafalda.mediasoup);
      return undefined;
    } catch (error) {
      // A served RemoteMafaldaClient lacks the module's information until its own server has answered.
      return new Error(`unavailable: ${(error as Error).message}`);
    }
  }

  /** Whether there is no place for another client; a client that resumes its session takes no new place. */
  #isFull(credentials?: Credentials): boolean {
    const { session } = credentials ?? {};
    return this.#sessions.size >= this.#context.limits.clients && !(session && this.#sessions.has(session.id));
  }

  /** Ends the session of a client that has exceeded a limit, with the reason. */
  #refuse(session: ClientSession, limit: 'bytesPerSecond' | 'messagesPerSecond', what: string): void {
    const reason = `more than ${this.#context.limits[limit]} ${what} per second`;
    this.#context.tally.refusals.add(limit);
    log.warn('session %s is refused: %s', session.id, reason);
    session.refuse(reason, false);
    void this.#sessions.end(session, 'failed');
  }

  /** Tells clients and the directory at once, since the next report may be late. */
  #onDraining(): void {
    this.#sockets?.emit('load', this.#completed(this.#context.load.report()));
    this.#entry?.update({ draining: this.draining });
  }

  #onLoad(report: LoadReport): void {
    this.#sockets?.volatile.emit('load', this.#completed(report));
    this.#entry?.update({ load: report.load });
  }

  /** Reason why the server takes nothing new; undefined if it is ready. */
  get #unreadiness(): string | undefined {
    if (!this.#sockets) return 'the server does not listen';
    if (this.draining) return 'the server is being drained';
    const { mafalda } = this.#context.served;
    if (mafalda.closed) return 'what it serves is closed';
    const { nodes = [] } = mafalda.statistics ?? {};
    if (nodes.length > 0 && !nodes.some(({ state }) => state === 'connected' || state === 'resting'))
      return 'none of the nodes can be used';
    return this.#unavailability()?.message;
  }

  /** Collects the metrics. The library for it is loaded with the first request. */
  async #collectMetrics(): Promise<{ contentType: string; text: string }> {
    this.#registry ??= import('../../metrics/registerMetrics.ts').then(({ newRegistry }) => newRegistry(this));
    const registry = await this.#registry;
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  #completed({ workers, ...report }: LoadReport): LoadReport {
    const { exports } = this.#context.served;
    const { draining } = this;
    return { ...report, draining, workers: workers.map(worker => ({ ...worker, id: exports.workerId(worker.id) })) };
  }
}

function infoOf({ version, workerBin, getSupportedRtpCapabilities }: Index): MediasoupInfo {
  return { version, workerBin, supportedRtpCapabilities: getSupportedRtpCapabilities() };
}

/** Whether the client has asked for an acknowledgement, as the protocol demands. */
function isCallback(value: unknown): value is () => void {
  return typeof value === 'function';
}

function createHttp(
  { cert, key, ca, path }: ResolvedServerOptions,
  handle: (request: IncomingMessage, response: ServerResponse) => boolean,
): HttpServer {
  // Other requests that are no WebSocket handshake get an error.
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (!handle(request, response)) response.writeHead(426).end();
  };
  const http = cert
    ? createHttpsServer(
        { cert, key, ca, requestCert: ca !== undefined, rejectUnauthorized: ca !== undefined },
        onRequest,
      )
    : createHttpServer(onRequest);
  // socket.io would close a handshake at another path only after a second, and without a reason.
  return http.on('upgrade', ({ url }, socket) => {
    if (!url?.startsWith(`${path.replace(/\/$/, '')}/`))
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
}
