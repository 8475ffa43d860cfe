/** Results of `dump()`: the existing objects, as JSON, from which they can be understood and made again. */
import type { AppData } from 'mediasoup/types';
import type { ResolvedMafaldaRouterOptions } from './options.ts';

/** Dump of any object: its id, its `appData`, and the properties of mediasoup's object. */
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
  /** Process id on the Worker's machine. */
  pid: number;
  /** Id of the Worker's node, if there are several; where nodes have nodes, the ids on the way to it, with spaces. */
  node?: string;
  /** Load in percent of one core: measured, plus objects that are on their way. */
  load: number;
  routers: RouterDump[];
}

export interface PipeDump {
  /** Id of the piped Producer or DataProducer. */
  streamId: string;
  /** Ids of the source's Router and the destination's Router. */
  from: string;
  to: string;
  /**
   * Number of messages that the pipe could not take, since too many were waiting for its link; missing if there were
   * none.
   */
  lostMessages?: number;
}

/**
 * Objects that a client of a server has made that went away without a goodbye, while others are attached to the
 * MafaldaRouter.
 */
export interface OrphanDump {
  /** Id of the client's session, which is over. */
  session: string;
  /** The client's `name`, if it has one. */
  name?: string;
  /** Time at which the session was given up, in ms since 1970. */
  since: number;
  /** Ids of the objects. */
  objects: string[];
  /**
   * Id of the node that reports the orphan, if there are several; where nodes have nodes, the ids on the way to it,
   * with spaces.
   */
  node?: string;
}

export interface MafaldaRouterDump {
  id: string;
  options: Omit<ResolvedMafaldaRouterOptions, 'id'>;
  workers: WorkerDump[];
  pipes: PipeDump[];
  /** Objects without a living owner. Always empty for a MafaldaRouter of this process, which has no other owners. */
  orphans: OrphanDump[];
}

export interface NodeDump {
  id: string;
  connected: boolean;
  /** Whether the node is not heard, and may well live: its objects stay open. */
  unreachable: boolean;
  /** Whether the node is being drained, and gets nothing new. */
  draining: boolean;
  /** Load, in percent of the node. */
  load: number;
  region?: string;
}

export interface MafaldaDump {
  /** Load, in percent of all cores. */
  load: number;
  nodes?: NodeDump[];
  /** Ids of nodes between which media does not get through. */
  linksDown?: { from: string; to: string }[];
  mafaldaRouters: MafaldaRouterDump[];
}
