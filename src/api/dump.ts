/** What there is, as JSON: what `dump()` tells, from which the objects can be understood and made again. */
import type { AppData } from 'mediasoup/types';
import type { ResolvedMafaldaRouterOptions } from './options.ts';

/** Any object: its id, its `appData`, and the properties of mediasoup's that are listed below. */
export interface ObjectDump {
  id: string;
  appData: AppData;
  [property: string]: unknown;
}

export interface TransportDump extends ObjectDump {
  type: string;
  producers: ObjectDump[];
  consumers: ObjectDump[];
  dataProducers: ObjectDump[];
  dataConsumers: ObjectDump[];
}

export interface RtpObserverDump extends ObjectDump {
  producerIds: string[];
}

export interface RouterDump extends ObjectDump {
  transports: TransportDump[];
  rtpObservers: RtpObserverDump[];
}

export interface WorkerDump {
  id: string;
  pid: number;
  /** The node that it is on, where there are several; where nodes have nodes, the way to it. */
  node?: string;
  /** Percent of one core: measured, plus what is on its way. */
  load: number;
  routers: RouterDump[];
}

export interface PipeDump {
  /** The Producer or DataProducer that is piped. */
  streamId: string;
  /** Ids of the two Routers. */
  from: string;
  to: string;
  /** How many messages the pipe could not take, since too much was waiting for its link; missing where none. */
  lostMessages?: number;
}

/** What a client of a server has made that went away without a goodbye, while others are attached to the MafaldaRouter. */
export interface OrphanDump {
  /** The id of its session, which is over. */
  session: string;
  /** The client's `name`, if it has one. */
  name?: string;
  /** When the session was given up, in ms since 1970. */
  since: number;
  /** Ids. */
  objects: string[];
  /** The node that tells it, where there are several; where nodes have nodes, the way to it. */
  node?: string;
}

export interface MafaldaRouterDump {
  id: string;
  options: Omit<ResolvedMafaldaRouterOptions, 'id'>;
  workers: WorkerDump[];
  pipes: PipeDump[];
  /** What has no living owner; of a MafaldaRouter of this process, which has no other owners, always empty. */
  orphans: OrphanDump[];
}

export interface NodeDump {
  id: string;
  connected: boolean;
  /** Whether it is not heard, and may well live: what is there stays open. */
  unreachable: boolean;
  /** Whether it gets nothing new. */
  draining: boolean;
  /** Percent of the node. */
  load: number;
  region?: string;
}

export interface MafaldaDump {
  /** Percent of all cores. */
  load: number;
  nodes?: NodeDump[];
  /** Ids of nodes between which media does not get through. */
  linksDown?: { from: string; to: string }[];
  mafaldaRouters: MafaldaRouterDump[];
}
