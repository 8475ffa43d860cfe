import { randomUUID } from 'node:crypto';
import {
  connectionOptions,
  RemoteMafaldaClient,
  type ConnectFailure,
  type RemoteMafaldaClientOptions,
} from '../remote/client/index.ts';
import type { MafaldaDump } from '../api/dump.ts';
import { ClosedError } from '../api/errors.ts';
import type { LoadReport } from '../api/load.ts';
import { logger } from '../core/logger.ts';
import { MafaldaBase } from '../base/mafaldaBase.ts';
import { ModuleScope, packageScope } from '../base/moduleScope.ts';
import type { ObjectTypes } from '../core/objectTree.ts';
import { refuseUnknown, type OptionNames, type ResolvedMafaldaRouterOptions } from '../api/options.ts';
import type {
  MafaldaApi,
  MafaldaEvents,
  MafaldaRouterOptions,
  MafaldaRouterState,
  ResourceUsages,
} from '../api/types.ts';
import { checkDuration } from '../api/checkDuration.ts';
import type { ClusterNode } from './clusterNode.ts';
import { Departures } from './departures.ts';
import { untilDrained, whatIsLeft, type DrainOptions, type DrainReport } from './drain.ts';
import { HorizontalMediasoup } from './horizontalMediasoup.ts';
import { HorizontalMafaldaRouter } from './horizontalMafaldaRouter.ts';
import { Evidence } from './liveness/evidence.ts';
import { Liveness } from './liveness/liveness.ts';
import { askNodes, pathTo } from './askNodes.ts';
import { NodePool } from './nodePool.ts';
import { concentrate, type Strategy } from '../placement/strategies.ts';

const log = logger('horizontal');

export const scope = new ModuleScope(packageScope);

const DEFAULT_WATERMARK = 66;
const DEFAULT_NODE_TIMEOUT_MS = 3000;

/** Those of RemoteMafaldaClient are for nodes that are given as URLs. */
export interface MafaldaHorizontalOptions extends Omit<RemoteMafaldaClientOptions, 'sessionTimeout'> {
  /** How a node is chosen; default {@link concentrate}. Can be replaced while running. */
  strategy?: Strategy;
  /** Load percentage above which a node gets nothing new while another has room; default 66. */
  watermarkNode?: number;
  /**
   * How long a node may be silent before what it has is closed here, in ms; default 3000. Where others still get packets from it, or no node
   * is heard, it is marked as unreachable instead, and has its server's `sessionTimeout`. For nodes that are given as URLs: clients have
   * a `sessionTimeout` of their own.
   */
  nodeTimeout?: number;
}

const { sessionTimeout: _, ...optionsOfClients } = connectionOptions;
const knownOptions: OptionNames<MafaldaHorizontalOptions> = {
  ...optionsOfClients,
  strategy: true,
  watermarkNode: true,
  nodeTimeout: true,
};

export type MafaldaHorizontalEvents = MafaldaEvents & {
  /**
   * Every node has answered, or can't be reached at present. Where none can be used, a `NodeUnavailableError` follows as an `error`, or as a warning of the process
   * if nobody listens for that.
   */
  connected: [];
  /** A server could not be connected to, which goes on being tried: told once for each cause, until it is connected. */
  connecterror: [failure: ConnectFailure];
  nodeconnected: [node: MafaldaApi];
  nodedisconnected: [node: MafaldaApi, reason: string];
  nodeload: [node: MafaldaApi, load: number];
  /** It can't create what it is asked for, and is let rest: others are used as long as there are any. Told once, until it has worked again. */
  nodefailing: [node: MafaldaApi, error: Error];
  /** We don't hear it, and it may well live: what is there stays open, until it is heard again or its server's `sessionTimeout` has passed. */
  nodeunreachable: [node: MafaldaApi];
  nodereachable: [node: MafaldaApi];
  /** What `from` sends does not arrive at `to`: no pipe runs between the two, in neither direction, until `linkup`. */
  linkdown: [link: { from: MafaldaApi; to: MafaldaApi }];
  linkup: [link: { from: MafaldaApi; to: MafaldaApi }];
};

