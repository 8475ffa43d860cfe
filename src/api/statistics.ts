/** Statistics of a Mafalda for metrics: counts since its start, and the present states of its nodes. */

/**
 * Reason for a placement. On a machine the place is a Worker, in a cluster a node:
 *
 * - `used`: the place that holds a part of the room already has room;
 * - `further`: another place takes a first part of the room;
 * - `started`: a Worker was started for it;
 * - `full`: every place is above its watermark;
 * - `near`, `region`: a wish of the call;
 * - `bound`: the call names the node;
 * - `retried`: another node has failed before.
 */
export type PlacementReason = 'used' | 'further' | 'started' | 'full' | 'near' | 'region' | 'bound' | 'retried';

/** Reason for the source of a pipe: the stream's origin, or a copy that is better placed; or the pipe has failed. */
export type PipeReason = 'origin' | 'copy' | 'failed';

/** State of a node of a MafaldaHorizontal. */
export interface NodeStatistics {
  /** Id of the node: its URL, if it has one. */
  id: string;
  /**
   * `resting`: it has failed, and is used only if there is no other node; `dormant`: it is known by its record in a
   * directory, and is connected to when it is used.
   */
  state: 'connected' | 'disconnected' | 'unreachable' | 'draining' | 'resting' | 'dormant';
  /** Load in percent of the node. */
  load: number;
}

/** Statistics of a Mafalda of this process. */
export interface MafaldaStatistics {
  /** Numbers of placed Transports and RtpObservers. */
  placements: Partial<Record<PlacementReason, number>>;
  /** Numbers of pipes that were made from here, or could not be. */
  pipes: Partial<Record<PipeReason, number>>;
  /** Number of Workers of this machine that have died. */
  diedWorkers: number;
  /** Numbers of attempts that nodes have failed, by the error's class; none on a machine. */
  refusals: Partial<Record<string, number>>;
  /** Nodes; none on a machine. */
  nodes: NodeStatistics[];
  /** Number of pairs of nodes that don't reach each other for media; 0 on a machine. */
  linksDown: number;
  /** State of the directory that a controller was given; missing if there is none, or it does not count. */
  directory?: DirectoryStatistics;
}

/** Reason for the end of a client's session. */
export type SessionEnd =
  /** The client has said goodbye. */
  | 'left'
  /** The client has moved to another server that stands for the same thing. */
  | 'moved'
  /** The client has not come back within the server's `sessionTimeout`. */
  | 'lost'
  /** Another client has come under its name, or the client itself has begun another session. */
  | 'replaced'
  /** The client is no longer let in: the swarm has revoked the peer. */
  | 'revoked'
  /** The client has exceeded a limit, has broken the protocol, or is too slow. */
  | 'failed';

/** Statistics of a RemoteMafaldaServer. */
export interface ServerStatistics {
  /** Whether the server takes new objects: it listens, is not being drained, and what it serves can be used. */
  ready: boolean;
  /** Whether the server is being drained. */
  draining: boolean;
  /** Present sessions of clients, with and without a connection. */
  sessions: { connected: number; absent: number };
  /** Number of sessions that have begun since the start. */
  begun: number;
  /** Number of sessions that a reconnection has resumed since the start. */
  resumed: number;
  /** Numbers of ended sessions, by reason. */
  ended: Partial<Record<SessionEnd, number>>;
  /** Number of snapshots that made up for missed messages. */
  snapshots: number;
  /** Number of `rtp`, `rtcp` and `message` events that were left out, since a client was too slow for them. */
  eventsLeftOut: number;
  /** Numbers of refused connections and calls: by the name of the limit, or `unauthorized`, `incompatible`, … */
  refusals: Partial<Record<string, number>>;
  /** Number of present objects that clients see. */
  objects: number;
  /** Bytes that are kept for clients. */
  keptBytes: number;
  /** Present objects of clients that are gone. */
  orphans: number;
  /** State of the directory in which the server is; missing if there is none, or it does not count. */
  directory?: DirectoryStatistics;
}

/** State of a directory. */
export interface DirectoryStatistics {
  /** Whether it can be used at present. */
  up: boolean;
  /** Number of outages since the start. */
  outages: number;
}

/** Receives each call of a client when it has ended, with its duration in seconds. */
export type CallObserver = (method: string, seconds: number, outcome: 'ok' | 'error') => void;
