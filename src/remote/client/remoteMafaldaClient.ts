import { randomUUID } from 'node:crypto';
import { NotFoundError } from 'mediasoup/errors';
import { MafaldaBase } from '../../base/mafaldaBase.ts';
import { ClosedError, NodeUnavailableError, type RefusedError } from '../../api/errors.ts';
import type { LoadReport } from '../../api/load.ts';
import { logger } from '../../core/logger.ts';
import { ObjectTree } from '../../core/objectTree.ts';
import { ModuleScope, packageScope } from '../../base/moduleScope.ts';
import { refuseUnknown, type ResolvedMafaldaRouterOptions } from '../../api/options.ts';
import type { MafaldaEvents, MafaldaRouterOptions, MafaldaRouterState, ResourceUsages } from '../../api/types.ts';
import { EncodedCapabilities } from '../protocol/capabilities.ts';
import { created } from '../protocol/classes.ts';
import { decode, encode } from '../protocol/codec.ts';
import { MAFALDA_TARGET, type ServerMessage, type Target, type Welcome } from '../protocol/messages.ts';
import { isMafaldaRouterStates } from '../protocol/validateServer.ts';
import { Connection, NO_SIGN_OF_LIFE } from './connection.ts';
import { connectionOptions, type ConnectionOptions } from './connectionOptions.ts';
import { coreOf } from './mirror.ts';
import type { Caller } from './mirrorCore.ts';
import { Mirrors } from './mirrors.ts';
import { resolveNodeLimits } from './nodeLimits.ts';
import { RemoteMediasoup } from './remoteMediasoup.ts';
import { RemoteMafaldaRouter } from './remoteMafaldaRouter.ts';

const log = logger('client');

export const scope = new ModuleScope(packageScope);

/** States of a WebSocket, and `CONNECTED`: the server has accepted the client. */
export const ReadyState = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3, CONNECTED: 4 } as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];

/** Options of a {@link RemoteMafaldaClient}. */
export type RemoteMafaldaClientOptions = ConnectionOptions;

/** Failed attempt to connect to a server. */
export interface ConnectFailure {
  /** URL of the server. */
  url: string;
  /** Reason of the failure. */
  error: Error;
}

/** Events of a {@link RemoteMafaldaClient}. */
export type RemoteMafaldaClientEvents = MafaldaEvents & {
  /** The socket is open. */
  open: [];
  /** The server has accepted the client: also after each reconnection. */
  connected: [];
  /** The connection is lost; calls wait until there is a connection again. */
  disconnected: [reason: string];
  /**
   * An attempt to connect has failed, for the reason in `error` and its `cause`; the client goes on trying. Emitted
   * once for each cause, until the client is connected. A `RefusedError` is emitted here too, beside by `error`.
   */
  connecterror: [failure: ConnectFailure];
  /** The load of the server has been reported, in percent of all cores. */
  load: [load: number, report: LoadReport];
  /** The session has ended; everything that came from the server closes right after this. */
  lost: [];
};

/** Evidence of whether the server lives, for a cluster, which has other evidence too. */
export interface ServerSigns {
  /** Whether there is a session, which could be lost. */
  readonly hasSession: boolean;
  /** Time since the last sign of life, in ms. */
  readonly silentFor: number;
  /** Whether its machine has refused a connection since the last sign of life, so that the process must have ended. */
  readonly nobodyListens: boolean;
  /** Asks the server for a sign of life. */
  ask(): void;
  /** Replaces the connection by a new connection. The session goes on. */
  reconnect(): void;
  /** Gives up the session too, so that everything that came from the server closes. */
  giveUp(): void;
}

/**
 * A Mafalda in another process or on another machine, behind a RemoteMafaldaServer. Calls made before `connected` wait
 * for it.
 *
 * @example
 * const client = new RemoteMafaldaClient('wss://media-1.example:4443', { token: process.env.MAFALDA_TOKEN });
 * client.on('error', error => console.error(error));
 * client.on('connecterror', ({ url, error }) => console.warn(`${url}: ${error.message}`));
 * const mafaldaRouter = client.createMafaldaRouter({ id: 'room-1' });
 * const transport = await mafaldaRouter.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] });
 * // … produce(), consume() as with mediasoup …
 * await client.close();
 */
