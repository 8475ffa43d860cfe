/**
 * The Mafalda API as TypeScript interfaces, which every implementation offers, whether its Workers run in this process,
 * behind a server or behind many. Types that are not declared here are mediasoup's own.
 */
import type { errors, extras, ortc } from 'mediasoup';
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type {
  ActiveSpeakerObserver,
  ActiveSpeakerObserverOptions,
  AppData,
  AudioLevelObserver,
  AudioLevelObserverOptions,
  Consumer,
  DataConsumer,
  DataProducer,
  DirectTransport,
  DirectTransportOptions,
  Index,
  PipeToRouterOptions,
  PipeToRouterResult,
  PipeTransport,
  PipeTransportOptions,
  PlainTransport,
  PlainTransportOptions,
  Producer,
  Router,
  RouterOptions,
  RtpCapabilities,
  RtpObserver,
  Transport,
  WebRtcServer,
  WebRtcTransport,
  WebRtcTransportOptions,
  Worker,
  WorkerResourceUsage,
  WorkerSettings,
} from 'mediasoup/types';
import type { MafaldaDump, MafaldaRouterDump } from './dump.ts';
import type { LoadReport } from './load.ts';
import type { Placement } from './placement.ts';
import type { MafaldaStatistics } from './statistics.ts';

/** mediasoup's module: what its types call `Index`, and the other modules that it exports. */
export interface MediasoupApi extends Index {
  /** mediasoup's error classes, as in `mediasoup/errors`. */
  readonly errors: typeof errors;
  /** mediasoup's emitters, as in `mediasoup/extras`. */
  readonly extras: typeof extras;
  /** mediasoup's functions on RTP capabilities and parameters, as in `mediasoup/ortc`. */
  readonly ortc: typeof ortc;
}

/** Object of mediasoup's, as a MafaldaRouter hands them out. */
export type MediasoupObject =
  Worker | WebRtcServer | Router | Transport | RtpObserver | Producer | Consumer | DataProducer | DataConsumer;

/** Resource usage of a Worker: mediasoup's figures, and its CPU use. */
export type WorkerUsage = WorkerResourceUsage & {
  /** CPU use in percent of one core, between the two latest samples of this Worker. */
  cpu: number;
};

/** Usage of each Worker in scope, by the Worker's id. */
export type ResourceUsages = Record<string, WorkerUsage>;

/** Members that Mafaldas and MafaldaRouters have in common. The Maps are read-only views, and always current. */
export interface MafaldaObjects {
  /** All Workers, by id: the pid on this machine, and an id that no other node has elsewhere. */
  readonly workers: ReadonlyMap<string, Worker>;
  /** All mediasoup Routers, by id. */
  readonly routers: ReadonlyMap<string, Router>;
  /** All Transports, by id, including the ends of links (type `pipe`). */
  readonly transports: ReadonlyMap<string, Transport>;
  /** All RtpObservers, by id. */
  readonly rtpObservers: ReadonlyMap<string, RtpObserver>;
  /** Resolves with the usage of each Worker; Workers that don't answer are left out. */
  getResourceUsages(): Promise<ResourceUsages>;
}

/** Options of `createMafaldaRouter()`. */
export interface MafaldaRouterOptions {
  /**
   * Id of the MafaldaRouter; with the id of an existing MafaldaRouter, `createMafaldaRouter()` returns that
   * MafaldaRouter.
   * @default a new UUIDv4
   */
  id?: string | undefined;
  /**
   * Maximum number of Workers that the MafaldaRouter creates. With 0 it creates none, and shares others.
   * @default the number of cores
   */
  maxWorkers?: number | undefined;
  /**
   * mediasoup's options of the Routers. All users that share the MafaldaRouter by its id give the same options, or
   * none.
   * @default {}
   */
  routerOptions?: RouterOptions | undefined;
  /**
   * Load of a Worker, in percent of one core, from which on another Worker is looked for.
   * @default 60
   */
  watermarkWorker?: number | undefined;
  /**
   * mediasoup's settings of the Workers. Only MafaldaRouters with equal settings share Workers.
   * @default {}
   */
  workerSettings?: WorkerSettings | undefined;
}

