/** Options of a MafaldaHorizontal, with their schema, and its events. */
import * as v from 'valibot';
import { expecting, optionsOf } from '../api/optionsSchema.ts';
import { callback, duration, isObject, percentage } from '../api/optionTypes.ts';
import type { MafaldaApi, MafaldaEvents } from '../api/types.ts';
import { concentrate, type Strategy } from '../placement/strategies.ts';
import type { Directory } from './directory/directory.ts';
import {
  clusterConnectionOptions,
  type ConnectFailure,
  type RemoteMafaldaClientOptions,
} from '../remote/client/index.ts';

/** Options of a MafaldaHorizontal. The options of RemoteMafaldaClient apply to nodes that are given as URLs. */
export interface MafaldaHorizontalOptions extends Omit<RemoteMafaldaClientOptions, 'sessionTimeout'> {
  /**
   * Strategy that chooses the nodes for new objects. Can be replaced while running.
   * @default concentrate
   */
  strategy?: Strategy | undefined;
  /**
   * Load of a node, in percent, from which on it gets nothing new while another node has room.
   * @default 66
   */
  watermarkNode?: number | undefined;
  /**
   * Silence after which the objects of a node close here, in ms. If others still get packets from the node, or no node
   * is heard, it is marked as unreachable instead, and has its server's `sessionTimeout`. Applies to nodes that are
   * given as URLs: a RemoteMafaldaClient that is given as a node has a `sessionTimeout` of its own.
   * @default 3000
   */
  nodeTimeout?: number | undefined;
  /**
   * Directory in which servers register themselves, such as a RedisDirectory: its nodes are used beside those that are
   * given. A node is connected to when it is first chosen, until nothing of this controller's has been there for a
   * minute. Closing the directory remains the caller's task.
   * @default none
   */
  directory?: Directory | undefined;
}

const directory = expecting(
  'a directory, such as a RedisDirectory',
  v.custom<Directory>(value => isObject(value) && 'watch' in value && typeof value.watch === 'function'),
);

export const horizontalOptions = optionsOf<MafaldaHorizontalOptions>()({
  ...clusterConnectionOptions.entries,
  strategy: v.optional(callback<Strategy>('a function, such as concentrate'), () => concentrate),
  watermarkNode: v.optional(percentage, 66),
  nodeTimeout: v.optional(duration(1), 3000),
  directory: v.optional(directory),
});

/** Call that creates an object, for which no node has room. */
export interface FullCall {
  /** Region that it wishes for. */
  readonly region?: string;
  /** Time that it has waited so far, in ms. */
  readonly waited: number;
}

/**
 * Is asked when a call finds no node below the watermark, or none at all. Resolves with `true` when the call should
 * look again, with `false` when it should take what there is.
 */
export type WhenFull = (call: FullCall) => Promise<boolean>;

/** Events of a MafaldaHorizontal, beside those of every Mafalda. */
export type MafaldaHorizontalEvents = MafaldaEvents & {
  /**
   * Emitted when every node has answered, or can't be reached at present. If none is connected, a
   * `NodeUnavailableError` follows as an `error`, or as a warning of the process if `error` has no listeners.
   */
  connected: [];
  /**
   * Emitted when a server could not be connected to, which goes on being tried: once for each cause, until it is
   * connected.
   */
  connecterror: [failure: ConnectFailure];
  /** Emitted when a node is connected, for the first time or again: nodes of a directory when they are used. */
  nodeconnected: [node: MafaldaApi];
  /** Emitted when the connection to a node is lost. */
  nodedisconnected: [node: MafaldaApi, reason: string];
  /** Emitted when a node has reported its load, in percent of the node. */
  nodeload: [node: MafaldaApi, load: number];
  /**
   * Emitted when a node can't create objects, and is let rest: other nodes are used as long as there are any. Emitted
   * once, until the node has worked again.
   */
  nodefailing: [node: MafaldaApi, error: Error];
  /** Emitted when a node gets nothing new from now on: its operator drains it, or `drain()` of this controller. */
  nodedraining: [node: MafaldaApi];
  /**
   * Emitted when a node is not heard, and may well live: its objects stay open, until it is heard again or its server's
   * `sessionTimeout` has passed.
   */
  nodeunreachable: [node: MafaldaApi];
  /** Emitted when an unreachable node is heard again. */
  nodereachable: [node: MafaldaApi];
  /**
   * Emitted when packets that `from` sends do not arrive at `to`: no pipe runs between the two, in neither direction,
   * until `linkup`.
   */
  linkdown: [link: { from: MafaldaApi; to: MafaldaApi }];
  /** Emitted when media gets through between two nodes again. */
  linkup: [link: { from: MafaldaApi; to: MafaldaApi }];
};