export class RemoteMafaldaClient extends MafaldaBase<RemoteMafaldaRouter, RemoteMafaldaClientEvents> {
  readonly #options: RemoteMafaldaClientOptions;
  readonly #instance: string;
  readonly #caller: Caller = {
    call: (...call) => this.#call(...call),
    send: (target, method, args) => this.#connectionOrThrow().send(target, method, this.#encode(args)),
    closeObject: (...object) => this.#connectionOrThrow().closeObject(...object),
    closeMafaldaRouter: (...mafaldaRouter) => this.#connectionOrThrow().closeMafaldaRouter(...mafaldaRouter),
    closeLostMafaldaRouter: (...mafaldaRouter) => this.#connection?.closeLostMafaldaRouter(...mafaldaRouter),
    listen: (...listening) => this.#connectionOrThrow().listen(...listening),
  };
  /** False: the Workers belong to the server, and addresses of this machine do not apply to them. */
  readonly local = false;
  /** mediasoup's module API, whose Workers live on the server, until they are closed, or the session ends. */
  readonly mediasoup = new RemoteMediasoup(this.#caller);
  readonly #mirrors: Mirrors;
  /** Objects made with {@link mediasoup}. */
  readonly #own = new ObjectTree();
  readonly #capabilities = new EncodedCapabilities();
  #url: string | undefined;
  #connection: Connection | undefined;
  #readyState: ReadyState = ReadyState.CLOSED;
  #load = 0;
  #loadReport: LoadReport = { load: 0, workers: [], hosts: [] };
  #welcome: Welcome | undefined;
  /** Signal that ends the waiting for the server in {@link depart}. */
  #departing: AbortSignal | undefined;
  /** Permanent refusal by the server. */
  #refusal: RefusedError | undefined;

  /**
   * @param url of a RemoteMafaldaServer, such as `wss://host:port`; without it, the client connects by {@link open}
   * @param instance clients that share a `name` and this string count as the same client; default: a random string
   * @throws {TypeError} for an invalid URL or option
   */
  constructor(url?: string, options: RemoteMafaldaClientOptions = {}, instance: string = randomUUID()) {
    super(scope);
    this.#instance = instance;
    refuseUnknown('RemoteMafaldaClient', options, connectionOptions);
    this.#options = options;
    this.#mirrors = new Mirrors(this.#caller, resolveNodeLimits(options.limits), {
      onWorker: worker => {
        this.#own.addWorker(worker, coreOf(worker)?.id ?? String(worker.pid));
        this.mediasoup.observer.safeEmit('newworker', worker);
      },
      onRouter: (id, ...router) => this.mafaldaRouters.get(id)?.addRouter(...router),
      onWorkerDied: (id, ...death) => this.mafaldaRouters.get(id)?.reportWorkerDied(...death),
      hasClosed: handle => this.#connection?.hasClosed(handle) === true,
    });
    this.tree.include(this.#own);
    if (url !== undefined) this.open(url);
  }

  /** URL of the server; undefined before the first {@link open}. */
  get url(): string | undefined {
    return this.#url;
  }

  /** State of the connection. */
  get readyState(): ReadyState {
    return this.#readyState;
  }

  /** Latest load of the server, in percent of all cores; 0 before the first report. */
  get load(): number {
    return this.#load;
  }

  /** Latest load report of the server, with empty lists before the first report. */
  get loadReport(): LoadReport {
    return { ...this.#loadReport, load: this.#load };
  }

  /** Id of the server, the same by any URL, and new after each start. Undefined before the server has answered. */
  get serverId(): string | undefined {
    return this.#welcome?.serverId;
  }

  /** Known reason why the client is not connected, which errors of calls carry too. Undefined while it is connected. */
  get trouble(): Error | undefined {
    return this.#readyState === ReadyState.CONNECTED ? undefined : (this.#refusal ?? this.#connection?.trouble);
  }

  /** Evidence of whether the server lives. Undefined while the client is not open. */
  get signs(): ServerSigns | undefined {
    return this.#connection;
  }

  /** Location of the server, as its operator names it. Undefined before the server has answered. */
  get region(): string | undefined {
    return this.#welcome?.region;
  }

  /** Further properties of the server, as its operator names them. Empty before the server has answered. */
  get labels(): Readonly<Record<string, string>> {
    return this.#welcome?.labels ?? {};
  }

  /** Load in percent beyond which the server takes nothing new, if there is a limit. */
  get maxLoad(): number | undefined {
    return this.#welcome?.maxLoad;
  }

  /**
   * Connects, or tries again at once if the server has refused the client.
   * @param url of the server; default: the URL that was used last
   * @throws {ClosedError} if the client is closed
   * @throws {TypeError} for a missing or invalid URL
   * @throws {Error} if the client is open already
   */
  open(url = this.#url): void {
    if (this.closed) throw new ClosedError('this RemoteMafaldaClient is closed: make another one');
    if (url === undefined) throw new TypeError('missing url');
    if (this.#connection) {
      if (!this.#connection.refusal) throw new Error(`this RemoteMafaldaClient is open already, to ${this.#url}`);
      if (url === this.#url) return this.#connection.open();
    }
    const connection = new Connection(url, this.#options, this.#instance);
    this.#dropConnection();
    this.#url = url;
    this.#connection = connection;
    this.#refusal = undefined;
    this.#readyState = ReadyState.CONNECTING;
    connection.on('open', () => {
      this.#readyState = ReadyState.OPEN;
      this.safeEmit('open');
    });
    connection.on('welcome', welcome => {
      this.#welcome = welcome;
      this.mediasoup.setInfo(welcome.mediasoup);
      this.#readyState = ReadyState.CONNECTED;
      this.safeEmit('connected');
    });
    connection.on('disconnected', reason => {
      // A connection that was refused for good has been replaced.
      if (this.#connection === connection) this.#onDisconnected(reason);
    });
    connection.on('load', report => {
      this.#loadReport = report;
      this.#setLoad(report.load);
    });
    connection.on('answered', load => this.#setLoad(load));
    connection.on('late', result => this.#closeLateResult(result));
    connection.on('message', (message, bytes) => this.#onMessage(message, bytes));
    connection.on('lost', reason => {
      // A silent server counts as disconnected, whatever TCP says; the event comes before objects close for it.
      if (this.#readyState === ReadyState.CONNECTED) this.#onDisconnected(NO_SIGN_OF_LIFE);
      this.#closeEverything(
        new NodeUnavailableError(`${url} is lost, and what was there with it`, {
          node: url,
          cause: reason ?? connection.trouble,
        }),
      );
      if (reason) this.reportError(reason);
    });
    connection.on('refused', error => {
      if (this.#readyState === ReadyState.CONNECTED) this.#onDisconnected(error.message);
      if (error.permanent) {
        this.#refusal = error;
        this.#readyState = ReadyState.CLOSED;
        this.#dropConnection(error);
      }
      this.safeEmit('connecterror', { url, error });
      this.reportError(error);
    });
    connection.on('connecterror', error => this.safeEmit('connecterror', { url, error }));
    connection.open();
  }

  override async listMafaldaRouters(): Promise<MafaldaRouterState[]> {
    const states = await this.#call(MAFALDA_TARGET, 'listMafaldaRouters', []);
    if (!isMafaldaRouterStates(states))
      throw new TypeError(`listMafaldaRouters() was answered by ${this.#url} with something else`);
    return states;
  }

  async getResourceUsages(): Promise<ResourceUsages> {
    return (await this.#call(MAFALDA_TARGET, 'getResourceUsages', [])) as ResourceUsages;
  }

  protected makeMafaldaRouter({ id }: ResolvedMafaldaRouterOptions, given: MafaldaRouterOptions): RemoteMafaldaRouter {
    // The server fills in defaults, since it may have another number of cores, and a MafaldaRouter of this id.
    return new RemoteMafaldaRouter(this.#caller, id, given);
  }

  /**
   * Closes like {@link close}, but waits for a server that is out of reach as long as it keeps the session, so that the
   * objects of this client there close.
   * @param signal ends the waiting
   */
  async depart(signal: AbortSignal): Promise<void> {
    this.#departing = signal;
    await this.close();
  }

  protected async release(): Promise<void> {
    this.#readyState = ReadyState.CLOSING;
    await this.#connection?.close(this.#departing);
    this.#closeEverything();
    this.#connection = undefined;
    this.#readyState = ReadyState.CLOSED;
  }

  #onDisconnected(reason: string): void {
    if (this.#readyState === ReadyState.CONNECTING) return;
    this.#readyState = this.closed ? ReadyState.CLOSING : ReadyState.CONNECTING;
    this.safeEmit('disconnected', reason);
  }

  async #call(target: Target, method: string, args: unknown[]): Promise<unknown> {
    const encoded = await this.#connectionOrThrow().call(target, method, this.#encode(args));
    const result = decode(encoded, handle => {
      const object = this.#mirrors.objectOf(handle);
      if (!object) throw new NotFoundError(`${method}(): what it has made was closed before the answer came`);
      return object;
    });
    const expected = created.get(method);
    if (expected && (typeof result !== 'object' || result === null || coreOf(result)?.className !== expected)) {
      throw new TypeError(`${method}() was answered by ${this.#url} with something else than a ${expected}`);
    }
    if (typeof result !== 'object' || result === null) return result;
    coreOf(result)?.markCreatedHere();
    keepAppData(args, result);
    return result;
  }

  #setLoad(load: number): void {
    this.#load = load;
    this.safeEmit('load', load, this.loadReport);
  }

  /** Closes an object that was created after its call had timed out, and so has failed for the caller. */
  #closeLateResult(encoded: unknown): void {
    const result = decode(encoded, handle => this.#mirrors.objectOf(handle) ?? {});
    if (typeof result === 'object' && result !== null) coreOf(result)?.close();
  }

  /** Closes the connection, and everything that came from the server. */
  #dropConnection(death?: Error): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#connection = undefined;
    this.#closeEverything(death);
    connection.close().catch(error => log('closing the connection to %s: %o', this.#url, error));
  }

  #connectionOrThrow(): Connection {
    if (this.#refusal) throw this.#refusal;
    if (this.closed) throw new ClosedError('this RemoteMafaldaClient is closed: make another one');
    if (!this.#connection) throw new NodeUnavailableError('this RemoteMafaldaClient is not open: call open(url) first');
    return this.#connection;
  }

  #encode(args: unknown[]): unknown[] {
    return this.#capabilities.encode(args, all => encode(all, handleOf) as unknown[]);
  }

  #onMessage(message: Exclude<ServerMessage, { type: 'answer' | 'failure' }>, bytes: number): void {
    switch (message.type) {
      case 'add':
        return this.#mirrors.add(message.mafaldaRouter, message.addition, bytes);
      case 'event':
        return this.#onEvent(message, bytes);
      case 'change':
        return this.#mirrors.change(message.handle, message.changes, bytes);
      case 'close':
        return this.#mirrors.close(message.handle, message.cause);
      case 'forget':
        return this.#mirrors.forget(message.handle);
      case 'closeMafaldaRouter':
        return void this.mafaldaRouters
          .get(message.mafaldaRouter)
          ?.closedByServer()
          .catch(error => log('%o', error));
      default:
        return message satisfies never;
    }
  }

  #onEvent({ handle, name, args, changes }: Extract<ServerMessage, { type: 'event' }>, bytes: number): void {
    let decoded: unknown[];
    try {
      decoded = args.map(arg => this.#decodeArgument(arg));
    } catch (error) {
      // An event may refer to an object that has been closed here while the message was on its way.
      return log('%s: %o', name, error);
    }
    this.#mirrors.event(handle, name, decoded, changes, bytes);
  }

  /**
   * Decodes arguments without the elements of lists, such as `volumes`, that refer to objects closed in the meantime.
   */
  #decodeArgument(arg: unknown): unknown {
    const objectOf = (handle: number): object | undefined => this.#mirrors.objectOf(handle);
    if (!Array.isArray(arg) || arg.length === 0) return decode(arg, objectOf);
    const decoded = arg.flatMap(element => {
      try {
        return [decode(element, objectOf)];
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
        return [];
      }
    });
    if (decoded.length === 0) throw new NotFoundError('all of which this tells has been closed');
    return decoded;
  }

  /** @param death error of Workers that count as died, if the server is gone rather than this client closed */
  #closeEverything(death?: Error): void {
    this.safeEmit('lost');
    this.#mirrors.closeAll(death);
    for (const mafaldaRouter of this.mafaldaRouters.values())
      mafaldaRouter.closedByServer().catch(error => log('%o', error));
  }
}

/** @throws {NotFoundError} for a closed object outside an `appData` */
function handleOf(object: object, isInAppData: boolean): number | undefined {
  const core = coreOf(object);
  if (core?.closed && !isInAppData) throw core.closedError('use');
  return core?.handle;
}

/** Gives a created object the application's own appData object instead of a copy, as in mediasoup. */
function keepAppData([options]: unknown[], result: object): void {
  const { appData } = (options ?? {}) as { appData?: unknown };
  if (!coreOf(result)) return;
  if (typeof appData === 'object' && appData !== null) Object.assign(result, { appData });
}
