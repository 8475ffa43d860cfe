/**
 * The Mafalda API as TypeScript interfaces: what every implementation offers, whether its Workers run in
 * this process, behind one server or behind many. Types that are not declared here are mediasoup's own.
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

/** What one Worker uses: mediasoup's figures, and the CPU that it took. */
export type WorkerUsage = WorkerResourceUsage & {
  /** Percent of one core, between the two latest samples of this Worker. */
  cpu: number;
};

/** Usage of each Worker in scope, by worker id. */
export type ResourceUsages = Record<string, WorkerUsage>;

/** Members that Mafaldas and MafaldaRouters have in common. The Maps are read-only views and always current. */
export interface MafaldaObjects {
  readonly workers: ReadonlyMap<string, Worker>;
  readonly routers: ReadonlyMap<string, Router>;
  /** All Transports, those of pipes (type `pipe`) among them. */
  readonly transports: ReadonlyMap<string, Transport>;
  readonly rtpObservers: ReadonlyMap<string, RtpObserver>;
  getResourceUsages(): Promise<ResourceUsages>;
}

export interface MafaldaRouterOptions {
  /** Default: a UUIDv4. With the id of a MafaldaRouter that exists, that one is meant. */
  id?: string;
  /** How many Workers it may create; default: the number of cores. With 0 it creates none and uses others'. */
  maxWorkers?: number;
  /** mediasoup's. Of all who share it by its id everybody gives the same, or none. */
  routerOptions?: RouterOptions;
  /** CPU percentage of a Worker above which another one is looked for; default 60. */
  watermarkWorker?: number;
  workerSettings?: WorkerSettings;
}

export interface LostPath {
  /** Id of the Producer or DataProducer, which is there still. */
  producerId: string;
  /** Those that are about to close. None, where only RtpObservers had the stream. */
  consumers: (Consumer | DataConsumer)[];
}

export type MafaldaRouterEvents = {
  close: [];
  /** Also a `workerdied` that nobody listens for. */
  error: [error: Error];
  newrouter: [router: Router, worker: Worker];
  workerdied: [worker: Worker, error: Error];
  /**
   * The way of a stream has gone, the stream has not: these Consumers are about to close with `producerclose`, and consuming it again
   * works at once. Those of others, who share the MafaldaRouter, are among them.
   */
  pathlost: [path: LostPath];
};

/**
 * mediasoup's options of a Transport, where the addresses may be left out: the server, or Mafalda, that the Transport
 * lands on then uses its own. One that has none refuses that as mediasoup does.
 */
export type AddressesOptional<Options> = Options | UnionOmit<Options, AddressKey>;
type AddressKey = 'listenInfos' | 'listenInfo' | 'rtcpListenInfo' | 'listenIps' | 'listenIp' | 'webRtcServer' | 'port';
type UnionOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** mediasoup's options of `pipeToRouter()`, with a MafaldaRouter instead of a Router. */
export type PipeToMafaldaRouterOptions<R> = UnionOmit<PipeToRouterOptions, 'router'> & { mafaldaRouter: R };

/** The same with where to create it: a wish, or with `node` an order, of a MafaldaHorizontal. Others have no choice, and ignore it. */
export type PlacementOptional<Options> = AddressesOptional<Options> & { placement?: Placement };

export interface MafaldaRouter extends EnhancedEventEmitter<MafaldaRouterEvents>, MafaldaObjects {
  readonly id: string;
  readonly closed: boolean;
  getRtpCapabilities(): Promise<RtpCapabilities>;
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
  /** Like `Router.pipeToRouter()`. The two may share Workers, and may belong to different Mafaldas. */
  pipeToMafaldaRouter(options: PipeToMafaldaRouterOptions<MafaldaRouter>): Promise<PipeToRouterResult>;
  createActiveSpeakerObserver<T extends AppData = AppData>(
    options?: PlacementOptional<ActiveSpeakerObserverOptions<T>>,
  ): Promise<ActiveSpeakerObserver<T>>;
  createAudioLevelObserver<T extends AppData = AppData>(
    options?: PlacementOptional<AudioLevelObserverOptions<T>>,
  ): Promise<AudioLevelObserver<T>>;
  /** What there is, as JSON: from this the objects can be understood and made again. */
  dump(): Promise<MafaldaRouterDump>;
  close(): Promise<void>;
}

export type MafaldaEvents = {
  newmafaldarouter: [mafaldaRouter: MafaldaRouter];
  error: [error: Error];
  close: [];
};

/** A MafaldaRouter that there is, and who holds it. */
export interface MafaldaRouterState {
  id: string;
  /** One for each node that has a part of it. */
  holders: {
    /** The node, where there are several: where nodes have nodes, the way there from above, with spaces. */
    node?: string;
    /** Clients of that node's server that are attached to it: by `name`, or by the id of the session if they have none. */
    clients: string[];
    /** How many Workers, Routers, Transports… of it are there. */
    objects: number;
  }[];
}

/** Listeners to the events that every Mafalda has; each implementation has more, and is an emitter of mediasoup's. */
export interface MafaldaEventsApi {
  on<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  once<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  off<Name extends keyof MafaldaEvents>(name: Name, listener: (...args: MafaldaEvents[Name]) => void): unknown;
  listenerCount<Name extends keyof MafaldaEvents>(name: Name): number;
}

/** What every Mafalda can do. */
export interface MafaldaApi extends MafaldaObjects, MafaldaEventsApi {
  /** How full it is: percent of all of its cores, measured plus what is on its way. 0 while nothing is known. */
  readonly load: number;
  /** The same in detail: each Worker with what it holds, each machine. */
  readonly loadReport: LoadReport;
  readonly closed: boolean;
  /** Whether all of its Workers are on this machine: then whoever serves it knows where its Transports listen. */
  readonly local?: boolean;
  /** mediasoup's module API. What is made with it is the caller's own, and in none of the MafaldaRouters. */
  readonly mediasoup: Index;
  /**
   * Counts a Worker in the load and its report that was made with `mediasoup`; it stays its maker's to close. Workers of
   * other machines are counted there by themselves: then there is no such method. Idempotent.
   * @throws {TypeError} for what is no Worker
   */
  adopt?(worker: Worker): void;
  /**
   * Makes sure that a Worker can be started here. Where the Workers are on other machines there is no such method.
   * @throws {Error} if none can be
   */
  ensureWorker?(): Promise<void>;
  readonly mafaldaRouters: ReadonlyMap<string, MafaldaRouter>;
  /** Nothing is created on any Worker or server until it is needed. */
  createMafaldaRouter(options?: MafaldaRouterOptions): MafaldaRouter;
  /** All MafaldaRouters that there are, also those of others, of the nodes that answer within some seconds. */
  listMafaldaRouters(): Promise<MafaldaRouterState[]>;
  closeAllMafaldaRouters(): Promise<void>;
  dump(): Promise<MafaldaDump>;
  /** Closes what this instance created. Idempotent. */
  close(): Promise<void>;
}
