/**
 * Parts of a HorizontalMafaldaRouter: the MafaldaRouters with its id, at most one on each node. A part is opened where
 * something is placed, or where the MafaldaRouter exists already, and left when it has been empty for a while and the
 * MafaldaRouter lives on elsewhere.
 */
import type { Router, RouterOptions, RtpObserver, Transport, Worker } from 'mediasoup/types';
import { NotFoundError } from 'mediasoup/errors';
import { GraceTimers } from '../core/graceTimers.ts';
import { logger } from '../core/logger.ts';
import type { ObjectTree, ObjectType, ObjectTypes, TreeNode } from '../core/objectTree.ts';
import { resolveMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import type { MafaldaRouter } from '../api/types.ts';
import type { PipeableMafaldaRouter } from '../base/pipeableMafaldaRouter.ts';
import { findMafaldaRouter, type SoughtRoom } from '../base/roomFinder.ts';
import { noteUsedHere } from '../base/usedHere.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool } from './nodePool.ts';

const log = logger('horizontal');

/** Time after which an empty part is left, in ms: somebody who comes back in the meantime finds it open. */
const EMPTY_GRACE_MS = 10_000;
/** All parts that are shown by a HorizontalMafaldaRouter. */
const opened = new WeakSet<PipeableMafaldaRouter>();

export interface PartsListener {
  /** Called when a node has told the `routerOptions` that others have given. */
  onOptions(routerOptions: RouterOptions): void;
  onRouter(router: Router, worker: Worker): void;
  onWorkerDied(worker: Worker, error: Error): void;
  onError(error: Error): void;
  /** Called when the node's objects have closed here, and no path to them is left. */
  onLost(node: ClusterNode): void;
  /** Called when another user has closed the MafaldaRouter on every node that has something of it. */
  onClosed(): void;
}

/** Part on a node that was lost, and has not answered since. */
interface LostPart {
  readonly mafaldaRouter: PipeableMafaldaRouter;
  readonly serverId: string | undefined;
}

export class Parts {
  readonly #nodes: NodePool;
  #options: SoughtRoom;
  readonly #tree: ObjectTree;
  readonly #listener: PartsListener;
  readonly #parts = new Map<ClusterNode, PipeableMafaldaRouter>();
  readonly #lost = new Map<ClusterNode, LostPart>();
  readonly #nodeOfRouter = new WeakMap<Router, ClusterNode>();
  readonly #made = new WeakSet<object>();
  /** Number of objects that are being created on each node. */
  readonly #creating = new Map<ClusterNode, number>();
  readonly #empty = new GraceTimers<ClusterNode>(EMPTY_GRACE_MS, node => this.#leaveIfEmpty(node));
  /** Empty parts that were left. */
  readonly #left = new WeakSet<PipeableMafaldaRouter>();
  #ending: 'close' | 'leave' | undefined;

  /** @param tree shows the objects of all parts */
  constructor(nodes: NodePool, options: SoughtRoom, tree: ObjectTree, listener: PartsListener) {
    this.#nodes = nodes;
    this.#options = options;
    this.#tree = tree;
    this.#listener = listener;
  }

  get size(): number {
    return this.#parts.size;
  }

  [Symbol.iterator](): MapIterator<[ClusterNode, PipeableMafaldaRouter]> {
    return this.#parts.entries();
  }

  has(node: ClusterNode): boolean {
    return this.#parts.has(node);
  }

  /**
   * Returns the part on a node, which it opens if necessary.
   * @throws {Error} as `createMafaldaRouter()` of the node
   */
  get(node: ClusterNode): PipeableMafaldaRouter {
    return this.#parts.get(node) ?? this.#open(node, node.mafalda.createMafaldaRouter(this.#options));
  }

  /** Opens the part on a node, and takes over the `routerOptions` that the node has told by now. */
  include(node: ClusterNode): void {
    this.#learn(this.get(node));
  }

  /**
   * Attaches to the node if the MafaldaRouter exists there. Resolves when its present objects are here.
   * @param ask whether the node asks nodes of its own
   * @returns whether the node has reported all of its objects
   * @throws {TypeError} if it exists there with different `routerOptions`
   * @throws {Error} as the node
   */
  async find(node: ClusterNode, ask: boolean): Promise<boolean> {
    // Objects of a part that is open show one by one as they come: they may be many.
    const openWhenSeen = (seen: PipeableMafaldaRouter): void => {
      if (!this.#parts.has(node) && !this.#ending && this.#nodes.has(node)) this.#open(node, seen);
    };
    const { mafaldaRouter: found, isComplete } = await findMafaldaRouter(
      node.mafalda,
      this.#options,
      ask,
      openWhenSeen,
    );
    this.#lost.delete(node);
    if (!found || found.closed) return isComplete;
    if (this.#parts.get(node) === found) {
      this.#learn(found);
      return isComplete;
    }
    const ending = this.#ending ?? (this.#nodes.has(node) ? undefined : 'leave');
    if (!ending) this.#open(node, found);
    else if (!opened.has(found)) await found[ending]();
    return isComplete;
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
    await Promise.all([...byNode].map(async ([node, own]) => this.#parts.get(node)?.adopt(own)));
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
      this.#leaveEmptyLater();
    }
  }

  /** Returns whether this controller has made the object. */
  isOwn(object: object): boolean {
    return this.#made.has(object);
  }

  nodeOf(router: Router): ClusterNode | undefined {
    return this.#nodeOfRouter.get(router);
  }

  /** Returns whether the node has Routers, or will have. */
  isBusy(node: ClusterNode): boolean {
    return this.#creating.has(node) || (this.#parts.get(node)?.routers.size ?? 0) > 0;
  }

  /** Returns the ids of the Routers on the node. */
  routersOn(node: ClusterNode): Iterable<string> {
    return this.#parts.get(node)?.routers.keys() ?? [];
  }

  /**
   * Must be called when a node is connected, for the first time or again.
   * @returns whether the MafaldaRouter may still exist there, since a part was lost with the connection
   */
  mayHaveComeBack(node: ClusterNode): boolean {
    // Another process at this URL has nothing of it.
    if (this.#lost.get(node)?.serverId !== node.serverId) this.#lost.delete(node);
    return this.#lost.has(node);
  }

  /** Sets the `routerOptions` of the parts that were opened without them, and of all later parts. */
  define(routerOptions: RouterOptions): void {
    this.#options = { ...this.#options, routerOptions };
    for (const part of this.#parts.values()) part.define(routerOptions);
  }

  /** Closes this controller's objects on a node, and leaves the objects of others: each node knows the owners. */
  async leave(node: ClusterNode): Promise<void> {
    this.#lost.delete(node);
    await this.#parts.get(node)?.leave();
  }

  /**
   * Closes or leaves all parts. Unconnected nodes are not waited for: they hear of it when they are back, which may be
   * never.
   */
  async end(how: 'close' | 'leave'): Promise<void> {
    this.#ending = how;
    this.#empty.clear();
    const ending: Promise<void>[] = [];
    for (const [node, part] of this.#parts) {
      const ended = part[how]();
      if (node.connected) ending.push(ended);
      else ended.catch(error => log.warn('%s: %o', node.id, error));
    }
    if (how === 'close') for (const { mafaldaRouter } of this.#lost.values()) mafaldaRouter.closeLost();
    this.#lost.clear();
    await Promise.all(ending);
  }

  /** Whether any node has, or will have, Routers. */
  get #isAlive(): boolean {
    return this.#creating.size > 0 || [...this.#parts.keys()].some(node => this.isBusy(node));
  }

  /**
   * Starts the time of the empty parts. The last ones stay: by them others learn the options, and this controller learns
   * that somebody closes the MafaldaRouter.
   */
  #leaveEmptyLater(): void {
    if (this.#ending) return;
    const isAlive = this.#isAlive;
    for (const node of this.#parts.keys()) {
      if (!isAlive || this.isBusy(node)) this.#empty.cancel(node);
      else if (!this.#empty.has(node)) this.#empty.start(node);
    }
  }

  #leaveIfEmpty(node: ClusterNode): void {
    const part = this.#parts.get(node);
    if (!part || this.isBusy(node) || !this.#isAlive) return;
    this.#left.add(part);
    part.leave().catch(error => log.warn('leaving %s: %o', node.id, error));
  }

  #underway(node: ClusterNode): number {
    return this.#creating.get(node) ?? 0;
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

  /** Takes over the `routerOptions` that others have given, if this controller has none. */
  #learn({ routerOptions = {} }: Partial<Pick<PipeableMafaldaRouter, 'routerOptions'>>): void {
    if (this.#options.routerOptions || Object.keys(routerOptions).length === 0) return;
    // A node's answer is checked like an application's options. Foreign implementations of the Mafalda API have none.
    resolveMafaldaRouterOptions({ routerOptions });
    this.#listener.onOptions(routerOptions);
  }

  #open(node: ClusterNode, mafaldaRouter: MafaldaRouter): PipeableMafaldaRouter {
    const part = mafaldaRouter as PipeableMafaldaRouter;
    const { tree } = part;
    opened.add(part);
    noteUsedHere(part);
    this.#learn(part);
    this.#parts.set(node, part);
    this.#lost.delete(node);
    const onAdd = ({ type, object }: TreeNode): void => {
      if (type !== 'router') return;
      this.#nodeOfRouter.set(object, node);
      this.#leaveEmptyLater();
    };
    const onRemove = ({ type }: TreeNode): void => void (type === 'router' && this.#leaveEmptyLater());
    const present = [...tree.nodes()].filter(treeNode => treeNode.type === 'router');
    for (const { object } of present) this.#nodeOfRouter.set(object, node);
    this.#tree.include(tree);
    node.tree.include(tree);
    const onDisown = ({ object }: TreeNode): void => void this.#made.delete(object);
    tree.on('add', onAdd).on('remove', onRemove).on('disown', onDisown);
    part.on('newrouter', (router, worker) => this.#listener.onRouter(router, worker));
    part.on('workerdied', (worker, error) => this.#listener.onWorkerDied(worker, error));
    part.on('error', error => this.#listener.onError(error));
    part.once('close', () => {
      if (this.#parts.get(node) === part) this.#parts.delete(node);
      this.#empty.cancel(node);
      this.#tree.exclude(tree);
      node.tree.exclude(tree);
      tree.off('add', onAdd).off('remove', onRemove).off('disown', onDisown);
      this.#onPartClosed(node, part);
    });
    for (const { object, parent } of present)
      if (parent?.type === 'worker') this.#listener.onRouter(object, parent.object);
    this.#leaveEmptyLater();
    return part;
  }

  #onPartClosed(node: ClusterNode, part: PipeableMafaldaRouter): void {
    if (node.lost) {
      if (this.#nodes.has(node)) this.#lost.set(node, { mafaldaRouter: part, serverId: node.serverId });
      this.#listener.onLost(node);
    }
    // A node that is lost, or no longer used, says nothing of the others, nor does an empty part that was left.
    const isLeft = this.#left.delete(part);
    if (!isLeft && this.#isClosedThere(node, part) && !this.#isAlive) this.#listener.onClosed();
  }
}
