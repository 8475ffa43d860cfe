/** The nodes of a MafaldaHorizontal: they come and go, and objects are placed on them. */
import { version } from 'mediasoup';
import { EventEmitter } from 'eventemitter3';
import { IncompatibleError, NodeFullError, NodeUnavailableError } from '../api/errors.ts';
import type { ConnectFailure } from '../remote/client/index.ts';
import type { MafaldaApi } from '../api/types.ts';
import { Attempts, type Tried } from './attempts.ts';
import { ClusterNode, type NodeEvents } from './clusterNode.ts';
import { Decisions } from '../core/decisions.ts';
import { listen } from '../core/listen.ts';
import { isClosable } from '../core/onceClosed.ts';
import { NodeChoice, type PoolRequest } from './nodeChoice.ts';
import { NodeNames } from './nodeNames.ts';
import type { PipeReason, PlacementReason } from '../api/statistics.ts';
import { LinkTable } from './reachability/linkTable.ts';
import { probe } from './reachability/probe.ts';
import { Reachability, type DownLink } from './reachability/reachability.ts';
import { checkPlacement, type Placement } from '../api/placement.ts';
import { noNodeError, unavailabilityOf } from './unavailability.ts';
import type { WhenFull } from './horizontalOptions.ts';
import { Settling } from './settling.ts';
import type { Strategy } from '../placement/strategies.ts';

export type NodePoolEvents = {
  added: [node: ClusterNode];
  removed: [node: ClusterNode];
  connected: [node: ClusterNode];
  disconnected: [node: ClusterNode, reason: string];
  /** Emitted when the objects of a node are about to close here. */
  lost: [node: ClusterNode];
  load: [node: ClusterNode, load: number];
  linkdown: [link: DownLink];
  linkup: [link: DownLink];
  error: [error: Error];
  connecterror: [failure: ConnectFailure];
  /** Emitted when a node can't do its work, and is let rest. Emitted once, until the node is well again. */
  failing: [node: ClusterNode, error: Error];
  /** Emitted when the draining of a node begins, whoever drains it. */
  draining: [node: ClusterNode];
  /** Emitted when it turns out that a node can't stay. */
  unfit: [node: ClusterNode];
  /** Emitted when every node has answered, or can't be reached at present. */
  settled: [];
};

/** Limit for a node's first answer, in ms: a slower node is not waited for, and is used as soon as it answers. */
const CONNECT_TIMEOUT_MS = 3000;

