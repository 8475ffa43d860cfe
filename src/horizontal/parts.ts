/**
 * What a HorizontalMafaldaRouter is made of: the MafaldaRouters with its id, one on each node. From its first use on it is
 * attached to all of them, so that it sees what others have made, wherever that is, and also what was there before it.
 */
import type { Router, RouterOptions, RtpObserver, Transport, Worker } from 'mediasoup/types';
import { NotFoundError } from 'mediasoup/errors';
import { logger } from '../core/logger.ts';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';
import type { MafaldaRouterOptions } from '../api/types.ts';
import type { PipeableMafaldaRouter } from '../base/pipeableMafaldaRouter.ts';
import { within } from '../core/within.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool } from './nodePool.ts';

const log = logger('horizontal');

/** A node that has not told in this time what is there is not waited for: what it tells later is seen then. */
const ATTACH_TIMEOUT_MS = 2000;

export interface PartsListener {
  onRouter(router: Router, worker: Worker): void;
  onWorkerDied(worker: Worker, error: Error): void;
  onError(error: Error): void;
  /** What was on the node has closed here, and nothing is known of it any more. */
  onLost(node: ClusterNode): void;
  /** Somebody has closed the MafaldaRouter on every node. */
  onClosed(): void;
}

interface Part {
  readonly mafaldaRouter: PipeableMafaldaRouter;
  /** When it has told what was there before us. Never rejects. */
  attached?: Promise<void>;
}

export class Parts {
  readonly #nodes: NodePool;
  #options: MafaldaRouterOptions;
  readonly #tree: ObjectTree;
  readonly #listener: PartsListener;
  readonly #parts = new Map<ClusterNode, Part>();
  /** Those of nodes that were lost, and have not been back. */
  readonly #lost = new Map<ClusterNode, PipeableMafaldaRouter>();
  readonly #nodeOfRouter = new WeakMap<Router, ClusterNode>();
  readonly #made = new WeakSet<object>();
  /** How much is being created on which node. */
  readonly #creating = new Map<ClusterNode, number>();
  #inUse = false;

  /** @param tree where everything in them is shown */
  constructor(nodes: NodePool, options: MafaldaRouterOptions, tree: ObjectTree, listener: PartsListener) {
    this.#nodes = nodes;
    this.#options = options;
    this.#tree = tree;
    this.#listener = listener;
  }

  *[Symbol.iterator](): IterableIterator<[ClusterNode, PipeableMafaldaRouter]> {
    for (const [node, { mafaldaRouter }] of this.#parts) yield [node, mafaldaRouter];
  }

  /** @throws what `createMafaldaRouter()` of the node throws */
  get(node: ClusterNode): PipeableMafaldaRouter {
    return this.#open(node).mafaldaRouter;
  }

  /** @throws what the node throws; {@link NotFoundError} if somebody has closed the MafaldaRouter there meanwhile, which is not the node's fault */
  async ask<T>(node: ClusterNode, question: (part: PipeableMafaldaRouter) => Promise<T>): Promise<T> {
    const part = this.get(node);
    try {
      return await question(part);
    } catch (error) {
      throw this.#isClosedThere(node, part) && error instanceof Error ? new NotFoundError(error.message) : error;
    }
  }

  /** Creates something on a node. @throws as {@link ask} */
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

  /** Whether we have made it. */
  isOurs(object: object): boolean {
    return this.#made.has(object);
  }

  nodeOf(router: Router): ClusterNode | undefined {
    return this.#nodeOfRouter.get(router);
  }

  /** Whether there is anything on the node, or will be: to be attached costs it nothing. */
  isUsed(node: ClusterNode): boolean {
    return this.#creating.has(node) || (this.#parts.get(node)?.mafaldaRouter.routers.size ?? 0) > 0;
  }

  /** Ids of the Routers that are there. */
  routersOn(node: ClusterNode): Iterable<string> {
    return this.#parts.get(node)?.mafaldaRouter.routers.keys() ?? [];
  }

  /** Attaches to all nodes, now and whenever one comes. Does nothing from the second time on. */
  use(): void {
    if (this.#inUse) return;
    this.#inUse = true;
    for (const node of this.#nodes) this.nodeCame(node);
  }

  /** To be called when a node is connected, for the first time or again. */
  nodeCame(node: ClusterNode): void {
    if (!this.#inUse || !node.connected) return;
    // Where the connection goes on where it was lost, the node has told what was missed.
    if (!this.#parts.get(node)?.attached) void this.#attach(node);
  }

  /** Gives those parts that were opened without `routerOptions` these ones, and all later ones. */
  define(routerOptions: RouterOptions): void {
    this.#options = { ...this.#options, routerOptions };
    for (const { mafaldaRouter } of this.#parts.values()) mafaldaRouter.define(routerOptions);
  }

  /** Also closes what is on nodes that are lost: they hear of it when they are back. */
  closeLost(): void {
    for (const mafaldaRouter of this.#lost.values()) mafaldaRouter.closeLost();
    this.#lost.clear();
  }

  /** What we have made there closes, and the rest is left to others who use it: each node knows what is whose. */
  async leave(node: ClusterNode): Promise<void> {
    this.#lost.delete(node);
    await this.#parts.get(node)?.mafaldaRouter.leave();
  }

  /** Resolves when all connected nodes have told once what is there, or don't do so in time. */
  async attached(): Promise<void> {
    this.use();
    const connected = [...this.#parts].filter(([node]) => node.connected);
    await within(Promise.all(connected.map(async ([, { attached }]) => attached)), ATTACH_TIMEOUT_MS);
  }

  /** Asks all connected nodes what is there by now. Resolves when they have told, or don't do so in time. */
  async refresh(): Promise<void> {
    this.#inUse = true;
    const connected = [...this.#nodes].filter(node => node.connected);
    await within(Promise.all(connected.map(node => this.#attach(node))), ATTACH_TIMEOUT_MS);
  }

  #underway(node: ClusterNode): number {
    return this.#creating.get(node) ?? 0;
  }

  async #attach(node: ClusterNode): Promise<void> {
    let part: Part | undefined;
    try {
      part = this.#open(node);
      const attached = part.mafaldaRouter.attach();
      part.attached ??= attached.catch(() => undefined);
      await attached;
    } catch (error) {
      // A node that goes in the meantime is nothing unusual; one that refuses us is.
      if (!node.connected || part?.mafaldaRouter.closed) log('%s: %o', node.id, error);
      else this.#listener.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Rather than lost with the node. */
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
    mafaldaRouter.tree.on('add', onAdd);
    this.#tree.include(mafaldaRouter.tree);
    node.tree.include(mafaldaRouter.tree);
    mafaldaRouter.on('newrouter', (router, worker) => this.#listener.onRouter(router, worker));
    mafaldaRouter.on('workerdied', (worker, error) => this.#listener.onWorkerDied(worker, error));
    mafaldaRouter.on('error', error => this.#listener.onError(error));
    mafaldaRouter.once('close', () => {
      this.#parts.delete(node);
      this.#tree.exclude(mafaldaRouter.tree);
      node.tree.exclude(mafaldaRouter.tree);
      mafaldaRouter.tree.off('add', onAdd);
      if (node.lost) {
        if (this.#nodes.has(node)) this.#lost.set(node, mafaldaRouter);
        this.#listener.onLost(node);
      }
      // A node that is lost, or no longer ours, says nothing of the others.
      if (this.#isClosedThere(node, mafaldaRouter) && this.#parts.size === 0) this.#listener.onClosed();
    });
    return part;
  }
}
