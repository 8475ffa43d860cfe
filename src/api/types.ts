/**
 * The Mafalda API as TypeScript interfaces, which every implementation offers, whether its Workers run in this process,
 * behind a server or behind many. Types that are not declared here are mediasoup's own.
 */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type {
  ActiveSpeakerObserver,
  ActiveSpeakerObserverOptions,
  AppData,
  AudioLevelObserver,
  AudioLevelObserverOptions,
  Consumer,
  DataConsumer,
  DirectTransport,
  DirectTransportOptions,
  Index,
  PipeToRouterOptions,
  PipeToRouterResult,
  PipeTransport,
  PipeTransportOptions,
  PlainTransport,
  PlainTransportOptions,
  Router,
  RouterOptions,
  RtpCapabilities,
  RtpObserver,
  Transport,
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

/** Resource usage of a Worker: mediasoup's figures, and its CPU use. */
export type WorkerUsage = WorkerResourceUsage & {
  /** CPU use in percent of one core, between the two latest samples of this Worker. */
  cpu: number;
};

/** Usage of each Worker in scope, by the Worker's id. */
export type ResourceUsages = Record<string, WorkerUsage>;

/** Members that Mafaldas and MafaldaRouters have in common. The Maps are read-only views, and always current. */
export interface MafaldaObjects {
  readonly workers: ReadonlyMap<string, Worker>;
  readonly routers: ReadonlyMap<string, Router>;
  /** All Transports, including the ends of links (type `pipe`). */
  readonly transports: ReadonlyMap<string, Transport>;
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
  id?: string;
  /**
   * Maximum number of Workers that the MafaldaRouter creates. With 0 it creates none, and shares others.
   * @default the number of cores
   */
  maxWorkers?: number;
  /**
   * mediasoup's options of the Routers. All users that share the MafaldaRouter by its id give the same options, or
   * none.
   * @default {}
   */
  routerOptions?: RouterOptions;
  /**
   * Load of a Worker, in percent of one core, from which on another Worker is looked for.
   * @default 60
   */
  watermarkWorker?: number;
  /**
   * mediasoup's settings of the Workers. Only MafaldaRouters with equal settings share Workers.
   * @default {}
   */
  workerSettings?: WorkerSettings;
}

/** A stream whose way to some of its Consumers has gone, while the stream lives. */
export interface LostPath {
  /** Id of the Producer or DataProducer, which still exists. */
  producerId: string;
  /** Consumers that are about to close; empty if only RtpObservers had the stream. */
  consumers: (Consumer | DataConsumer)[];
}

export type MafaldaRouterEvents = {
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
type AddressKey = 'listenInfos' | 'listenInfo' | 'rtcpListenInfo' | 'listenIps' | 'listenIp' | 'webRtcServer' | 'port';
type UnionOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** mediasoup's options of `pipeToRouter()`, with a MafaldaRouter instead of a Router. */
export type PipeToMafaldaRouterOptions<R> = UnionOmit<PipeToRouterOptions, 'router'> & { mafaldaRouter: R };

/**
 * Options with the place of the new object: a wish, or with `node` an order, to a MafaldaHorizontal. Other Mafaldas
 * have no choice, and ignore it.
 */
export type PlacementOptional<Options> = AddressesOptional<Options> & { placement?: Placement };

/**
 * A Router that is as many mediasoup Routers as the load needs. Calls that create objects or pipes reject with a
 * `ClosedError` when it is closed, with a `TypeError` for unknown or malformed options, with a `NodeUnavailableError`
 * , `NodeDrainingError` or `NodeFullError` when no node can be used, and with a `WorkerBudgetError` or `LimitError` when no Worker may be
 * started or nothing more may be created.
 */
export interface MafaldaRouter extends EnhancedEventEmitter<MafaldaRouterEvents>, MafaldaObjects {
  readonly id: string;
  readonly closed: boolean;
  /** Resolves with the RTP capabilities of its Routers, which are the same for all of them. */
  getRtpCapabilities(): Promise<RtpCapabilities>;
  /** Resolves with whether the Producer can be consumed with these capabilities; false if there is no such Producer. */
  canConsume(options: { producerId: string; rtpCapabilities: RtpCapabilities }): Promise<boolean>;
  createWebRtcTransport<T extends AppData = AppData>(
    options?: PlacementOptional<WebRtcTransportOptions<T>>,
  ): Promise<WebRtcTransport<T>>;
  createPlainTransport<T extends AppData = AppData>(
    options?: PlacementOptional<PlainTransportOptions<T>>,
  ): Promise<PlainTransport<T>>;
  createPipeTransport<T extends AppData = AppData>(
    options?: PlacementOptional<PipeTransportOptions<T>>,
  ): Promise<PipeTransport<T>>;
  createDirectTransport<T extends AppData = AppData>(
    options?: PlacementOptional<DirectTransportOptions<T>>,
  ): Promise<DirectTransport<T>>;
  /**
   * Pipes a stream to another MafaldaRouter, as `Router.pipeToRouter()` does to a Router. The two may share Workers,
   * and may belong to different Mafaldas.
   * @throws {NotFoundError} if there is no such Producer or DataProducer
   */
  pipeToMafaldaRouter(options: PipeToMafaldaRouterOptions<MafaldaRouter>): Promise<PipeToRouterResult>;
  createActiveSpeakerObserver<T extends AppData = AppData>(
    options?: PlacementOptional<ActiveSpeakerObserverOptions<T>>,
  ): Promise<ActiveSpeakerObserver<T>>;
  createAudioLevelObserver<T extends AppData = AppData>(
    options?: PlacementOptional<AudioLevelObserverOptions<T>>,
  ): Promise<AudioLevelObserver<T>>;
  /** Resolves with the existing objects, as JSON, from which they can be understood and made again. */
  dump(): Promise<MafaldaRouterDump>;
  close(): Promise<void>;
}

export type MafaldaEvents = {
  /** Emitted when `createMafaldaRouter()` has made a MafaldaRouter. */
  newmafaldarouter: [mafaldaRouter: MafaldaRouter];
  error: [error: Error];
  close: [];
};

/** Existing MafaldaRouter, with its holders. */
export interface MafaldaRouterState {
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
  on<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  once<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  off<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
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
