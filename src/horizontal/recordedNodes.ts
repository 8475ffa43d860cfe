/**
 * Nodes of a directory, as far as a controller is concerned: they come with their records, and go without them, unless
 * they are connected, since a missing record says nothing of a node that is heard.
 */
import type { RemoteMafaldaClient } from '../remote/client/index.ts';
import type { Directory, NodeRecord } from './directory/directory.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool } from './nodePool.ts';
import { RecordedNode } from './recordedNode.ts';

/** Time after which a connection to a node ends on which nothing of this controller's is, in ms. */
const IDLE_MS = 60_000;

export interface RecordedNodesOptions {
  directory: Pick<Directory, 'nodes' | 'on' | 'off'>;
  nodes: NodePool;
  /** Makes a client that is not open. */
  makeClient: (url: string) => RemoteMafaldaClient;
  /** Removes a node that is not used. */
  remove: (node: ClusterNode) => void;
  /** Returns milliseconds, from any moment on. */
  now: () => number;
  idleMs?: number;
}

export class RecordedNodes {
  readonly #options: RecordedNodesOptions;
  readonly #idleMs: number;
  readonly #sweep: NodeJS.Timeout;
  /** URLs of nodes that the application has removed, and that are in the directory. */
  readonly #removed = new Set<string>();
  readonly #onNode = (record: NodeRecord): void => this.#set(record);
  readonly #onGone = (url: string): void => this.#goneFromDirectory(url);

  constructor(options: RecordedNodesOptions) {
    const { directory, idleMs = IDLE_MS } = options;
    this.#options = options;
    this.#idleMs = idleMs;
    for (const record of directory.nodes.values()) this.#set(record);
    directory.on('node', this.#onNode).on('nodegone', this.#onGone);
    this.#sweep = setInterval(() => this.#closeIdle(), idleMs / 4).unref();
  }

  /** Keeps a node out that the application has removed, until it is gone from the directory, or added. */
  keepOut(url: string): void {
    if (this.#options.directory.nodes.has(url)) this.#removed.add(url);
  }

  /** Takes a node in that was kept out. @returns whether the directory has it */
  takeIn(url: string): boolean {
    this.#removed.delete(url);
    const record = this.#options.directory.nodes.get(url);
    if (record) this.#set(record);
    return record !== undefined;
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#options.directory.off('node', this.#onNode).off('nodegone', this.#onGone);
  }

  #set(record: NodeRecord): void {
    const { nodes, makeClient, now } = this.#options;
    const { url, serverId } = record;
    const existing = nodes.find(url);
    if (existing instanceof RecordedNode) existing.record = record;
    // A node may also be given by the application, by this URL or by another one of the same server.
    if (existing || this.#removed.has(url) || nodes.hasServer(serverId)) return;
    nodes.include(new RecordedNode(makeClient(url), record, now));
  }

  #goneFromDirectory(url: string): void {
    this.#removed.delete(url);
    const node = this.#options.nodes.find(url);
    if (!(node instanceof RecordedNode)) return;
    node.isRecorded = false;
    if (!node.connected && node.isUnused) this.#options.remove(node);
  }

  #closeIdle(): void {
    const { nodes, remove, now } = this.#options;
    for (const node of nodes) {
      if (!(node instanceof RecordedNode)) continue;
      const isClosed = node.closeIfIdle(this.#idleMs, now());
      if (!node.isRecorded && (isClosed || (!node.connected && node.isUnused))) remove(node);
    }
  }
}
