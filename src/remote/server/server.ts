import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Server as SocketServer, type Socket } from 'socket.io';
import { logger } from '../../shared/logger.ts';
import { refuseUnknown } from '../../shared/options.ts';
import type { MafaldaApi } from '../../shared/types.ts';
import { DEFAULT_MAX_PAYLOAD, PROTOCOL_VERSION, type Credentials, type LoadReport, type Welcome } from '../protocol/messages.ts';
import { Addresses, type AddressOptions } from './addresses.ts';
import { authenticate, type Auth } from './authenticate.ts';
import { ClientSession } from './clientSession.ts';
import { ServedMafalda } from './servedMafalda.ts';

const log = logger('server');

const PING_INTERVAL_MS = 2000;
const PING_TIMEOUT_MS = 4000;
const DEFAULT_SESSION_TIMEOUT_MS = 15_000;
const LOAD_INTERVAL_MS = 1000;

export interface RemoteMafaldaServerOptions extends AddressOptions {
  /** Default: any free port, see {@link RemoteMafaldaServer.url}. */
  port?: number;
  /** The address to listen on; default: all of this machine's. */
  host?: string;
  /** Default `/mafalda`. */
  path?: string;
  /** An HTTP or HTTPS server to share, instead of `port`, `host`, `cert` and `key`. It stays its owner's to close. */
  server?: HttpServer;
  /** Certificate and key, PEM: then it listens with TLS. */
  cert?: string | Buffer;
  key?: string | Buffer;
  /** Without it everybody who reaches the port is let in. */
  auth?: Auth;
  /** Largest message that a client may send, in bytes; default 1,000,000. */
  maxPayload?: number;
  /**
   * How long a client may stay away before what only it was attached to is closed, here and at the client, in ms; default
   * 15,000.
   */
  sessionTimeout?: number;
}

export interface ServerCounts {
  clients: number;
  /** Those that clients are attached to. */
  mafaldaRouters: number;
  /** All objects in them: Workers, Routers, Transports… */
  objects: number;
}

const knownOptions: Record<keyof RemoteMafaldaServerOptions, true> = {
  port: true,
  host: true,
  path: true,
  server: true,
  cert: true,
  key: true,
  auth: true,
  maxPayload: true,
  sessionTimeout: true,
  announcedAddress: true,
  listenInfos: true,
  listenIps: true,
  pipeListenInfo: true,
};

/** Lets other processes use a Mafalda, whichever implementation it is, through RemoteMafaldaClient. */
export class RemoteMafaldaServer {
  readonly #options: RemoteMafaldaServerOptions;
  readonly #served: ServedMafalda;
  readonly #addresses: Addresses;
  readonly #serverId = randomUUID();
  readonly #sessions = new Map<string, ClientSession>();
  readonly #http: HttpServer;
  #sockets: SocketServer | undefined;
  #reporting: NodeJS.Timeout | undefined;

  /** @throws {TypeError} for options that are unknown or don't go together */
  constructor(mafalda: MafaldaApi, options: RemoteMafaldaServerOptions = {}) {
    refuseUnknown('RemoteMafaldaServer', options, Object.keys(knownOptions));
    if (!options.cert !== !options.key) throw new TypeError('cert and key must be given together');
    this.#options = options;
    this.#served = new ServedMafalda(mafalda, this.#serverId);
    this.#addresses = new Addresses(options);
    this.#http = options.server ?? createHttp(options);
  }

  /** Where clients reach it, as they would on this machine. Only while it listens. */
  get url(): string {
    const address = this.#http.address() as AddressInfo | null;
    if (!address) throw new Error('the server does not listen: await server.listen() first');
    const { host } = this.#options;
    const isWildcard = !host || host === '0.0.0.0' || host === '::';
    const secure = 'setSecureContext' in this.#http;
    return `${secure ? 'wss' : 'ws'}://${isWildcard ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${address.port}`;
  }

