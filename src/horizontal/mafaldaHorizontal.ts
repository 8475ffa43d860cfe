/** Many Mafaldas as one: the nodes, the MafaldaRouters over them, and the events that tell of both. */
import { randomUUID } from 'node:crypto';
import { RemoteMafaldaClient, type RemoteMafaldaClientOptions } from '../remote/client/index.ts';
import type { MafaldaDump, NodeDump } from '../api/dump.ts';
import { ClosedError } from '../api/errors.ts';
import type { LoadReport } from '../api/load.ts';
import { listen } from '../core/listen.ts';
import { logger } from '../core/logger.ts';
import type { PublicEmitter } from '../core/publicEmitter.ts';
import { MafaldaBase } from '../base/mafaldaBase.ts';
import { ModuleScope, packageScope } from '../base/moduleScope.ts';
import type { FoundRoom, OnSeen, SoughtRoom } from '../base/roomFinder.ts';
import type { HeldRooms } from '../core/heldRooms.ts';
import type { ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import { resolveOptions } from '../api/optionsSchema.ts';
import type {
  MafaldaApi,
  MafaldaRouterOptions,
  MafaldaRouterState,
  MediasoupApi,
  MediasoupObject,
  ResourceUsages,
} from '../api/types.ts';
import type { MafaldaStatistics } from '../api/statistics.ts';
import { ClusterDirectory } from './clusterDirectory.ts';
import type { ClusterNode } from './clusterNode.ts';
import { drainOptions, drainReportOf, untilDrained, type DrainOptions, type DrainReport } from './drain.ts';
import { findRoom } from './findRoom.ts';
import { HorizontalMediasoup } from './horizontalMediasoup.ts';
import { HorizontalMafaldaRouter } from './horizontalMafaldaRouter.ts';
import { Evidence } from './liveness/evidence.ts';
import { Liveness } from './liveness/liveness.ts';
import { askNodes, pathTo } from './askNodes.ts';
import { NodePool, type NodePoolEvents } from './nodePool.ts';
import { nodesAndOptions } from './nodesArgument.ts';
import { stateOf, statisticsOf } from './nodeStates.ts';
import type { PeerRole } from './peerRole.ts';
import { StartReport } from './startReport.ts';
import type { Strategy } from '../placement/strategies.ts';
import {
  horizontalOptions,
  type MafaldaHorizontalEvents,
  type MafaldaHorizontalOptions,
  type WhenFull,
} from './horizontalOptions.ts';

const log = logger('horizontal');

export const scope = new ModuleScope(packageScope);

/**
 * Many Mafaldas as one, remote or local: a Set of nodes with the API of each of them.
 *
 * ```ts
 * import { MafaldaHorizontal } from 'mafalda-horizontal';
 *
 * const mafalda = new MafaldaHorizontal(['wss://media-1:4443', 'wss://media-2:4443'], { token });
 * const room = mafalda.createMafaldaRouter({ id: 'room-1', routerOptions: { mediaCodecs } });
 * const transport = await room.createWebRtcTransport();
 * const consumer = await transport.consume({ producerId, rtpCapabilities }); // wherever the Producer is
 * mafalda.add('wss://media-3:4443');
 * await mafalda.drain('wss://media-1:4443', { deadline: 3_600_000 });
 * mafalda.delete('wss://media-1:4443');
 * ```
 */
export class MafaldaHorizontal<Events extends MafaldaHorizontalEvents = MafaldaHorizontalEvents>
  extends MafaldaBase<HorizontalMafaldaRouter, Events>
  implements MafaldaApi, Iterable<MafaldaApi>
{
  /** mediasoup's module API, whose Workers are on the nodes. */
  readonly mediasoup: MediasoupApi;
  readonly #mediasoup: HorizontalMediasoup;
  /** Events of this class, of which a subclass may have more. */
  readonly #events = this as unknown as PublicEmitter<MafaldaHorizontalEvents>;
  readonly #nodes: NodePool;
  readonly #directory: ClusterDirectory;
  readonly #liveness: Liveness;
  readonly #start = new StartReport({
    onConnected: () => this.#events.safeEmit('connected'),
    unavailability: () => this.#unavailability,
    hasErrorListener: () => this.listenerCount('error') > 0,
    reportError: error => this.reportError(error),
  });
  readonly #clientOptions: RemoteMafaldaClientOptions;
  /** Id of this instance, by which a server recognises a single client behind two of its URLs. */
  readonly #instance = randomUUID();

  /** @throws {TypeError} for an option that can't be used */
  constructor(options: MafaldaHorizontalOptions);
  /**
   * @param nodes URLs of RemoteMafaldaServers, or objects with the Mafalda API
   * @throws {TypeError} for a URL or an option that can't be used
   */
  constructor(nodes?: Iterable<string | MafaldaApi>, options?: MafaldaHorizontalOptions);
  constructor(
    nodesOrOptions: Iterable<string | MafaldaApi> | MafaldaHorizontalOptions = [],
    givenOptions: MafaldaHorizontalOptions = {},
  ) {
    super(scope);
    const [nodes, options] = nodesAndOptions(nodesOrOptions, givenOptions);
    const { strategy, watermarkNode, nodeTimeout, directory, ...clientOptions } = resolveOptions(
      'MafaldaHorizontal',
      horizontalOptions,
      options,
    );
    this.#clientOptions = clientOptions;
    this.#nodes = new NodePool(strategy, watermarkNode);
    this.#mediasoup = new HorizontalMediasoup(this.#nodes);
    this.mediasoup = this.#mediasoup;
    this.tree.include(this.#mediasoup.tree);
    const now = (): number => performance.now();
    this.#liveness = new Liveness({
      nodes: this.#nodes,
      evidence: new Evidence(this.#nodes.links, now),
      timeout: nodeTimeout,
      now,
      onUnreachable: ({ mafalda }) => this.#events.safeEmit('nodeunreachable', mafalda),
      onReachable: ({ mafalda }) => this.#events.safeEmit('nodereachable', mafalda),
    });
    listen<Omit<NodePoolEvents, 'added' | 'removed'>>(this.#nodes, {
      connected: node => {
        for (const mafaldaRouter of this.own.values()) mafaldaRouter.nodeConnected(node);
        this.#events.safeEmit('nodeconnected', node.mafalda);
        this.#liveness.nodeConnected(node);
      },
      lost: node => this.#onLost(node),
      disconnected: ({ mafalda }, reason) => this.#events.safeEmit('nodedisconnected', mafalda, reason),
      linkdown: ({ from, to }) => this.#events.safeEmit('linkdown', { from: from.mafalda, to: to.mafalda }),
      linkup: ({ from, to }) => this.#events.safeEmit('linkup', { from: from.mafalda, to: to.mafalda }),
      load: ({ mafalda }, load) => this.#events.safeEmit('nodeload', mafalda, load),
      failing: ({ mafalda }, error) => this.#events.safeEmit('nodefailing', mafalda, error),
      draining: ({ mafalda }) => this.#events.safeEmit('nodedraining', mafalda),
      connecterror: failure => this.#events.safeEmit('connecterror', failure),
      error: error => this.#start.error(error),
      unfit: node => this.#remove(node),
      settled: () => this.#start.settled(),
    });
    this.#directory = new ClusterDirectory({
      nodes: this.#nodes,
      given: directory,
      makeClient: url => new RemoteMafaldaClient(url, clientOptions, this.#instance, false),
      remove: node => this.#remove(node),
      onError: error => this.#start.error(error),
      now,
    });
    this.#nodes.on('added', node => {
      for (const mafaldaRouter of this.own.values()) mafaldaRouter.nodeAdded(node);
    });
    try {
      for (const node of nodes) this.add(node);
    } catch (error) {
      // The clients of the nodes before the failed node close here: no caller has a reference to close them by.
      this.#directory.close();
      for (const { owned, mafalda } of this.#nodes)
        if (owned) mafalda.close().catch(closing => log.warn('%o', closing));
      throw error;
    }
    // `connected` is emitted even if there is nothing to wait for, so that its listeners don't wait in vain.
    if (this.#nodes.settled) setImmediate(() => this.#start.settled());
  }

  /**
   * Strategy that chooses the nodes for new objects.
   * @throws {TypeError} when set to anything but a function
   */
  get strategy(): Strategy {
    return this.#nodes.strategy;
  }

  set strategy(strategy: Strategy) {
    if (typeof strategy !== 'function') throw new TypeError('strategy must be a function');
    this.#nodes.strategy = strategy;
  }

  /** Load of a node, in percent, from which on it gets nothing new while another node has room. */
  get watermarkNode(): number {
    return this.#nodes.watermark;
  }

  /**
   * Function that is asked when a call finds no node with room; undefined if such a call takes what there is, which is
   * the default. An Autoscaler sets it.
   */
  get whenFull(): WhenFull | undefined {
    return this.#nodes.whenFull;
  }

  set whenFull(whenFull: WhenFull | undefined) {
    this.#nodes.whenFull = whenFull;
  }

  /** Whether all nodes are on this machine, as far as is known. */
  get local(): boolean {
    return [...this.#nodes].every(({ mafalda }) => mafalda.local !== false);
  }

  /** Mean load of the nodes, in percent. */
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

  /** Counts of decisions since the start, and the present states of the nodes and of the directory. */
  get statistics(): MafaldaStatistics {
    const { placements, pipes, refusals, linksDown } = this.#nodes;
    const { statistics: directory } = this.#directory;
    return {
      placements: placements.counts,
      pipes: pipes.counts,
      diedWorkers: 0,
      refusals,
      nodes: [...this.#nodes].map(statisticsOf),
      linksDown: linksDown.length,
      ...(directory && { directory }),
    };
  }

  /** Number of nodes. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Iterates over the nodes. */
  *[Symbol.iterator](): IterableIterator<MafaldaApi> {
    for (const { mafalda } of this.#nodes) yield mafalda;
  }

  /** Returns whether a node is in the Set, given its id, its URL or the node itself. */
  has(node: string | MafaldaApi): boolean {
    return this.#nodes.find(node) !== undefined;
  }

  /** Returns the state of a node, given its id, one of its URLs or the node itself; undefined if it is not in the Set. */
  stateOf(node: string | MafaldaApi): NodeDump | undefined {
    const found = this.#nodes.find(node);
    return found && stateOf(found);
  }

  /**
   * Adds a node, which is used from the next Transport on. A node that is in the Set already is used again if it was
   * being drained or let rest, and is asked again at once if it has refused this client. Two URLs of the same server
   * are detected when both are connected: then the later node is removed again.
   * @throws {ClosedError} if this MafaldaHorizontal is closed
   * @throws {TypeError} if the argument is neither a usable URL nor a Mafalda
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
    if (typeof node === 'string' && this.#directory.takeIn(node)) return this;
    if (typeof node !== 'string' && typeof node?.createMafaldaRouter !== 'function') {
      throw new TypeError('a node must be a URL, or an object with the API of a Mafalda');
    }
    if (typeof node === 'string')
      this.#nodes.add(new RemoteMafaldaClient(node, this.#clientOptions, this.#instance), true);
    else this.#nodes.add(node, false);
    const added = this.#nodes.find(node);
    // A node that is connected already emits no further `connected`.
    if (added?.connected) {
      for (const mafaldaRouter of this.own.values()) mafaldaRouter.nodeConnected(added);
      this.#liveness.nodeConnected(added);
    }
    return this;
  }

  /**
   * Removes a node, and closes the objects that this MafaldaHorizontal has made on it. A node that can't hear it is told
   * in the background, as soon as it is in reach.
   * @returns whether it was a node of this MafaldaHorizontal
   */
  delete(node: string | MafaldaApi): boolean {
    const found = this.#nodes.find(node);
    if (!found) return false;
    this.#directory.keepOut(found);
    this.#remove(found);
    return true;
  }

  /** Removes a node as {@link delete} does, and closes the links to it, also those that others use. */
  protected expel(node: string): void {
    const found = this.#nodes.find(node);
    if (found) found.expelled = true;
    this.delete(node);
  }

  /**
   * Takes a node out of use: it gets nothing new from now on, and its objects stay until their makers close them. The
   * node stays in the Set: {@link delete} closes the rest of its objects, {@link add} uses it again. Counts the objects
   * that this MafaldaHorizontal sees.
   * @returns the remaining objects when the node is empty, or the deadline has passed, or the draining was ended by
   * `add`, `delete` or `close`
   * @throws {TypeError} if it is not a node of this MafaldaHorizontal, or `deadline` is not a duration
   */
  async drain(node: string | MafaldaApi, options: DrainOptions = {}): Promise<DrainReport> {
    const { deadline } = resolveOptions('drain()', drainOptions, options);
    const found = this.#nodes.findOrThrow(node);
    found.draining = true;
    await untilDrained(found, deadline);
    return drainReportOf(found);
  }

  /**
   * Returns the node of an object of this MafaldaHorizontal, such as a Transport or a Consumer, also if it was made
   * with {@link mediasoup}; undefined if the object is closed.
   */
  nodeOf(object: MediasoupObject): MafaldaApi | undefined {
    return ([...this.#nodes].find(({ tree }) => tree.nodeOf(object)) ?? this.#mediasoup.nodeOf(object))?.mafalda;
  }

  /** @internal */
  override async findMafaldaRouter(
    options: SoughtRoom,
    ask: boolean,
    onSeen: OnSeen,
  ): Promise<FoundRoom<HorizontalMafaldaRouter>> {
    const { mafaldaRouter } = await super.findMafaldaRouter(options, ask, onSeen);
    if (!mafaldaRouter) return findRoom(this, { options, ask, nodes: this.#nodes, directory: this.#directory });
    if (!ask) await mafaldaRouter.attached();
    return { mafaldaRouter, isComplete: ask ? await mafaldaRouter.attach() : true };
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

  /** Resolves with the usages of the nodes that answer within some seconds. */
  async getResourceUsages(): Promise<ResourceUsages> {
    const nodes = [...this.#nodes].filter(({ connected }) => connected);
    return Object.assign(
      {},
      ...(await askNodes(nodes, ({ mafalda }) => mafalda.getResourceUsages())),
    ) as ResourceUsages;
  }

  override async dump(): Promise<MafaldaDump> {
    const nodes = [...this.#nodes].map(stateOf);
    const linksDown = this.#nodes.linksDown.map(({ from, to }) => ({ from: from.id, to: to.id }));
    return { ...(await super.dump()), nodes, linksDown };
  }

  /** Role of this process among others that use its nodes; undefined if it only uses nodes. */
  protected get peer(): PeerRole | undefined {
    return undefined;
  }

  protected makeMafaldaRouter(
    options: ResolvedMafaldaRouterOptions,
    given: MafaldaRouterOptions,
  ): HorizontalMafaldaRouter {
    return new HorizontalMafaldaRouter(this.#nodes, this.#directory, options, given, this.peer);
  }

  protected override followRooms(): HeldRooms {
    return this.#directory.heldRooms;
  }

  protected async release(): Promise<void> {
    const nodes = [...this.#nodes];
    this.#liveness.close();
    this.#nodes.close();
    this.#directory.close();
    // All goodbyes begin at once: a process that exits waits for nothing.
    const closing = this.#mediasoup.close();
    // The MafaldaRouters are left, not closed, since closing them would close them for all of their users.
    const leaving = [...this.own.values()].map(mafaldaRouter => mafaldaRouter.leave());
    const left = Promise.all(leaving).catch(error => log.warn('%o', error));
    // The answers of `leave()` are awaited only after the clients have closed, which ends the calls to silent nodes.
    await Promise.all(nodes.filter(({ owned }) => owned).map(({ mafalda }) => mafalda.close()));
    await Promise.all([closing, left]);
    for (const node of nodes) this.#nodes.delete(node);
  }

  /** Reason why no node can be used; undefined if one can, or there is none. */
  get #unavailability(): Error | undefined {
    const hasNone = this.size > 0 && !this.closed && ![...this.#nodes].some(({ connected }) => connected);
    return hasNone ? this.#nodes.unavailability : undefined;
  }

  #onLost(node: ClusterNode): void {
    this.#liveness.unwatch(node);
    for (const mafaldaRouter of this.own.values()) mafaldaRouter.nodeLost(node);
  }

  /** Removes a node, and closes the objects that this controller has made on it. */
  #remove(node: ClusterNode): void {
    this.#nodes.delete(node);
    node.lost = true;
    this.#onLost(node);
    for (const mafaldaRouter of this.own.values()) {
      mafaldaRouter.removeNode(node).catch(error => log.warn('%s: %o', node.id, error));
    }
    this.#mediasoup.removeNode(node);
    if (node.owned) node.mafalda.close().catch(error => log.warn('%s: %o', node.id, error));
  }
}
