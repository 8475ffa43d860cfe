/**
 * Finds the nodes that have something of a room: those that the directory names and, if that is not enough, those that
 * answer a question to all nodes.
 */
import { GraceTimers } from '../core/graceTimers.ts';
import { logger } from '../core/logger.ts';
import { within } from '../core/within.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { Directory, RoomWatch } from './directory/directory.ts';
import type { NodePool } from './nodePool.ts';

const log = logger('horizontal');

/** Limit for the answers of nodes, in ms: a slower node is not waited for, and its objects are seen when it answers. */
const ANSWER_TIMEOUT_MS = 2000;
/**
 * Interval at which a node that the directory names, and that is not connected, is tried again, in ms: the way to it may
 * have been cut, while it has the room.
 */
const RETRY_MS = 10_000;

export interface HoldersOptions {
  nodes: NodePool;
  directory: Pick<Directory, 'watch'>;
  roomId: string;
  /** Returns whether the room is attached to on the node. */
  isAttached: (node: ClusterNode) => boolean;
  /**
   * Attaches to the room on a node, if it exists there.
   * @param ask whether the node asks nodes of its own
   * @returns whether the node has reported all of its objects
   */
  attach: (node: ClusterNode, ask: boolean) => Promise<boolean>;
  onError: (error: Error) => void;
}

export class Holders {
  readonly #options: HoldersOptions;
  #watch: RoomWatch | undefined;
  #closed = false;
  /** URLs or ids of the nodes that the directory names. */
  #named: ReadonlySet<string> = new Set();
  readonly #attaching = new Map<ClusterNode, Promise<unknown>>();
  readonly #retries = new GraceTimers<ClusterNode>(RETRY_MS, node => this.#retry(node));
  #agreement: Promise<void> | undefined;
  /** Refusal by a node, which has the room with different options. */
  #refusal: TypeError | undefined;
  #asking: Promise<boolean> | undefined;
  #askingNext: Promise<boolean> | undefined;

  constructor(options: HoldersOptions) {
    this.#options = options;
  }