/** A stream whose way to some of its Consumers has gone, while the stream lives. */
export interface LostPath {
  /** Id of the Producer or DataProducer, which still exists. */
  producerId: string;
  /** Consumers that are about to close; empty if only RtpObservers had the stream. */
  consumers: (Consumer | DataConsumer)[];
}

/** Events of a {@link MafaldaRouter}. */
export type MafaldaRouterEvents = {
  /** Emitted once, when the MafaldaRouter has closed: by `close()`, or since its server or Mafalda is gone. */
  close: [];
  /** Emitted for failures that no call reports, also for a `workerdied` without listeners. */
  error: [error: Error];
  /** Emitted when a Router has been created, with its Worker. */
  newrouter: [router: Router, worker: Worker];
  /** Emitted when a Worker has died, with mediasoup's error. */
  workerdied: [worker: Worker, error: Error];
  /**
   * Emitted when the path of a stream has gone while the stream lives: these Consumers are about to close with
   * `producerclose`, and consuming the stream again works at once. Consumers of all users of the MafaldaRouter are
   * among them.
   */
  pathlost: [path: LostPath];
};

/**
 * mediasoup's options of a Transport, where the addresses may be left out: the server, or Mafalda, on which the
 * Transport is created then uses its own. If it has none, it refuses the call as mediasoup does.
 */
export type AddressesOptional<Options> = Options | UnionOmit<Options, AddressKey>;
/** Names of mediasoup's options that give addresses. */
export type AddressKey =
  'listenInfos' | 'listenInfo' | 'rtcpListenInfo' | 'listenIps' | 'listenIp' | 'webRtcServer' | 'port';
/** `Omit` for each member of a union. */
export type UnionOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** mediasoup's options of `pipeToRouter()`, with a MafaldaRouter instead of a Router. */
export type PipeToMafaldaRouterOptions<R> = UnionOmit<PipeToRouterOptions, 'router'> & {
  /** MafaldaRouter that the stream is piped to. */
  mafaldaRouter: R;
};

/**
 * Options with the place of the new object: a wish, or with `node` an order, to a MafaldaHorizontal. Other Mafaldas
 * have no choice, and ignore it.
 */
export type PlacementOptional<Options> = AddressesOptional<Options> & {
  /**
   * Where the object is to be created.
   * @default the strategy's choice
   */
  placement?: Placement | undefined;
};

/**
 * A Router that is as many mediasoup Routers as the load needs. Calls that create objects or pipes reject with a
 * `ClosedError` when it is closed, with a `TypeError` for unknown or malformed options, with a `NodeUnavailableError`
 * , `NodeDrainingError` or `NodeFullError` when no node can be used, and with a `WorkerBudgetError` or `LimitError` when no Worker may be
 * started or nothing more may be created.
 */
