/** Mafalda in another process: its connection, and the mirrors of what a server shows. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { MafaldaBase } from '../../base/mafaldaBase.ts';
import { ClosedError, NodeUnavailableError, type RefusedError } from '../../api/errors.ts';
import type { LoadReport } from '../../api/load.ts';
import type { HeldRooms } from '../../core/heldRooms.ts';
import { listen } from '../../core/listen.ts';
import { logger } from '../../core/logger.ts';
import { ObjectTree } from '../../core/objectTree.ts';
import { ModuleScope, packageScope } from '../../base/moduleScope.ts';
import type { FoundRoom, OnSeen, SoughtRoom } from '../../base/roomFinder.ts';
import type { ResolvedMafaldaRouterOptions } from '../../api/mafaldaRouterOptions.ts';
import { resolveOptions } from '../../api/optionsSchema.ts';
import type { MafaldaRouterOptions, MafaldaRouterState, MediasoupApi, ResourceUsages } from '../../api/types.ts';
import { EncodedCapabilities } from '../protocol/capabilities.ts';
import { decode, encode } from '../protocol/codec.ts';
import { MAFALDA_TARGET } from '../protocol/messages.ts';
import { isFoundMafaldaRouter, isMafaldaRouterStates } from '../protocol/validateServer.ts';
import { Connection, NO_SIGN_OF_LIFE, type ConnectionEvents } from './connection.ts';
import {
  connectionOptions,
  type RemoteMafaldaClientOptions,
  type ResolvedConnectionOptions,
} from './connectionOptions.ts';
import type { RemoteMafaldaClientEvents, ServerSigns } from './clientEvents.ts';
import { Endings } from './endings.ts';
import { coreOf } from './mirror.ts';
import { closeLateResult, decodeResult, handleOfArgument } from './mirrorArguments.ts';
import type { CallTarget } from './mirrorCore.ts';
import { Mirrors } from './mirrors.ts';
import { MirrorUpdates } from './mirrorUpdates.ts';
import { ReadyState } from './readyState.ts';
import { Rebinding } from './rebinding.ts';
import { RemoteMediasoup } from './remoteMediasoup.ts';
import { RemoteMafaldaRouter, type RoomCaller } from './remoteMafaldaRouter.ts';
import { Searches, type Search } from './searches.ts';
import { ServerState } from './serverState.ts';
import { ToldRooms } from './toldRooms.ts';
import { urlsOf } from './url.ts';

const log = logger('client');

export const scope = new ModuleScope(packageScope);

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
  readonly #options: ResolvedConnectionOptions;
  readonly #instance: string;
  readonly #caller: RoomCaller = {
    call: (...call) => this.#call(...call),
    send: (...message) => this.#connectionOrThrow().requests.send(...message),
    closeObject: object => this.#connectionOrThrow().requests.closeObject(object),
    closeMafaldaRouter: (...mafaldaRouter) => this.#connectionOrThrow().requests.closeMafaldaRouter(...mafaldaRouter),
    closeLostMafaldaRouter: (...mafaldaRouter) =>
      this.#connection?.requests.closeLostMafaldaRouter(...mafaldaRouter, this.#connection.hasSession),
    listen: (...listening) => this.#connectionOrThrow().requests.listen(...listening),
    endInTurns: steps => this.#endNext(steps),
  };
  /** False: the Workers belong to the server, and addresses of this machine do not apply to them. */
  readonly local = false;
  readonly #mediasoup = new RemoteMediasoup(this.#caller);
  /** mediasoup's module API, whose Workers live on the server, until they are closed, or the session ends. */
  readonly mediasoup: MediasoupApi = this.#mediasoup;
  readonly #mirrors: Mirrors;
  readonly #updates: MirrorUpdates;
  /** MafaldaRouters that the server holds; undefined until somebody follows them. */
  #toldRooms: ToldRooms | undefined;
  readonly #searches = new Searches();
  /** Objects made with {@link mediasoup}. */
  readonly #own = new ObjectTree();
  readonly #capabilities = new EncodedCapabilities();
  /** URLs of the server, or of servers that stand for the same thing. */
  #urls: readonly string[] = [];
  #connection: Connection | undefined;
  /** Latest move to another server. */
  #rebinding: Rebinding | undefined;
  readonly #endings = new Endings();
  #readyState: ReadyState = ReadyState.CLOSED;
  readonly #server = new ServerState();
  /** Permanent refusal by the server. */
  #refusal: RefusedError | undefined;

  /**
   * @param url of a RemoteMafaldaServer, such as `wss://host:port`; or several of servers that stand for the same thing,
   * such as central servers over the same media servers: when one is lost, the client goes on with the next, and its
   * objects stay; without it, the client connects by {@link open}
   * @param instance clients that share a `name` and this string count as the same client; default: a random string
   * @param opens whether the client connects to the URL at once
   * @throws {TypeError} for an invalid URL or option
   */
  constructor(
    url?: string | readonly string[],
    options: RemoteMafaldaClientOptions = {},
    instance: string = randomUUID(),
    opens = true,
  ) {
    super(scope);
    this.#instance = instance;
    this.#options = resolveOptions('RemoteMafaldaClient', connectionOptions, options);
    this.#mirrors = new Mirrors(this.#caller, this.#options.limits, {
      onWorker: worker => {
        this.#own.addWorker(worker, coreOf(worker)?.id ?? String(worker.pid));
        this.mediasoup.observer.safeEmit('newworker', worker);
      },
      onRouter: (id, ...router) => (this.own.get(id) ?? this.#found(id))?.addRouter(...router),
      onWorkerDied: (id, ...death) => this.own.get(id)?.reportWorkerDied(...death),
      onDisowned: (id, object) => this.own.get(id)?.tree.disown(object),
      onBound: object => this.#rebinding?.onBound(object),
      hasClosed: object => this.#connection?.requests.hasClosed(object) === true,
    });
    this.#updates = new MirrorUpdates({
      mirrors: this.#mirrors,
      mafaldaRouters: this.own,
      toldRooms: () => this.#toldRooms,
    });
    this.tree.include(this.#own);
    if (url === undefined) return;
    this.#urls = urlsOf(url);
    if (opens) this.open(url);
  }

  /** URL of the server; of several, the one that is used, or was used last. Undefined before the first {@link open}. */
  get url(): string | undefined {
    return this.#connection?.url ?? this.#urls[0];
  }

  /** State of the connection. */
  get readyState(): ReadyState {
    return this.#readyState;
  }

  /** Latest load of the server, in percent of all cores; 0 before the first report. */
  get load(): number {
    return this.#server.load;
  }

  /** Latest load report of the server, with empty lists before the first report. */
  get loadReport(): LoadReport {
    return this.#server.loadReport;
  }

  /** Whether the server is being drained by its operator, and takes nothing new. False before the first report. */
  get draining(): boolean {
    return this.#server.draining;
  }

  /** Id of the server, the same by any URL, and new after each start. Undefined before the server has answered. */
  get serverId(): string | undefined {
    return this.#server.welcome?.serverId;
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
    return this.#server.welcome?.region;
  }

  /** Further properties of the server, as its operator names them. Empty before the server has answered. */
  get labels(): Readonly<Record<string, string>> {
    return this.#server.welcome?.labels ?? {};
  }

  /** Load in percent beyond which the server takes nothing new, if there is a limit. */
  get maxLoad(): number | undefined {
    return this.#server.welcome?.maxLoad;
  }

  /**
   * Connects, or tries again at once if the server has refused the client.
   * @param url of the server, or several of servers that stand for the same thing; default: those that were used last
   * @throws {ClosedError} if the client is closed
   * @throws {TypeError} for a missing or invalid URL
   * @throws {Error} if the client is open already
   */
  open(url: string | readonly string[] = this.#urls): void {
    if (this.closed) throw new ClosedError('this RemoteMafaldaClient is closed: make another one');
    const urls = urlsOf(url);
    if (this.#connection) {
      if (!this.#connection.refusal) throw new Error(`this RemoteMafaldaClient is open already, to ${this.url}`);
      if (isDeepStrictEqual(urls, this.#urls)) return this.#connection.open();
    }
    const connection = new Connection(urls, {
      options: this.#options,
      instance: this.#instance,
      codec: {
        encode: (args, buffers) =>
          this.#capabilities.encode(args, all => encode(all, handleOfArgument, buffers) as unknown[]),
        decode: encoded => decode(structuredClone(encoded), handle => this.#mirrors.objectOf(handle)) as unknown[],
        mirrorOf: handle => this.#mirrors.mirrorOf(handle),
        mirrorOfKey: key => this.#mirrors.mirrorOfKey(key),
      },
      rebind: (call, patienceMs) => this.#rebind(call, patienceMs),
      untilEnded: () => this.#endings.ended,
    });
    if (this.#toldRooms) connection.requests.followRooms();
    this.#dropConnection();
    this.#urls = urls;
    this.#connection = connection;
    this.#refusal = undefined;
    this.#readyState = ReadyState.CONNECTING;
    listen<ConnectionEvents>(connection, {
      open: () => {
        this.#readyState = ReadyState.OPEN;
        this.safeEmit('open');
      },
      welcome: welcome => {
        this.#server.welcome = welcome;
        this.#mediasoup.setInfo(welcome.mediasoup);
        this.#readyState = ReadyState.CONNECTED;
        this.#toldRooms?.begin();
        this.safeEmit('connected');
      },
      disconnected: reason => {
        // A connection that was refused for good has been replaced.
        if (this.#connection === connection) this.#onDisconnected(reason);
      },
      load: report => {
        this.#server.loadReport = report;
        this.#announceLoad();
      },
      lost: reason => {
        // A silent server counts as disconnected, whatever TCP says; the event comes before objects close for it.
        if (this.#readyState === ReadyState.CONNECTED) this.#onDisconnected(NO_SIGN_OF_LIFE);
        void this.#closeEverything(
          new NodeUnavailableError(`${connection.url} is lost, and what was there with it`, {
            node: connection.url,
            cause: reason ?? connection.trouble,
          }),
        );
        if (reason) this.reportError(reason);
      },
      refused: error => {
        if (this.#readyState === ReadyState.CONNECTED) this.#onDisconnected(error.message);
        if (error.permanent) {
          this.#refusal = error;
          this.#readyState = ReadyState.CLOSED;
          this.#dropConnection(error);
        }
        this.safeEmit('connecterror', { url: connection.url, error });
        this.reportError(error);
      },
      connecterror: (failed, error) => this.safeEmit('connecterror', { url: failed, error }),
    });
    const { requests } = connection;
    requests.on('answered', load => {
      this.#server.load = load;
      this.#announceLoad();
    });
    requests.on('late', result => closeLateResult(result, handle => this.#mirrors.objectOf(handle)));
    requests.on('message', (message, bytes) => {
      const steps = this.#updates.apply(message, bytes);
      const ending = steps && this.#endings.begin(steps);
      if (ending) requests.holdUp(ending);
    });
    connection.open();
  }

  /**
   * Takes the server out of use, for all of its clients: it creates nothing new, and its objects stay until their
   * makers close them. Resolves when the server has heard it; the event `load` tells when nothing is left.
   */
  async drain(): Promise<void> {
    await this.#call(MAFALDA_TARGET, 'drain', []);
  }

  /** Takes the server into use again. */
  async undrain(): Promise<void> {
    await this.#call(MAFALDA_TARGET, 'undrain', []);
  }

  /**
   * Attaches to a MafaldaRouter if the server has it: the question, and the objects in the answer, take one round trip.
   * @throws {TypeError} without an id, before anything is sent
   * @internal
   */
  override async findMafaldaRouter(
    options: SoughtRoom,
    ask: boolean,
    onSeen: OnSeen,
  ): Promise<FoundRoom<RemoteMafaldaRouter>> {
    if (typeof options?.id !== 'string') throw new TypeError('findMafaldaRouter() needs the id of a MafaldaRouter');
    const asking = this.#call(MAFALDA_TARGET, 'findMafaldaRouter', [options, ask]);
    const attaching = asking.then(found => (isFoundMafaldaRouter(found) ? found.number : undefined));
    const found = await this.#searches.run({ options, attaching, onSeen }, asking);
    if (!isFoundMafaldaRouter(found))
      throw new TypeError(`findMafaldaRouter() was answered by ${this.url} with something else`);
    const { number, routerOptions, isComplete } = found;
    const mafaldaRouter = number === undefined ? undefined : this.#attached({ options, attaching });
    if (routerOptions) mafaldaRouter?.learn(routerOptions);
    return { mafaldaRouter, isComplete };
  }

  /** Says goodbye to the server, and closes everything that came from there. The client can be opened again. */
  disconnect(): void {
    if (!this.#connection) return;
    const wasConnected = this.#readyState === ReadyState.CONNECTED;
    this.#readyState = ReadyState.CLOSED;
    this.#dropConnection();
    if (wasConnected) this.safeEmit('disconnected', 'this client has no use for it at present');
  }

  /** Lists all MafaldaRouters of the server, other clients' included. */
  override async listMafaldaRouters(): Promise<MafaldaRouterState[]> {
    const states = await this.#call(MAFALDA_TARGET, 'listMafaldaRouters', []);
    if (!isMafaldaRouterStates(states))
      throw new TypeError(`listMafaldaRouters() was answered by ${this.url} with something else`);
    return states;
  }

  /** Returns the usages of all Workers of the server. */
  async getResourceUsages(): Promise<ResourceUsages> {
    return (await this.#call(MAFALDA_TARGET, 'getResourceUsages', [])) as ResourceUsages;
  }

  protected override followRooms(): HeldRooms {
    this.#toldRooms = new ToldRooms(this.#options.limits);
    this.#connection?.requests.followRooms();
    if (this.#connection?.hasSession) this.#toldRooms.begin();
    return this.#toldRooms;
  }

  protected makeMafaldaRouter({ id }: ResolvedMafaldaRouterOptions, given: MafaldaRouterOptions): RemoteMafaldaRouter {
    // The server fills in defaults, since it may have another number of cores, and a MafaldaRouter of this id.
    return new RemoteMafaldaRouter(this.#caller, id, given);
  }

  protected async release(): Promise<void> {
    this.#readyState = ReadyState.CLOSING;
    await this.#connection?.close();
    await this.#closeEverything();
    this.#connection = undefined;
    this.#readyState = ReadyState.CLOSED;
  }

  #onDisconnected(reason: string): void {
    if (this.#readyState === ReadyState.CONNECTING) return;
    this.#readyState = this.closed ? ReadyState.CLOSING : ReadyState.CONNECTING;
    this.safeEmit('disconnected', reason);
  }

  async #call(target: CallTarget, method: string, args: unknown[]): Promise<unknown> {
    const encoded = await this.#connectionOrThrow().requests.call(target, method, args);
    return decodeResult({ method, args, encoded, url: this.url }, handle => this.#mirrors.objectOf(handle));
  }

  /** Returns a MafaldaRouter that is looked for, and whose first Router is announced before the search is answered. */
  #found(id: string): RemoteMafaldaRouter | undefined {
    const search = this.#searches.get(id);
    const mafaldaRouter = search && this.#attached(search);
    if (mafaldaRouter) this.#searches.tell(mafaldaRouter);
    return mafaldaRouter;
  }

  /** Returns the mirror of a MafaldaRouter that the server has attached this client to. */
  #attached({ options, attaching }: Pick<Search, 'options' | 'attaching'>): RemoteMafaldaRouter {
    const mafaldaRouter = this.own.get(options.id) ?? this.obtain(options);
    mafaldaRouter.attachBy(attaching);
    return mafaldaRouter;
  }

  #announceLoad(): void {
    this.safeEmit('load', this.load, this.loadReport);
  }

  /** Closes the connection, and everything that came from the server. */
  #dropConnection(death?: Error): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#connection = undefined;
    void this.#closeEverything(death);
    connection.close().catch(error => log.warn('closing the connection to %s: %o', connection.url, error));
  }

  #connectionOrThrow(): Connection {
    if (this.#refusal) throw this.#refusal;
    if (this.closed) throw new ClosedError('this RemoteMafaldaClient is closed: make another one');
    if (!this.#connection) throw new NodeUnavailableError('this RemoteMafaldaClient is not open: call open(url) first');
    return this.#connection;
  }

  /** Prepares the mirrors for another server. */
  #rebind(call: Rebinding['call'], patienceMs: number): Rebinding {
    this.#mirrors.unbind(new NodeUnavailableError(`the server of this client's own Workers is lost`));
    const mafaldaRouters = this.own.values();
    return (this.#rebinding = new Rebinding({ mirrors: this.#mirrors, mafaldaRouters, call, patienceMs }));
  }

  /**
   * Closes everything that came from the server. It counts as closed at once, and ends in turns with other work, since
   * it may be much: an application hears of each end in its turn. Resolves when all has ended. Never rejects.
   * @param death error of Workers that count as died, if the server is gone rather than this client closed
   */
  async #closeEverything(death?: Error): Promise<void> {
    this.safeEmit('lost');
    const mafaldaRouters = [...this.own.values()];
    for (const mafaldaRouter of mafaldaRouters) mafaldaRouter.markClosed();
    const mirrors = this.#mirrors.endAll(death);
    await this.#endings.begin(this.#ends(mirrors, mafaldaRouters));
  }

  *#ends(mirrors: Iterable<void>, mafaldaRouters: readonly RemoteMafaldaRouter[]): Generator<void, void, undefined> {
    yield* mirrors;
    for (const mafaldaRouter of mafaldaRouters) {
      yield* mafaldaRouter.closedByServer();
      yield;
    }
    this.#toldRooms?.end();
  }

  /** Ends something before anything else that the server has sent. */
  async #endNext(steps: Iterator<void, void>): Promise<void> {
    const ending = this.#endings.begin(steps);
    if (ending) this.#connection?.requests.holdUp(ending);
    await ending;
  }
}
