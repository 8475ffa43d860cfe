/**
 * Parts of a HorizontalMafaldaRouter: the MafaldaRouters with its id, at most one on each node. From its first use on
 * it is attached to all nodes, so that it sees the objects of others on every node, also objects that are older than
 * itself.
 */
import type { Router, RouterOptions, RtpObserver, Transport, Worker } from 'mediasoup/types';
import { NotFoundError } from 'mediasoup/errors';
import { logger } from '../core/logger.ts';
import type { ObjectTree, ObjectType, ObjectTypes, TreeNode } from '../core/objectTree.ts';
import type { MafaldaRouterOptions } from '../api/types.ts';
import type { PipeableMafaldaRouter } from '../base/pipeableMafaldaRouter.ts';
import { within } from '../core/within.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool } from './nodePool.ts';

const log = logger('horizontal');

/** Limit for attaching, in ms: a slower node is not waited for, and its objects are seen when it reports them. */
const ATTACH_TIMEOUT_MS = 2000;

export interface PartsListener {
  onRouter(router: Router, worker: Worker): void;
  onWorkerDied(worker: Worker, error: Error): void;
  onError(error: Error): void;
  /** Called when the node's objects have closed here, and no path to them is left. */
  onLost(node: ClusterNode): void;
  /** Called when another user has closed the MafaldaRouter on every node. */
  onClosed(): void;
}

interface Part {
  readonly mafaldaRouter: PipeableMafaldaRouter;
  /** Resolves when the part has reported its earlier objects. Never rejects. */
  attached?: Promise<void>;
}

export class Parts {
  readonly #nodes: NodePool;
  #options: MafaldaRouterOptions;
  readonly #tree: ObjectTree;
  readonly #listener: PartsListener;
  readonly #parts = new Map<ClusterNode, Part>();
  /** Parts on nodes that were lost, and have not been back. */
  readonly #lost = new Map<ClusterNode, PipeableMafaldaRouter>();
  readonly #nodeOfRouter = new WeakMap<Router, ClusterNode>();
  readonly #made = new WeakSet<object>();
  /** Number of objects that are being created on each node. */
  readonly #creating = new Map<ClusterNode, number>();
  #inUse = false;

  /** @param tree shows the objects of all parts */
  constructor(nodes: NodePool, options: MafaldaRouterOptions, tree: ObjectTree, listener: PartsListener) {
    this.#nodes = nodes;
    this.#options = options;
    this.#tree = tree;
    this.#listener = listener;
  }

