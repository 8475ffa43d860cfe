/**
 * Directory: which nodes there are, and which of them hold a part of a room. Everything in it is soft state: an answer
 * may be late, no media waits for it, and a missing record never means that a node is dead.
 */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { DirectoryStatistics } from '../../api/statistics.ts';

/** Description of a node, by itself. */
export interface NodeRecord {
  /** URL by which controllers reach the node, and by which its record is found. */
  readonly url: string;
  /** Id of the server, new after each of its starts. */
  readonly serverId: string;
  /** Region that the node's server has in its options. */
  readonly region?: string;
  /** Labels that the node's server has in its options. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Load in percent of the node. */
  readonly load: number;
  /** Whether the node takes nothing new. */
  readonly draining: boolean;
}

/** Events of a Directory. */
export type DirectoryEvents = {
  /** A node has come, or its record has changed. */
  node: [record: NodeRecord];
  /** A node has taken its record back, or has not renewed it. */
  nodegone: [url: string];
  /** The directory can't be reached, or loses what it knows. Emitted once for each outage. */
  error: [error: Error];
  /** The directory can be used again after an `error`. */
  recovered: [];
};

/** A directory, for the servers that write to it as for the controllers that read it. */
export interface Directory extends EnhancedEventEmitter<DirectoryEvents> {
  /** Nodes by URL, as far as they are known at present. Followed from the first access on. */
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  /** Resolves when the nodes are known, or can't be at present. Never rejects. */
  readonly known: Promise<void>;
  /** Whether the directory can be used, and how often it could not, for metrics; missing if it does not count. */
  readonly statistics?: DirectoryStatistics;
  /** Follows which nodes hold a part of a room, until the watch is closed. */
  watch(roomId: string): RoomWatch;
  /** Writes the record of a node, and renews it until the registration is closed. */
  register(record: NodeRecord): Registration;
  /** Closes all watches and registrations. Idempotent. */
  close(): Promise<void>;
}

/** Nodes that hold a part of a room. */
export interface RoomWatch extends EnhancedEventEmitter<{ change: [] }> {
  /** URLs of the nodes, as far as they are known at present. */
  readonly urls: ReadonlySet<string>;
  /** Resolves with whether the directory has answered: with false when it can't at present. Never rejects. */
  readonly known: Promise<boolean>;
  /**
   * Resolves with whether `urls` has all nodes by now. Looks them up again, in a directory that does not tell of each
   * change at once. A directory that always knows them once it has answered has no such method.
   */
  refresh?(): Promise<boolean>;
  /** Ends the watch. Idempotent. */
  close(): void;
}

/** Record of a node, written by the node itself. */
export interface Registration {
  /** Changes the record. */
  update(change: Partial<Pick<NodeRecord, 'load' | 'draining'>>): void;
  /** Says that the node holds a part of a room. Idempotent. */
  hold(roomId: string): void;
  /** Says that it no longer does. Idempotent. */
  release(roomId: string): void;
  /** Takes back the record, and all that the node holds. Idempotent. */
  close(): Promise<void>;
}