  /** What it holds at present: all zero when no client has anything here. */
  get counts(): ServerCounts {
    return { clients: this.#sessions.size, mafaldaRouters: this.#served.attached, objects: this.#served.exports.size };
  }

  /** Resolves when clients can connect. @throws if the port is taken or may not be used */
  async listen(): Promise<void> {
    if (this.#sockets) throw new Error('the server listens already');
    const { path = '/mafalda', maxPayload = DEFAULT_MAX_PAYLOAD, port = 0, host, server } = this.#options;
    // First of all, since it may fail: then there is nothing to undo.
    if (!server) {
      this.#http.listen(port, host);
      await once(this.#http, 'listening');
    }
    this.#sockets = new SocketServer({
      path,
      transports: ['websocket'],
      serveClient: false,
      maxHttpBufferSize: maxPayload,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
    });
    this.#sockets.use((socket, next) => {
      authenticate(this.#options.auth, socket.handshake.auth).then(
        () => next(),
        // Whatever it was that an auth function threw: socket.io takes `undefined` for a yes.
        (error: unknown) => next(error instanceof Error ? error : new Error('unauthorized')),
      );
    });
    this.#sockets.on('connection', socket => this.#onConnection(socket));
    this.#sockets.attach(this.#http);
    this.#reporting = setInterval(() => this.#reportLoad(), LOAD_INTERVAL_MS).unref();
  }

  /** Ends all connections and closes what clients have made. The Mafalda itself stays its owner's to close. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#reporting);
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
    const sockets = this.#sockets;
    this.#sockets = undefined;
    if (!sockets) return;
    sockets.disconnectSockets(true);
    sockets.engine.close();
    if (this.#options.server) return;
    this.#http.closeAllConnections();
    await new Promise(resolve => this.#http.close(resolve));
  }

  get #sessionTimeout(): number {
    return this.#options.sessionTimeout ?? DEFAULT_SESSION_TIMEOUT_MS;
  }

  #onConnection(socket: Socket): void {
    const { session: resumed } = socket.handshake.auth as Credentials;
    const session = (resumed && this.#sessions.get(resumed.id)) ?? this.#newSession();
    const welcome: Welcome = {
      protocol: PROTOCOL_VERSION,
      maxPayload: this.#options.maxPayload ?? DEFAULT_MAX_PAYLOAD,
      sessionTimeout: this.#sessionTimeout,
      serverId: this.#serverId,
      session: { id: session.id, received: session.received },
    };
    socket.emit('welcome', welcome);
    this.#report(socket);
    session.connect(socket, session.id === resumed?.id ? resumed.received : 0);
    socket.on('bye', (done: unknown) => {
      this.#end(session);
      if (isCallback(done)) done();
    });
    socket.on('disconnect', reason => {
      log('session %s lost its connection: %s', session.id, reason);
      if (this.#sessions.has(session.id)) session.disconnect(socket, this.#sessionTimeout, () => this.#end(session));
    });
  }

  #newSession(): ClientSession {
    const session = new ClientSession(this.#served, this.#addresses, error => {
      log('session %s: %o', session.id, error);
      this.#end(session);
    });
    this.#sessions.set(session.id, session);
    return session;
  }

  #end(session: ClientSession): void {
    this.#sessions.delete(session.id);
    session.close();
  }

  #reportLoad(): void {
    for (const socket of this.#sockets?.sockets.sockets.values() ?? []) this.#report(socket);
  }

  #report(socket: Socket): void {
    const report: LoadReport = { load: this.#served.mafalda.load };
    socket.volatile.emit('load', report);
  }
}

/** Only a peer that keeps to the protocol sends one. */
function isCallback(value: unknown): value is () => void {
  return typeof value === 'function';
}

function createHttp({ cert, key }: RemoteMafaldaServerOptions): HttpServer {
  // The rest of the options is about whom to serve; nothing is answered that isn't a WebSocket handshake.
  const refuse: Parameters<typeof createHttpServer>[1] = (_request, response) => response.writeHead(426).end();
  return cert ? createHttpsServer({ cert, key }, refuse) : createHttpServer(refuse);
}