/** Many Mafaldas as one, remote or local: a Set of nodes with the API of each of them. */
export class MafaldaHorizontal
  extends MafaldaBase<HorizontalMafaldaRouter, MafaldaHorizontalEvents>
  implements Iterable<MafaldaApi>
{
  /** mediasoup's module API, whose Workers are on the nodes. */
  readonly mediasoup: HorizontalMediasoup;
  readonly #nodes: NodePool;
  readonly #liveness: Liveness;
  readonly #departures = new Departures();
  #wasSettled = false;
  /** What nodes have refused before all have answered. */
  readonly #earlyErrors: Error[] = [];
  readonly #clientOptions: RemoteMafaldaClientOptions;
  /** Two URLs may lead to one server: there these are one client. */
  readonly #instance = randomUUID();

  /**
   * @param nodes URLs of RemoteMafaldaServers, or objects with the Mafalda API
   * @throws {TypeError} for a URL or an option that can't be used
   */
  constructor(nodes: Iterable<string | MafaldaApi> = [], options: MafaldaHorizontalOptions = {}) {
    super(scope);
    refuseUnknown('MafaldaHorizontal', options, knownOptions);
    const {
      strategy = concentrate,
      watermarkNode = DEFAULT_WATERMARK,
      nodeTimeout = DEFAULT_NODE_TIMEOUT_MS,
      ...clientOptions
    } = options;
    if (typeof strategy !== 'function') throw new TypeError('if given, strategy must be a function');
    if (typeof watermarkNode !== 'number' || !(watermarkNode >= 0))
      throw new TypeError('if given, watermarkNode must be a percentage, 0 or more');
    checkDuration('nodeTimeout', nodeTimeout, 1);
    this.#clientOptions = clientOptions;
    this.#nodes = new NodePool(strategy, watermarkNode);
    this.mediasoup = new HorizontalMediasoup(this.#nodes);
    this.tree.include(this.mediasoup.tree);
    const now = (): number => performance.now();
    this.#liveness = new Liveness({
      nodes: this.#nodes,
      evidence: new Evidence(this.#nodes.links, now),
      timeout: nodeTimeout,
      now,
      onUnreachable: ({ mafalda }) => this.safeEmit('nodeunreachable', mafalda),
      onReachable: ({ mafalda }) => this.safeEmit('nodereachable', mafalda),
    });
    this.#nodes.on('connected', node => {
      for (const mafaldaRouter of this.mafaldaRouters.values()) mafaldaRouter.nodeCame(node);
      this.safeEmit('nodeconnected', node.mafalda);
      this.#liveness.nodeCame(node);
    });
    this.#nodes.on('lost', node => this.#onLost(node));
    this.#nodes.on('disconnected', ({ mafalda }, reason) => this.safeEmit('nodedisconnected', mafalda, reason));
    this.#nodes.on('linkdown', ({ from, to }) => this.safeEmit('linkdown', { from: from.mafalda, to: to.mafalda }));
    this.#nodes.on('linkup', ({ from, to }) => this.safeEmit('linkup', { from: from.mafalda, to: to.mafalda }));
    this.#nodes.on('load', ({ mafalda }, load) => this.safeEmit('nodeload', mafalda, load));
    this.#nodes.on('failing', ({ mafalda }, error) => this.safeEmit('nodefailing', mafalda, error));
    this.#nodes.on('connecterror', failure => this.safeEmit('connecterror', failure));
    this.#nodes.on('error', error => this.#onNodeError(error));
    this.#nodes.on('unfit', node => this.#remove(node));
    this.#nodes.on('settled', () => this.#onSettled());
    try {
      for (const node of nodes) this.add(node);
    } catch (error) {
      // There is nobody who could close the clients of the nodes before the one that can't be used.
      for (const { owned, mafalda } of this.#nodes) if (owned) mafalda.close().catch(closing => log('%o', closing));
      throw error;
    }
    // Whoever waits for `connected` must not wait in vain where nothing has to be waited for.
    if (this.#nodes.settled) setImmediate(() => this.#onSettled());
  }

  get strategy(): Strategy {
    return this.#nodes.strategy;
  }

  set strategy(strategy: Strategy) {
    if (typeof strategy !== 'function') throw new TypeError('strategy must be a function');
    this.#nodes.strategy = strategy;
  }

  /** Whether all nodes are on this machine, as far as is known. */
  get local(): boolean {
    return [...this.#nodes].every(({ mafalda }) => mafalda.local !== false);
  }

  /** Mean of the nodes. */
  get load(): number {
    const loads = [...this.#nodes].map(({ load }) => load);
    return loads.length === 0 ? 0 : loads.reduce((sum, load) => sum + load) / loads.length;
  }

  get loadReport(): LoadReport {
    const reports = [...this.#nodes].map(({ mafalda }) => mafalda.loadReport);
    return {
      load: this.load,
      workers: reports.flatMap(({ workers }) => workers),
      hosts: reports.flatMap(({ hosts }) => hosts),
    };
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#nodes.size;
  }

  *[Symbol.iterator](): IterableIterator<MafaldaApi> {
    for (const { mafalda } of this.#nodes) yield mafalda;
  }

  has(node: string | MafaldaApi): boolean {
    return this.#nodes.find(node) !== undefined;
  }

  /**
   * It is used from the next Transport on. A node that is there already is not added again, but is used again if it was being drained,
   * or let rest, and asked again at once if it has refused us.
   * That two URLs lead to the same server turns out when both are connected: then the later one goes again.
   */
  add(node: string | MafaldaApi): this {
    if (this.closed) throw new ClosedError('this MafaldaHorizontal is closed: make another one');
    const existing = this.#nodes.find(node);
    if (existing) {
      existing.draining = false;
      existing.rest.end();
      const { mafalda, refusal } = existing;
      if (refusal && mafalda instanceof RemoteMafaldaClient) mafalda.open();
      return this;
    }
    if (typeof node !== 'string' && typeof node?.createMafaldaRouter !== 'function') {
      throw new TypeError('a node must be a URL, or an object with the API of a Mafalda');
    }
    if (typeof node === 'string')
      this.#nodes.add(new RemoteMafaldaClient(node, this.#clientOptions, this.#instance), true);
    else this.#nodes.add(node, false);
    const added = this.#nodes.find(node);
    // One that is there already has no `connected` to come.
    if (added?.connected) {
      for (const mafaldaRouter of this.mafaldaRouters.values()) mafaldaRouter.nodeCame(added);
      this.#liveness.nodeCame(added);
    }
    return this;
  }

  /**
   * What we have made on the node closes. One that can't hear it is waited for in the background, for its server's `sessionTimeout`.
   * @returns whether it was one of ours
   */
  delete(node: string | MafaldaApi): boolean {
    const found = this.#nodes.find(node);
    if (!found) return false;
    this.#remove(found);
    return true;
  }

  /**
   * Takes a node out of use: nothing new lands there from now on, and what is there stays until whoever made it closes it. The node
   * remains one of ours: {@link delete} closes the rest of it, {@link add} uses it again. Counts what this MafaldaHorizontal sees.
   * @returns what is left when the node is empty, or the deadline has passed, or the draining was ended by `add`, `delete` or `close`
   * @throws {TypeError} if it is not one of ours, or `deadline` is not a time
   */
  async drain(node: string | MafaldaApi, options: DrainOptions = {}): Promise<DrainReport> {
    refuseUnknown('drain()', options, { deadline: true });
    if (options.deadline !== undefined) checkDuration('deadline', options.deadline, 0);
    const found = this.#nodes.findOrThrow(node);
    found.draining = true;
    await untilDrained(found, options.deadline);
    return whatIsLeft(found);
  }

  /** The node on which an object of ours is, such as a Transport or a Consumer, also one that was made with {@link mediasoup}; undefined if it is closed. */
  nodeOf(object: ObjectTypes[keyof ObjectTypes]): MafaldaApi | undefined {
    return ([...this.#nodes].find(({ tree }) => tree.nodeOf(object)) ?? this.mediasoup.nodeOf(object))?.mafalda;
  }

  override async listMafaldaRouters(): Promise<MafaldaRouterState[]> {
    const nodes = [...this.#nodes].filter(({ connected }) => connected);
    const answers = await askNodes(nodes, async ({ mafalda }) => mafalda.listMafaldaRouters());
    const states = new Map(
      [...this.mafaldaRouters.keys()].map(id => [id, { id, holders: [] as MafaldaRouterState['holders'] }]),
    );
    for (const [index, answer] of answers.entries()) {
      for (const { id, holders } of answer ?? []) {
        const state = states.get(id) ?? { id, holders: [] };
        states.set(id, state);
        for (const holder of holders) state.holders.push({ ...holder, node: pathTo(nodes[index]!, holder.node) });
      }
    }
    return [...states.values()];
  }

  /** Of the nodes that answer within some seconds. */
  async getResourceUsages(): Promise<ResourceUsages> {
    const nodes = [...this.#nodes].filter(({ connected }) => connected);
    return Object.assign(
      {},
      ...(await askNodes(nodes, ({ mafalda }) => mafalda.getResourceUsages())),
    ) as ResourceUsages;
  }

  override async dump(): Promise<MafaldaDump> {
    const nodes = [...this.#nodes].map(({ id, connected, unreachable, draining, load, region }) => ({
      id,
      connected,
      unreachable,
      draining,
      load,
      region,
    }));
    const linksDown = this.#nodes.linksDown.map(({ from, to }) => ({ from: from.id, to: to.id }));
    return { ...(await super.dump()), nodes, linksDown };
  }

  protected makeMafaldaRouter(
    options: ResolvedMafaldaRouterOptions,
    given: MafaldaRouterOptions,
  ): HorizontalMafaldaRouter {
    return new HorizontalMafaldaRouter(this.#nodes, options, given);
  }

  protected async release(): Promise<void> {
    const nodes = [...this.#nodes];
    this.#liveness.close();
    this.#nodes.close();
    // All of it begins at once: a process that exits waits for nothing.
    const closing = this.mediasoup.close();
    // To close the MafaldaRouters would close them for everybody.
    const leaving = [...this.mafaldaRouters.values()].map(mafaldaRouter => mafaldaRouter.leave());
    const left = Promise.all(leaving).catch(error => log('%o', error));
    // A node that does not answer is not waited for: then nor is its answer.
    await Promise.all([
      this.#departures.close(),
      ...nodes.filter(({ owned }) => owned).map(({ mafalda }) => mafalda.close()),
    ]);
    await Promise.all([closing, left]);
    for (const node of nodes) this.#nodes.delete(node);
  }

  /** `once(mafalda, 'connected')` rejects with an `error` that comes first, and one node that refuses us must not do that to all. */
  #onNodeError(error: Error): void {
    if (this.#wasSettled) this.reportError(error);
    else this.#earlyErrors.push(error);
  }

  #onSettled(): void {
    this.#wasSettled = true;
    this.safeEmit('connected');
    for (const error of this.#earlyErrors.splice(0)) this.reportError(error);
    if (this.size > 0 && !this.closed && ![...this.#nodes].some(({ connected }) => connected)) this.#reportUnusable();
  }

  /** An application that has waited for `connected` would learn of it from the first call that fails. */
  #reportUnusable(): void {
    const { nobody } = this.#nodes;
    if (!nobody) return;
    if (this.listenerCount('error') > 0) this.reportError(nobody);
    else process.emitWarning(nobody.message, { code: 'MAFALDA_NO_NODE' });
  }

  #onLost(node: ClusterNode): void {
    this.#liveness.nodeGone(node);
    for (const mafaldaRouter of this.mafaldaRouters.values()) mafaldaRouter.nodeLost(node);
  }

  /** What we have made on it closes. */
  #remove(node: ClusterNode): void {
    this.#nodes.delete(node);
    node.lost = true;
    this.#onLost(node);
    for (const mafaldaRouter of this.mafaldaRouters.values()) {
      mafaldaRouter.removeNode(node).catch(error => log('%s: %o', node.id, error));
    }
    this.mediasoup.removeNode(node);
    if (node.owned && node.mafalda instanceof RemoteMafaldaClient) this.#departures.add(node.mafalda);
  }
}
