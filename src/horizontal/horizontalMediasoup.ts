/**
 * mediasoup's module API, with Workers on all nodes: an application written for mediasoup uses them as cores of a
 * single machine.
 */
import * as mediasoup from 'mediasoup';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { NotFoundError } from 'mediasoup/errors';
import type {
  AppData,
  Index,
  ObserverEvents,
  Router,
  RouterRtpCapabilities,
  Worker,
  WorkerSettings,
} from 'mediasoup/types';
import { closeWorker } from '../core/workers/closeWorker.ts';
import { ClosedError, NodeUnavailableError } from '../api/errors.ts';
import { MediasoupModule } from '../core/mediasoupModule.ts';
import { logRejection, logRejections } from '../core/logRejections.ts';
import { ObjectTree, type TreeNode } from '../core/objectTree.ts';
import { onceClosed } from '../core/onceClosed.ts';
import { startWorker } from '../core/workers/startWorker.ts';
import { ExternalPipes } from '../piping/externalPipes.ts';
import type { MediasoupObject, PipeToMafaldaRouterOptions } from '../api/types.ts';
import { Streams } from '../piping/streams.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool } from './nodePool.ts';

/** Wildcard that each server replaces by its own address. */
const ALL_ADDRESSES = { listenInfo: { protocol: 'udp', ip: '0.0.0.0' } } as const;

export class HorizontalMediasoup extends MediasoupModule implements Index {
  readonly observer = new EnhancedEventEmitter<ObserverEvents>();
  readonly #nodes: NodePool;
  readonly #workers = new WeakMap<ClusterNode, number>();
  readonly #made = new Map<Worker, ClusterNode>();
  /** Objects that were made with this module. */
  readonly tree = new ObjectTree();
  readonly #streams = new Streams(this.tree);
  readonly #externalPipes = new ExternalPipes(this.#streams, true);
  #closed = false;
  readonly #nodeOf = new WeakMap<Router, ClusterNode>();

  constructor(nodes: NodePool) {
    super();
    logRejections(this, ['createWorker']);
    this.#nodes = nodes;
  }

  protected get facts(): Index {
    return this.#any;
  }

  readonly setLogEventListeners: Index['setLogEventListeners'] = listeners => this.#any.setLogEventListeners(listeners);

  readonly parseScalabilityMode: Index['parseScalabilityMode'] = mode => this.#any.parseScalabilityMode(mode);

  getSupportedRtpCapabilities = (): RouterRtpCapabilities => this.#any.getSupportedRtpCapabilities();

  /**
   * Makes a Worker on the node with most cores for each Worker that was made here: an application makes a Worker for
   * each core that it wants.
   */
  createWorker = async <T extends AppData = AppData>(settings?: WorkerSettings<T>): Promise<Worker<T>> => {
    await this.#nodes.whenUsable();
    const choose = (tried: ReadonlyMap<ClusterNode, Error>): ClusterNode | undefined =>
      this.#nodes.emptiest(candidate => this.#workersPerCore(candidate), tried);
    const { worker, node } = await this.#nodes.attempt(choose, async node => {
      // The choice is counted at once, so that a burst of calls is spread by its own count.
      this.#count(node, 1);
      try {
        if (!node.connected) await node.open();
        return { worker: await startWorker<T>(node.mafalda.mediasoup, settings), node };
      } catch (error) {
        this.#count(node, -1);
        throw error;
      }
    });
    if (this.#closed || !this.#nodes.has(node)) {
      worker.close();
      this.#count(node, -1);
      throw this.#closed
        ? new ClosedError('this MafaldaHorizontal is closed: make another one')
        : new NodeUnavailableError(`the node "${node.id}", on which this Worker was started, is not used any longer`, {
            node: node.id,
          });
    }
    node.mafalda.adopt?.(worker);
    this.#made.set(worker, node);
    onceClosed(worker, () => {
      this.#made.delete(worker);
      this.#count(node, -1);
    });
    this.tree.addWorker(worker, `${node.id} ${worker.pid}`);
    worker.observer.on('newrouter', router => this.#intercept(router, node));
    this.observer.safeEmit('newworker', worker);
    return worker;
  };

  /** Returns the node of an object that was made here. */
  nodeOf(object: MediasoupObject): ClusterNode | undefined {
    let node: TreeNode | undefined = this.tree.nodeOf(object);
    while (node?.parent) node = node.parent;
    return node?.type === 'worker' ? this.#made.get(node.object) : undefined;
  }

  /** Closes the Workers that were made here on a node that is no longer used. */
  removeNode(node: ClusterNode): void {
    for (const [worker, where] of [...this.#made]) if (where === node) worker.close();
  }

  /**
   * Closes the Workers that were made here. The ends of processes on servers are not waited for: a server may be gone.
   * Workers on nodes that close as well end with them: so the goodbye is the first message, which even an exiting
   * process can send.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#made].filter(([, { owned }]) => !owned);
    for (const [worker] of workers) worker.close();
    await Promise.all(workers.filter(([, { url }]) => url === undefined).map(([worker]) => closeWorker(worker)));
  }

  /**
   * Replaces `pipeToRouter()`: a Router pipes to Routers of its own node by itself, and to others through this process,
   * which has mirrors of both.
   */
  #intercept(router: Router, node: ClusterNode): void {
    const pipeToRouter = router.pipeToRouter.bind(router);
    this.#nodeOf.set(router, node);
    const pipe: Router['pipeToRouter'] = async options => {
      const other = options?.router && this.#nodeOf.get(options.router);
      if (!other || other === node) return pipeToRouter(options);
      const { router: mafaldaRouter, producerId, dataProducerId, ...rest } = options;
      const isHere = this.#streams.find(producerId ?? dataProducerId ?? '').some(place => place.router === router);
      if ((producerId ?? dataProducerId) && !isHere)
        throw new NotFoundError(producerId ? 'Producer not found' : 'DataProducer not found');
      return this.#externalPipes.pipe(router, {
        ...ALL_ADDRESSES,
        ...rest,
        producerId,
        dataProducerId,
        mafaldaRouter,
      } as PipeToMafaldaRouterOptions<Router>);
    };
    router.pipeToRouter = options => logRejection(pipe(options), 'pipeToRouter()');
  }

  /** Module of any connected node, or of this process while there is none: their versions match. */
  get #any(): Index {
    return [...this.#nodes].find(({ connected }) => connected)?.mafalda.mediasoup ?? mediasoup;
  }

  #workersPerCore(node: ClusterNode): number {
    return (this.#workers.get(node) ?? 0) / node.cores;
  }

  #count(node: ClusterNode, more: number): void {
    this.#workers.set(node, (this.#workers.get(node) ?? 0) + more);
  }
}
