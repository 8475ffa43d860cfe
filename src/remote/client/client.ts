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

/** The states of a WebSocket, and one more. */
export const ReadyState = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3, CONNECTED: 4 } as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];

export type RemoteMafaldaClientOptions = ConnectionOptions;

export interface ConnectFailure {
  /** Of the server. */
  url: string;
  error: Error;
}

export type RemoteMafaldaClientEvents = MafaldaEvents & {
  /** The socket is open. */
  open: [];
  /** The server has accepted us: also after each reconnection. */
  connected: [];
  /** The connection is lost; calls wait until there is one again. */
  disconnected: [reason: string];
  /**
   * It could not connect, for the reason that `error` and its `cause` tell, and goes on trying: told once for each cause, until it is connected.
   * A `RefusedError` is told here too, beside by `error`.
   */
  connecterror: [failure: ConnectFailure];
  load: [load: number, report: LoadReport];
  /** The session is over: everything that came from the server closes right after this. */
  lost: [];
};

/** What is known of whether the server is there, for those who have other ways to find out. */
export interface ServerSigns {
  /** Whether there is anything to lose. */
  readonly hasSession: boolean;
  /** For how long nothing was heard of it, in ms. */
  readonly silentFor: number;
  /** Whether its machine has refused a connection since: the process is gone. */
  readonly nobodyListens: boolean;
  /** Asks it for a sign. */
  ask(): void;
  /** Gives up the connection, and makes another one. The session goes on. */
  reconnect(): void;
  /** Gives up the session too: everything that came from the server closes. */
  giveUp(): void;
}

/** A Mafalda in another process or machine, behind a RemoteMafaldaServer. Calls made before `connected` wait for it. */
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
  readonly local = false;
  /** mediasoup's module API, whose Workers are the server's. They live until they are closed, or the session is over. */
  readonly mediasoup = new RemoteMediasoup(this.#caller);
  readonly #mirrors: Mirrors;
  /** What was made with {@link mediasoup}. */
  readonly #own = new ObjectTree();
  readonly #capabilities = new EncodedCapabilities();
  #url: string | undefined;
  #connection: Connection | undefined;
  #readyState: ReadyState = ReadyState.CLOSED;
  #load = 0;
  #loadReport: LoadReport = { load: 0, workers: [], hosts: [] };
  #welcome: Welcome | undefined;
  /** Until when the server may be waited for at the end. */
  #departing: AbortSignal | undefined;
  /** Why the server has refused us for good. */
  #refusal: RefusedError | undefined;

  /**
   * @param url of a RemoteMafaldaServer: wss://host:port. Without one, nothing is connected until {@link open}
   * @param instance for clients that share a `name`: those with the same one are taken for one client
   * @throws {TypeError} for a URL or an option that can't be used
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

  get url(): string | undefined {
    return this.#url;
  }

  get readyState(): ReadyState {
    return this.#readyState;
  }

  get load(): number {
    return this.#load;
  }

  get loadReport(): LoadReport {
    return { ...this.#loadReport, load: this.#load };
  }

  /** Tells servers apart, whatever their URLs. Another one after each start; undefined before the server has answered. */
  get serverId(): string | undefined {
    return this.#welcome?.serverId;
  }

  /** Why it is not connected at present, as far as is known: errors of calls say it too. Undefined while it is connected. */
  get trouble(): Error | undefined {
    return this.#readyState === ReadyState.CONNECTED ? undefined : (this.#refusal ?? this.#connection?.trouble);
  }

  /** Undefined while it is not open. */
  get signs(): ServerSigns | undefined {
    return this.#connection;
  }

  /** What the server says of where it is. Undefined before it has answered. */
  get region(): string | undefined {
    return this.#welcome?.region;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#welcome?.labels ?? {};
  }

  /** Connects, or tries again at once where a server does not let us in. @param url default: the one that was used last */
  open(url = this.#url): void {
    if (this.closed) throw new ClosedError('this RemoteMafaldaClient is closed: make another one');
    if (url === undefined) throw new TypeError('missing url');
    if (this.#connection) {
      if (!this.#connection.refusal) throw new Error(`this RemoteMafaldaClient is open already, to ${this.#url}`);
      if (url === this.#url) return this.#connection.open();
    }
    const connection = new Connection(url, this.#options, this.#instance);
    this.#letGo();
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
      // One that was refused is not ours any more.
      if (this.#connection === connection) this.#onDisconnected(reason);
    });
    connection.on('load', report => {
      this.#loadReport = report;
      this.#setLoad(report.load);
    });
    connection.on('answered', load => this.#setLoad(load));
    connection.on('late', result => this.#closeUnwanted(result));
    connection.on('message', (message, bytes) => this.#onMessage(message, bytes));
    connection.on('lost', reason => {
      // A server that is silent is one that is not there, whatever TCP says. Why things close is told before they do.
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
        this.#letGo(error);
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
    // Defaults are the server's to fill in: it may have other cores, and a MafaldaRouter of this id.
    return new RemoteMafaldaRouter(this.#caller, id, given);
  }

  /**
   * As {@link close}, but a server that does not hear the goodbye is waited for as long as it keeps our session: what we have made there is to close.
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
    coreOf(result)?.markMadeByUs();
    keepAppData(args, result);
    return result;
  }

  #setLoad(load: number): void {
    this.#load = load;
    this.safeEmit('load', load, this.loadReport);
  }

  /** Whoever has asked for it was told that it has failed. */
  #closeUnwanted(encoded: unknown): void {
    const result = decode(encoded, handle => this.#mirrors.objectOf(handle) ?? {});
    if (typeof result === 'object' && result !== null) coreOf(result)?.close();
  }

  /** What was there is out of reach for good. */
  #letGo(death?: Error): void {
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
      decoded = args.map(arg => this.#decodeTold(arg));
    } catch (error) {
      // It tells of something that has just been closed here, while it was on its way.
      return log('%s: %o', name, error);
    }
    this.#mirrors.event(handle, name, decoded, changes, bytes);
  }

  /** Of a list that says something of several objects, such as `volumes`, the rest is told. */
  #decodeTold(arg: unknown): unknown {
    const objectOf = (handle: number): object | undefined => this.#mirrors.objectOf(handle);
    if (!Array.isArray(arg) || arg.length === 0) return decode(arg, objectOf);
    const told = arg.flatMap(element => {
      try {
        return [decode(element, objectOf)];
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
        return [];
      }
    });
    if (told.length === 0) throw new NotFoundError('all of which this tells has been closed');
    return told;
  }

  /** @param death what has become of the server, if it is not this client that has gone */
  #closeEverything(death?: Error): void {
    this.safeEmit('lost');
    this.#mirrors.closeAll(death);
    for (const mafaldaRouter of this.mafaldaRouters.values())
      mafaldaRouter.closedByServer().catch(error => log('%o', error));
  }
}

/** @throws {NotFoundError} for what is closed, but not in an `appData` */
function handleOf(object: object, isInAppData: boolean): number | undefined {
  const core = coreOf(object);
  if (core?.closed && !isInAppData) throw core.closedError('use');
  return core?.handle;
}

/** The application's own appData object, not a copy, is what the object has that it created with it. */
function keepAppData([options]: unknown[], result: object): void {
  const { appData } = (options ?? {}) as { appData?: unknown };
  if (!coreOf(result)) return;
  if (typeof appData === 'object' && appData !== null) Object.assign(result, { appData });
}