export class NodePool extends EventEmitter<NodePoolEvents> {
  /** Placements on the nodes. */
  readonly placements = new Decisions<PlacementReason>('placement');
  /** Pipes between the nodes. */
  readonly pipes = new Decisions<PipeReason>('piping');
  /** Is asked when no node has room: see {@link WhenFull}. */
  whenFull: WhenFull | undefined;
  /** Links between the nodes. */
  readonly links = new LinkTable<ClusterNode>();
  readonly #reachability = new Reachability({
    links: this.links,
    probe: ({ mafalda }, { mafalda: other }, signal) => probe([mafalda, other], signal),
    onDown: link => this.emit('linkdown', link),
    onUp: link => this.emit('linkup', link),
  });
  readonly #nodes = new Map<MafaldaApi, ClusterNode>();
  readonly #names = new NodeNames(() => this);
  readonly #choice: NodeChoice;
  readonly #settling = new Settling(() => this.emit('settled'));
  readonly #removers = new Map<ClusterNode, () => void>();
  readonly #now: () => number;
  readonly #attempts: Attempts;

  /** @param now returns milliseconds, from any moment on */
  constructor(strategy: Strategy, watermark: number, now: () => number = () => performance.now()) {
    super();
    this.#choice = new NodeChoice(() => this, strategy, watermark);
    this.#now = now;
    const isHere = (node: ClusterNode): boolean =>
      node.connected && !node.mafalda.closed && this.#nodes.get(node.mafalda) === node;
    this.#attempts = new Attempts({ isHere, onFailing: (node, error) => void this.emit('failing', node, error) }, now);
  }

  /** Strategy that chooses the nodes for new objects. */
  get strategy(): Strategy {
    return this.#choice.strategy;
  }

  set strategy(strategy: Strategy) {
    this.#choice.strategy = strategy;
  }

  /** Load of a node, in percent, from which on it gets nothing new while another node has room. */
  get watermark(): number {
    return this.#choice.watermark;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get settled(): boolean {
    return this.#settling.isOver;
  }

  [Symbol.iterator](): MapIterator<ClusterNode> {
    return this.#nodes.values();
  }

  /** Links between nodes over which media does not get through. */
  get linksDown(): readonly DownLink[] {
    return this.#reachability.down;
  }

  /** Returns whether media gets through between two nodes, as far as is known. */
  reach(one: ClusterNode, other: ClusterNode): boolean {
    return !this.#reachability.isDown(one, other);
  }

  /** Stops watching the links. */
  close(): void {
    this.#reachability.close();
  }

  has(node: ClusterNode): boolean {
    return this.#nodes.get(node.mafalda) === node;
  }

  /**
   * Returns a node of this pool.
   * @param node an id, a URL, or the node itself
   */
  find(node: string | MafaldaApi): ClusterNode | undefined {
    if (typeof node !== 'string') {
      const { url } = node as { url?: string };
      return this.#nodes.get(node) ?? (url === undefined ? undefined : this.find(url));
    }
    return this.#names.find(node);
  }

  /**
   * Returns a node of this pool.
   * @throws {TypeError} if there is no such node
   */
  findOrThrow(wanted: string | MafaldaApi): ClusterNode {
    const node = this.find(wanted);
    if (node) return node;
    const name = typeof wanted === 'string' ? `"${wanted}"` : 'that is asked for';
    throw new TypeError(`the node ${name} is not one of this MafaldaHorizontal's`);
  }

  /** Returns whether a node of this pool is this server, by any URL. */
  hasServer(serverId: string): boolean {
    return [...this.#nodes.values()].some(node => node.serverId === serverId);
  }

  add(mafalda: MafaldaApi, owned: boolean): void {
    this.include(new ClusterNode(mafalda, owned, this.#now));
  }

  include(node: ClusterNode): void {
    this.#nodes.set(node.mafalda, node);
    this.#names.add(node);
    if (!node.settled) this.#settling.add(node);
    this.links.watch(node);
    node.on('draining', () => this.emit('draining', node));
    this.emit('added', node);
    const timeout = setTimeout(() => settle(), CONNECT_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timeout);
      if (node.settled) return;
      node.settled = true;
      this.#settling.done(node);
    };
    const stop = listen<NodeEvents>(node.events, {
      connected: () => {
        node.markConnected();
        node.lost = node.dead = false;
        if (!this.#isFit(node)) return;
        this.emit('connected', node);
        settle();
      },
      disconnected: reason => {
        node.connected = false;
        node.markUnavailable(
          new NodeUnavailableError(`${node.id}: the connection was lost (${reason})`, { node: node.id }),
        );
        this.emit('disconnected', node, reason);
      },
      load: load => {
        node.markReported();
        this.emit('load', node, load);
      },
      lost: () => {
        node.lost = true;
        this.emit('lost', node);
      },
      error: error => {
        node.markUnavailable(error);
        this.emit('error', error);
        settle();
      },
      connecterror: failure => {
        node.markUnavailable(failure.error);
        this.emit('connecterror', failure);
      },
      close: () => void this.delete(node),
    });
    if (node.settled) clearTimeout(timeout);
    this.#removers.set(node, () => {
      clearTimeout(timeout);
      stop();
    });
    if (node.connected) this.#isFit(node);
  }

  /** Counts as settled only when the promise has resolved, or a node would have had to answer. */
  settleAfter(promise: Promise<void>): void {
    this.#settling.after(promise, CONNECT_TIMEOUT_MS);
  }

  delete(node: ClusterNode): boolean {
    this.#removers.get(node)?.();
    this.#removers.delete(node);
    // Ends the wait of `drain()` for this node.
    node.draining = false;
    const deleted = this.#nodes.delete(node.mafalda);
    this.#names.delete(node);
    this.links.unwatch(node);
    this.#reachability.forget(node);
    if (deleted) this.emit('removed', node);
    this.#settling.done(node);
    return deleted;
  }

  /**
   * Creates an object on the node that is chosen for it, or on another node if that node can't. Waits for nodes that
   * are being connected; then the choice is made, and counted, at once, so that a burst of calls is spread by its own
   * load.
   * @throws {NodeUnavailableError} if no node can be used, or the requested node can't
   * @throws {NodeDrainingError} if the requested node, or every connected node, is being drained
   * @throws {NodeFullError} if the requested node, or each that was asked, takes nothing new for its load
   */
  async place<T>(
    request: PoolRequest,
    placement: Placement = {},
    create: (node: ClusterNode) => Promise<T>,
  ): Promise<T> {
    checkPlacement(placement);
    const startedAt = this.#now();
    const room = request.mafaldaRouterId;
    await this.whenSettled();
    let reason: PlacementReason = 'bound';
    const createCounted = async (node: ClusterNode): Promise<T> => {
      const settle = node.reserve();
      const createdFor = reason;
      try {
        if (!node.connected) await node.open();
        const created = await create(node);
        const ms = Math.round(this.#now() - startedAt);
        this.placements.note(createdFor, { room, node: node.id, ms });
        settle(true, isClosable(created) ? created : undefined);
        return created;
      } catch (error) {
        settle(false);
        throw error;
      }
    };
    const choose = (tried: Tried): ClusterNode | undefined => {
      request.assertOpen();
      const choice = this.#choice.byStrategy(request, placement, tried);
      reason = choice?.reason ?? reason;
      return choice?.node;
    };
    if (placement.node === undefined)
      return this.#placeWithRoom(placement, () => this.attempt(choose, createCounted, room));
    request.assertOpen();
    return this.#attempts.ask(this.#boundNode(placement.node), createCounted, room);
  }

  /** Places an object when a node has room, or there is no room to wait for. */
  async #placeWithRoom<T>({ region }: Placement, place: () => Promise<T>): Promise<T> {
    const since = this.#now();
    for (;;) {
      // Nothing is awaited between finding room and the choice: each of many waiting calls sees what the last has taken.
      while (!this.#choice.hasRoom) if (!(await this.#maybeLater(since, region))) break;
      try {
        return await place();
      } catch (error) {
        if (!(error instanceof NodeFullError) || !(await this.#maybeLater(since, region))) throw error;
      }
    }
  }

  /** Resolves when a node can be used, or there is nothing to wait for. */
  async whenUsable(): Promise<void> {
    await this.whenSettled();
    const since = this.#now();
    while (![...this.#nodes.values()].some(({ isUsable }) => isUsable)) if (!(await this.#maybeLater(since))) break;
  }

  /** Asks nodes in turn, until a node succeeds: see {@link Attempts}. */
  attempt<T>(
    choose: (tried: Tried) => ClusterNode | undefined,
    ask: (node: ClusterNode) => Promise<T>,
    room?: string,
  ): Promise<T> {
    return this.#attempts.untilDone(choose, ask, { room, noCandidate: () => noNodeError([...this.#nodes.values()]) });
  }

  /** Returns the node for the next object, by the present state of the nodes. */
  choose(request: PoolRequest, placement: Placement = {}): ClusterNode {
    if (placement.node !== undefined) return this.#boundNode(placement.node);
    const choice = this.#choice.byStrategy(request, placement);
    if (!choice) throw noNodeError([...this.#nodes.values()]);
    return choice.node;
  }

  /** Returns a node that can answer a question: rather a node that is connected, in use already, and will be. */
  pickUsable(request: PoolRequest, tried?: Tried): ClusterNode | undefined {
    return this.#choice.pickUsable(request, tried);
  }

  /** Returns the node with the smallest figure, of the nodes that take new objects. */
  emptiest(figure: (node: ClusterNode) => number, tried?: Tried): ClusterNode | undefined {
    return this.#choice.emptiest(figure, tried);
  }

  /**
   * Asks {@link whenFull} on behalf of a call.
   * @returns whether the call should look again
   */
  async #maybeLater(since: number, region?: string): Promise<boolean> {
    const call = { ...(region === undefined ? {} : { region }), waited: this.#now() - since };
    return (await this.whenFull?.(call)) ?? false;
  }

  /** Numbers of attempts that nodes have failed, by the error's class. */
  get refusals(): Partial<Record<string, number>> {
    return this.#attempts.refusals.counts;
  }

  /** Error that explains why no node takes new objects; undefined if a node does. */
  get unavailability(): Error | undefined {
    return this.#choice.hasCandidates ? undefined : noNodeError([...this.#nodes.values()]);
  }

  /** Checks whether a connected node can stay, by its version of mediasoup and the identity of its server. */
  #isFit(node: ClusterNode): boolean {
    const { serverId, url, id, mafalda } = node;
    const major = majorOf(mafalda.mediasoup.version);
    if (major !== majorOf(version)) {
      this.emit(
        'error',
        new IncompatibleError(
          `${id} has mediasoup ${mafalda.mediasoup.version}, and this is ${version}: pipes between major versions don't work`,
        ),
      );
      this.emit('unfit', node);
      return false;
    }
    // Only this node can be the later of the two: the other node is in use.
    const duplicate =
      serverId !== undefined && [...this.#nodes.values()].find(other => other !== node && other.serverId === serverId);
    if (!duplicate) return true;
    if (url !== undefined) this.#names.addAlias(duplicate, url);
    this.emit('unfit', node);
    return false;
  }

  /** Resolves when every node has answered, or can't be reached at present. */
  async whenSettled(): Promise<void> {
    // Once there are nodes to use, an unreachable node that is added later delays no call.
    await this.#settling.untilOver(() => [...this.#nodes.values()].some(({ isUsable }) => isUsable));
  }

  /**
   * Returns the node that a call is bound to.
   * @throws {NodeUnavailableError} if the node is not connected
   * @throws {NodeDrainingError} if it is being drained
   */
  #boundNode(wanted: string | MafaldaApi): ClusterNode {
    const node = this.findOrThrow(wanted);
    const reason = unavailabilityOf(node);
    if (reason) throw reason;
    return node;
  }
}

function majorOf(semver: string): string {
  return semver.split('.')[0]!;
}