  *[Symbol.iterator](): IterableIterator<[ClusterNode, PipeableMafaldaRouter]> {
    for (const [node, { mafaldaRouter }] of this.#parts) yield [node, mafaldaRouter];
  }

  /**
   * Returns the part on a node, which it opens if necessary.
   * @throws {Error} as `createMafaldaRouter()` of the node
   */
  get(node: ClusterNode): PipeableMafaldaRouter {
    return this.#open(node).mafaldaRouter;
  }

  /**
   * Asks the part on a node.
   * @throws {NotFoundError} if another user has closed the MafaldaRouter there meanwhile, which is not the node's fault
   * @throws {Error} as the node
   */
  async ask<T>(node: ClusterNode, question: (part: PipeableMafaldaRouter) => Promise<T>): Promise<T> {
    const part = this.get(node);
    try {
      return await question(part);
    } catch (error) {
      throw this.#isClosedThere(node, part) && error instanceof Error ? new NotFoundError(error.message) : error;
    }
  }

  /**
   * Creates an object on a node.
   * @throws {Error} as {@link ask}
   */
  async create<T extends Transport | RtpObserver>(
    node: ClusterNode,
    make: (part: PipeableMafaldaRouter) => Promise<T>,
  ): Promise<T> {
    this.#creating.set(node, this.#underway(node) + 1);
    try {
      const object = await this.ask(node, make);
      this.#made.add(object);
      return object;
    } finally {
      const left = this.#underway(node) - 1;
      if (left > 0) this.#creating.set(node, left);
      else this.#creating.delete(node);
    }
  }

  /** Returns whether this controller has made the object. */
  isOwn(object: object): boolean {
    return this.#made.has(object);
  }

  nodeOf(router: Router): ClusterNode | undefined {
    return this.#nodeOfRouter.get(router);
  }

  /** Returns whether the node has objects, or will have: merely attaching costs it nothing. */
  isUsed(node: ClusterNode): boolean {
    return this.#creating.has(node) || (this.#parts.get(node)?.mafaldaRouter.routers.size ?? 0) > 0;
  }

  /** Returns the ids of the Routers on the node. */
  routersOn(node: ClusterNode): Iterable<string> {
    return this.#parts.get(node)?.mafaldaRouter.routers.keys() ?? [];
  }

  /** Attaches to all nodes, now and whenever a node comes. Idempotent. */
  use(): void {
    if (this.#inUse) return;
    this.#inUse = true;
    for (const node of this.#nodes) this.nodeConnected(node);
  }

  /** Attaches to a node. Must be called when it is connected, for the first time or again. */
  nodeConnected(node: ClusterNode): void {
    if (!this.#inUse || !node.connected) return;
    // After a resumed connection the node has reported all that was missed.
    if (!this.#parts.get(node)?.attached) void this.#attach(node);
  }

  /** Sets the `routerOptions` of the parts that were opened without them, and of all later parts. */
  define(routerOptions: RouterOptions): void {
    this.#options = { ...this.#options, routerOptions };
    for (const { mafaldaRouter } of this.#parts.values()) mafaldaRouter.define(routerOptions);
  }

  /** Closes the parts on lost nodes: they hear of it when they are back. */
  closeLost(): void {
    for (const mafaldaRouter of this.#lost.values()) mafaldaRouter.closeLost();
    this.#lost.clear();
  }

  /** Closes this controller's objects on a node, and leaves the objects of others: each node knows the owners. */
  async leave(node: ClusterNode): Promise<void> {
    this.#lost.delete(node);
    await this.#parts.get(node)?.mafaldaRouter.leave();
  }

  /** Resolves when all connected nodes have reported their objects once, or don't do so in time. */
  async attached(): Promise<void> {
    this.use();
    const connected = [...this.#parts].filter(([node]) => node.connected);
    await within(Promise.all(connected.map(async ([, { attached }]) => attached)), ATTACH_TIMEOUT_MS);
  }

  /**
   * Asks all connected nodes for their present objects. Resolves when they have reported them, or don't do so in time.
   * @returns whether all nodes have reported all of their objects
   */
  async refresh(): Promise<boolean> {
    this.#inUse = true;
    const nodes = [...this.#nodes];
    let complete = 0;
    const asked = nodes
      .filter(node => node.connected)
      .map(async node => {
        if (await this.#attach(node)) ++complete;
      });
    await within(Promise.all(asked), ATTACH_TIMEOUT_MS);
    return complete === nodes.length;
  }

  /** Takes over objects of another controller, each on its node. */
  async adopt(objects: readonly object[]): Promise<void> {
    const byNode = new Map<ClusterNode, object[]>();
    for (const object of objects) {
      this.#made.add(object);
      const node = this.#nodeOfObject(object);
      if (!node) continue;
      const own = byNode.get(node);
      if (own) own.push(object);
      else byNode.set(node, [object]);
    }
    await Promise.all([...byNode].map(async ([node, own]) => this.#parts.get(node)?.mafaldaRouter.adopt(own)));
  }

  #underway(node: ClusterNode): number {
    return this.#creating.get(node) ?? 0;
  }

  /** @returns whether the node has reported all of its objects */
  async #attach(node: ClusterNode): Promise<boolean> {
    let part: Part | undefined;
    try {
      part = this.#open(node);
      const attached = part.mafaldaRouter.attach();
      part.attached ??= attached.then(
        () => undefined,
        () => undefined,
      );
      return await attached;
    } catch (error) {
      // A node that goes in the meantime is not unusual; a node that refuses this controller is.
      if (!node.connected || part?.mafaldaRouter.closed) log.warn('%s: %o', node.id, error);
      else this.#listener.onError(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  #nodeOfObject(object: object): ClusterNode | undefined {
    let treeNode: TreeNode | undefined = this.#tree.nodeOf<ObjectType>(object as ObjectTypes[ObjectType]);
    while (treeNode && treeNode.type !== 'router') treeNode = treeNode.parent;
    return treeNode && this.#nodeOfRouter.get(treeNode.object);
  }

  /** Returns whether the part was closed at its node, rather than lost with it. */
  #isClosedThere(node: ClusterNode, { closed }: PipeableMafaldaRouter): boolean {
    return closed && node.connected && !node.mafalda.closed && this.#nodes.find(node.mafalda) === node;
  }

  #open(node: ClusterNode): Part {
    const existing = this.#parts.get(node);
    if (existing) return existing;
    const mafaldaRouter = node.mafalda.createMafaldaRouter(this.#options) as PipeableMafaldaRouter;
    const part: Part = { mafaldaRouter };
    this.#parts.set(node, part);
    this.#lost.delete(node);
    const onAdd = ({ type, object }: TreeNode): void =>
      void (type === 'router' && this.#nodeOfRouter.set(object, node));
    for (const existing of mafaldaRouter.tree.nodes()) onAdd(existing);
    const onDisown = ({ object }: TreeNode): void => void this.#made.delete(object);
    mafaldaRouter.tree.on('add', onAdd).on('disown', onDisown);
    this.#tree.include(mafaldaRouter.tree);
    node.tree.include(mafaldaRouter.tree);
    mafaldaRouter.on('newrouter', (router, worker) => this.#listener.onRouter(router, worker));
    mafaldaRouter.on('workerdied', (worker, error) => this.#listener.onWorkerDied(worker, error));
    mafaldaRouter.on('error', error => this.#listener.onError(error));
    mafaldaRouter.once('close', () => {
      this.#parts.delete(node);
      this.#tree.exclude(mafaldaRouter.tree);
      node.tree.exclude(mafaldaRouter.tree);
      mafaldaRouter.tree.off('add', onAdd).off('disown', onDisown);
      if (node.lost) {
        if (this.#nodes.has(node)) this.#lost.set(node, mafaldaRouter);
        this.#listener.onLost(node);
      }
      // A node that is lost, or no longer used, says nothing of the others.
      if (this.#isClosedThere(node, mafaldaRouter) && this.#parts.size === 0) this.#listener.onClosed();
    });
    return part;
  }
}