export interface MafaldaRouter extends EnhancedEventEmitter<MafaldaRouterEvents>, MafaldaObjects {
  /** Id, the same for all that share this MafaldaRouter. */
  readonly id: string;
  /** Whether it is closed. */
  readonly closed: boolean;
  /** Resolves with the RTP capabilities of its Routers, which are the same for all of them. */
  getRtpCapabilities(): Promise<RtpCapabilities>;
  /**
   * Resolves with whether the Producer can be consumed with these capabilities; false if there is no such Producer.
   *
   * Async, unlike mediasoup's: `if (!router.canConsume(…))` without `await` compiles, and refuses nobody. The lint rule
   * `@typescript-eslint/no-misused-promises` finds it.
   */
  canConsume(options: { producerId: string; rtpCapabilities: RtpCapabilities }): Promise<boolean>;
  /**
   * Creates a WebRtcTransport where there is room for it: mediasoup's `Router.createWebRtcTransport()`. Without
   * addresses, it listens at those of the server on which it lands.
   * @throws {TypeError} for unknown or malformed options, and where neither the call nor the server has addresses
   * @throws {ClosedError} if the MafaldaRouter is closed
   * @throws {NodeUnavailableError | NodeDrainingError} if no node, or not the node of `placement`, can take it
   * @throws {WorkerBudgetError | LimitError} if no Worker may be started, or nothing more may be created
   */
  createWebRtcTransport<T extends AppData = AppData>(
    options?: PlacementOptional<WebRtcTransportOptions<T>>,
  ): Promise<WebRtcTransport<T>>;
  /**
   * Creates a PlainTransport where there is room for it: mediasoup's `Router.createPlainTransport()`. Without an
   * address, it listens at that of the server on which it lands.
   * @throws the errors of {@link createWebRtcTransport}
   */
  createPlainTransport<T extends AppData = AppData>(
    options?: PlacementOptional<PlainTransportOptions<T>>,
  ): Promise<PlainTransport<T>>;
  /**
   * Creates a PipeTransport of the application's own: mediasoup's `Router.createPipeTransport()`. Pipes within the
   * MafaldaRouter are made without it.
   * @throws the errors of {@link createWebRtcTransport}
   */
  createPipeTransport<T extends AppData = AppData>(
    options?: PlacementOptional<PipeTransportOptions<T>>,
  ): Promise<PipeTransport<T>>;
  /**
   * Creates a DirectTransport where there is room for it: mediasoup's `Router.createDirectTransport()`. Its packets and
   * messages go through this process.
   * @throws the errors of {@link createWebRtcTransport}
   */
  createDirectTransport<T extends AppData = AppData>(
    options?: PlacementOptional<DirectTransportOptions<T>>,
  ): Promise<DirectTransport<T>>;
  /**
   * Pipes a stream to another MafaldaRouter, as `Router.pipeToRouter()` does to a Router. The two may share Workers,
   * and may belong to different Mafaldas.
   * @throws {NotFoundError} if there is no such Producer or DataProducer
   * @throws the errors of {@link createWebRtcTransport}
   */
  pipeToMafaldaRouter(options: PipeToMafaldaRouterOptions<MafaldaRouter>): Promise<PipeToRouterResult>;
  /**
   * Creates an ActiveSpeakerObserver, which takes Producers from anywhere in the MafaldaRouter: mediasoup's
   * `Router.createActiveSpeakerObserver()`.
   * @throws the errors of {@link createWebRtcTransport}
   */
  createActiveSpeakerObserver<T extends AppData = AppData>(
    options?: PlacementOptional<ActiveSpeakerObserverOptions<T>>,
  ): Promise<ActiveSpeakerObserver<T>>;
  /**
   * Creates an AudioLevelObserver, which takes Producers from anywhere in the MafaldaRouter: mediasoup's
   * `Router.createAudioLevelObserver()`.
   * @throws the errors of {@link createWebRtcTransport}
   */
  createAudioLevelObserver<T extends AppData = AppData>(
    options?: PlacementOptional<AudioLevelObserverOptions<T>>,
  ): Promise<AudioLevelObserver<T>>;
  /** Resolves with the existing objects, as JSON, from which they can be understood and made again. */
  dump(): Promise<MafaldaRouterDump>;
  /**
   * Closes the MafaldaRouter for all who share it: everything in it closes here at once, and the promise resolves when
   * that has happened everywhere. More than 1,000 objects on servers are `closed` at once too, and emit their events, and
   * leave the Maps, in turns with other work until the promise resolves. Idempotent.
   */
  close(): Promise<void>;
}