  /** Attaches to the nodes that the directory names, from now on. Idempotent. */
  use(): void {
    if (this.#watch || this.#closed) return;
    this.#watch = this.#options.directory.watch(this.#options.roomId);
    this.#watch.on('change', () => this.#attachToNamed());
    this.#attachToNamed();
  }

  /**
   * Resolves when the nodes that had the room before its first use here are attached to, or don't answer in time. Takes
   * no round trip if there are none. The first use may go on beside it, and counts only when this has resolved.
   * @throws {TypeError} if the room exists with different `routerOptions`
   */
  agree(): Promise<void> {
    this.use();
    this.#agreement ??= this.#agree();
    // The caller may wait for something else first.
    this.#agreement.catch(() => undefined);
    return this.#agreement;
  }

  /** Resolves when all nodes that the directory names are attached to, or don't answer in time. */
  async attached(): Promise<void> {
    this.use();
    await within(Promise.all(this.#attaching.values()), ANSWER_TIMEOUT_MS);
  }

  /**
   * Asks all nodes for the room, and attaches to those that have it. Resolves when these have reported their present
   * objects, or don't do so in time. All callers that wait for an answer share the next question: an answer that is on
   * its way may be older than what they look for.
   * @returns whether all nodes have reported all of their objects
   */
  ask(): Promise<boolean> {
    this.use();
    if (!this.#asking) return this.#ask();
    return (this.#askingNext ??= this.#asking.then(() => {
      this.#askingNext = undefined;
      return this.#ask();
    }));
  }

  /**
   * Returns the node of a URL that another node has named. A node that is not known yet is looked for in the directory:
   * the word of another node is not enough to connect to it.
   */
  async meet(url: string): Promise<ClusterNode | undefined> {
    this.use();
    const { nodes } = this.#options;
    if (!nodes.find(url)) await this.#untilTold(true);
    return nodes.find(url);
  }

  /** Returns whether the directory names the node. */
  isNamed({ id, aliases }: ClusterNode): boolean {
    return this.#named.size > 0 && (this.#named.has(id) || [...aliases].some(alias => this.#named.has(alias)));
  }

  /**
   * Attaches to a node if it has the room. Must be called when it is connected, for the first time or again.
   * @param mayHaveRoom whether there is another reason than the directory to think so
   */
  nodeConnected(node: ClusterNode, mayHaveRoom: boolean): void {
    if (this.#watch && (mayHaveRoom || this.isNamed(node))) this.#attachTo(node);
  }

  /** Attaches to a node that is known by its record, if the directory names it. Must be called when it has come. */
  nodeAdded(node: ClusterNode): void {
    if (this.#watch && this.isNamed(node)) this.#attachTo(node);
  }

  /** Must be called when a node is lost: it is attached to again when it can be. */
  nodeLost(node: ClusterNode): void {
    if (this.#watch) this.#retries.start(node);
  }

  /** Stops following the directory. */
  close(): void {
    this.#closed = true;
    this.#retries.clear();
    this.#watch?.close();
    this.#watch = undefined;
  }

  async #agree(): Promise<void> {
    // A node that has refused before may think otherwise by now.
    this.#attachToNamed();
    await this.#options.nodes.whenSettled();
    await this.#untilTold();
    await this.attached();
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (!refusal) return;
    this.#agreement = undefined;
    throw refusal;
  }

  #attachToNamed(): void {
    if (!this.#watch) return;
    this.#named = this.#watch.urls;
    for (const url of this.#named) {
      const node = this.#options.nodes.find(url);
      if (node) this.#attachTo(node);
    }
  }

  #attachTo(node: ClusterNode): void {
    const { isAttached } = this.#options;
    // A node that is not heard is attached to when it is connected again.
    if (!node.isUsable || isAttached(node) || this.#attaching.has(node)) return;
    const attaching = this.#attach(node, false).finally(() => {
      this.#attaching.delete(node);
      if (!node.connected && !this.#closed) this.#retries.start(node);
    });
    this.#attaching.set(node, attaching);
  }

  #retry(node: ClusterNode): void {
    const { nodes, isAttached } = this.#options;
    if (!nodes.has(node) || isAttached(node) || !this.isNamed(node)) return;
    if (node.isUsable) this.#attachTo(node);
    else this.#retries.start(node);
  }

  #ask(): Promise<boolean> {
    this.#asking = this.#askAll().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askAll(): Promise<boolean> {
    const { nodes } = this.#options;
    let complete = 0;
    const ask = async (node: ClusterNode): Promise<void> => {
      if (await this.#attach(node, true)) ++complete;
    };
    const connected = [...nodes].filter(node => node.connected);
    const asking = connected.map(ask);
    // Nodes that are not connected to, since nothing of this controller's is there, are asked if the directory names them.
    const isTold = await this.#untilTold(true);
    const dormant = [...nodes].filter(node => node.isDormant);
    const named = dormant.filter(node => this.isNamed(node));
    await within(Promise.all([...asking, ...named.map(ask), ...this.#attaching.values()]), ANSWER_TIMEOUT_MS);
    return isTold && complete >= nodes.size - (dormant.length - named.length);
  }

  /**
   * Resolves with whether the directory has answered, in time.
   * @param again whether an earlier answer is not enough
   */
  async #untilTold(again = false): Promise<boolean> {
    let isTold = false;
    if (!this.#watch) return isTold;
    const known = (again ? this.#watch.refresh?.() : undefined) ?? this.#watch.known;
    await within(
      known.then(answered => (isTold = answered)),
      ANSWER_TIMEOUT_MS,
    );
    return isTold;
  }

  /**
   * Attaches to a node. Never rejects.
   * @returns whether the node has reported all of its objects
   */
  async #attach(node: ClusterNode, ask: boolean): Promise<boolean> {
    try {
      if (!node.connected) await node.open();
      return await this.#options.attach(node, ask);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      // A node that goes in the meantime is not unusual; a node that refuses this controller is.
      if (!node.connected) log.warn('%s: %o', node.id, error);
      else {
        if (error instanceof TypeError) this.#refusal = error;
        this.#options.onError(error);
      }
      return false;
    }
  }
}
