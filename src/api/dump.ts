/** Results of `dump()`: the existing objects, as JSON, from which they can be understood and made again. */
import type { AppData } from 'mediasoup/types';
import type { ResolvedMafaldaRouterOptions } from './mafaldaRouterOptions.ts';

/** Dump of any object: its id, its `appData`, and the properties of mediasoup's object. */
export interface ObjectDump {
  /** Id of the object. */
  id: string;
  /** Data of the application, as far as it is JSON. */
  appData: AppData;
  /** Properties of mediasoup's object. */
  [property: string]: unknown;
}

/** Dump of a Transport. */
export interface TransportDump extends ObjectDump {
  /** mediasoup's type: `webrtc`, `plain`, `pipe` or `direct`. */
  type: string;
  /** Its Producers. */
  producers: ObjectDump[];
  /** Its Consumers. */
  consumers: ObjectDump[];
  /** Its DataProducers. */
  dataProducers: ObjectDump[];
  /** Its DataConsumers. */
  dataConsumers: ObjectDump[];
}

/** Dump of an RtpObserver. */
export interface RtpObserverDump extends ObjectDump {
  /** Ids of the Producers that it observes. */
  producerIds: string[];
}

/** Dump of a mediasoup Router. */
export interface RouterDump extends ObjectDump {
  /** Its Transports. */
  transports: TransportDump[];
  /** Its RtpObservers. */
  rtpObservers: RtpObserverDump[];
}

/** Dump of a Worker. */
export interface WorkerDump {
  /** Id of the Worker, as in the `workers` Map. */
  id: string;
  /** Process id on the Worker's machine. */
  pid: number;
  /** Id of the Worker's node, if there are several; where nodes have nodes, the ids on the way to it, with spaces. */
  node?: string;
  /** Load in percent of one core: measured, plus objects that are on their way. */
  load: number;
  /** Its Routers. */
  routers: RouterDump[];
}

/** Dump of a pipe: one stream's way from one Router to another. */
export interface PipeDump {
  /** Id of the piped Producer or DataProducer. */
  streamId: string;
  /** Id of the source's Router. */
  from: string;
  /** Id of the destination's Router. */
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

/** Dump of a MafaldaRouter. */
export interface MafaldaRouterDump {
  /** Id of the MafaldaRouter. */
  id: string;
  /** Options of the MafaldaRouter, with the defaults of those that were not given. */
  options: Omit<ResolvedMafaldaRouterOptions, 'id'>;
  /** Workers on which it has Routers. */
  workers: WorkerDump[];
  /** Pipes between its Routers. */
  pipes: PipeDump[];
  /** Objects without a living owner. Always empty for a MafaldaRouter of this process, which has no other owners. */
  orphans: OrphanDump[];
}

/** Dump of a node. */
export interface NodeDump {
  /** Id of the node: its URL, if it has one. */
  id: string;
  /** Whether there is a connection to the node. */
  connected: boolean;
  /** Whether the node is not heard, and may well live: its objects stay open. */
  unreachable: boolean;
  /** Whether the node is known from a directory, and not connected to, since it is not used. */
  dormant?: boolean;
  /** Whether the node is being drained, and gets nothing new. */
  draining: boolean;
  /** Load, in percent of the node. */
  load: number;
  /** Region of the node, as its operator names it. */
  region?: string;
}

/** Dump of a Mafalda. */
export interface MafaldaDump {
  /** Load, in percent of all cores. */
  load: number;
  /** Its nodes, if it has any. */
  nodes?: NodeDump[];
  /** Ids of nodes between which media does not get through. */
  linksDown?: { from: string; to: string }[];
  /** Its MafaldaRouters. */
  mafaldaRouters: MafaldaRouterDump[];
}