/** Events of every Mafalda. */
export type MafaldaEvents = {
  /** Emitted when `createMafaldaRouter()` has made a MafaldaRouter. */
  newmafaldarouter: [mafaldaRouter: MafaldaRouter];
  /** Emitted for failures that no call reports. Without listeners they are logged (`DEBUG=mafalda:*`). */
  error: [error: Error];
  /** Emitted once, when `close()` has closed the Mafalda. */
  close: [];
};

/** Existing MafaldaRouter, with its holders. */
export interface MafaldaRouterState {
  /** Id of the MafaldaRouter. */
  id: string;
  /** Holders, a single entry for each node that has a part of the MafaldaRouter. */
  holders: {
    /**
     * Id of the node, if there are several; where nodes have nodes, the ids on the way to it from above, with spaces.
     */
    node?: string;
    /**
     * Clients of that node's server that are attached to the MafaldaRouter: by `name`, or by the session's id if they
     * have none.
     */
    clients: string[];
    /** Number of the part's objects: Workers, Routers, Transports… */
    objects: number;
  }[];
}

/**
 * Listener methods for the events that every Mafalda has; each implementation has more events, and is an emitter of
 * mediasoup's.
 */
export interface MafaldaEventsApi {
  /** Adds a listener for an event. */
  on<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  /** Adds a listener that is removed when the event has been emitted once. */
  once<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  /** Removes a listener. */
  off<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  /** Returns the number of listeners for an event. */
  listenerCount<Name extends keyof MafaldaEvents>(name: Name): number;
}

/** API of every Mafalda. */
export interface MafaldaApi extends MafaldaObjects, MafaldaEventsApi {
  /** Load in percent of all cores: measured, plus objects that are on their way. 0 while nothing is known. */
  readonly load: number;
  /** Load in detail: each Worker with the number of its objects, each machine. */
  readonly loadReport: LoadReport;
  /** Counts of decisions, and the states of nodes. Missing in Mafaldas that decide nothing. */
  readonly statistics?: MafaldaStatistics;
  /** Whether `close()` has been called. */
  readonly closed: boolean;
  /** Whether all Workers are on this machine: then a server of this Mafalda knows where its Transports listen. */
  readonly local?: boolean;
  /** mediasoup's module API. Objects that are made with it are the caller's own, and in none of the MafaldaRouters. */
  readonly mediasoup: Index;
  /**
   * Counts a Worker that was made with `mediasoup` in the load and its report; its maker still has to close it. Missing
   * in Mafaldas whose Workers are on other machines, which count them there. Idempotent.
   * @throws {TypeError} if the argument is not a Worker
   */
  adopt?(worker: Worker): void;
  /**
   * Makes sure that a Worker can be started here. Missing in Mafaldas whose Workers are on other machines.
   * @throws {Error} if no Worker can be started
   */
  ensureWorker?(): Promise<void>;
  /** MafaldaRouters of this instance, by id: a read-only view, and always current. */
  readonly mafaldaRouters: ReadonlyMap<string, MafaldaRouter>;
  /**
   * Makes a MafaldaRouter, or returns the existing MafaldaRouter of this `id`. Its Workers and Routers are created when
   * they are needed.
   * @throws {ClosedError} if this Mafalda is closed
   * @throws {TypeError} for options that are unknown, out of their range, or that differ from those of the existing
   * MafaldaRouter (`routerOptions`)
   */
  createMafaldaRouter(options?: MafaldaRouterOptions): MafaldaRouter;
  /**
   * Resolves with all existing MafaldaRouters, also those that others have made, of the nodes that answer within some
   * seconds.
   */
  listMafaldaRouters(): Promise<MafaldaRouterState[]>;
  /** Closes all MafaldaRouters of `mafaldaRouters`. */
  closeAllMafaldaRouters(): Promise<void>;
  /** Resolves with the state of the Mafalda and its MafaldaRouters, as JSON. */
  dump(): Promise<MafaldaDump>;
  /** Closes the objects that this instance has created. Idempotent. */
  close(): Promise<void>;
}
