/** The nodes of a MafaldaHorizontal: which there are, which can be used, and which is used next. */
import { randomInt } from 'node:crypto';
import { version } from 'mediasoup';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { MafaldaApi } from '../shared/types.ts';
import { ClusterNode, type NodeEvents } from './clusterNode.ts';
import { checkPlacement, type Placement } from './placement.ts';
import type { NodeState, Strategy } from './strategies.ts';

/** Whom a node is chosen for. */
export interface PoolRequest {
  readonly mafaldaRouterId: string;
  readonly isUsed: (node: ClusterNode) => boolean;
  /** How many of these streams each node has; nodes without any may be missing. */
  readonly countStreams: (ids: readonly string[]) => ReadonlyMap<ClusterNode, number>;
}

export type NodePoolEvents = {
  connected: [node: ClusterNode];
  disconnected: [node: ClusterNode, reason: string];
  load: [node: ClusterNode, load: number];
  error: [error: Error];
  /** It turned out that it can't stay. */
  unfit: [node: ClusterNode];
  /** Every node has answered, or can't be reached at present. */
  settled: [];
};

/** A node that has not answered in this time is not waited for; it is used as soon as it answers. */
const CONNECT_TIMEOUT_MS = 3000;

export class NodePool extends EnhancedEventEmitter<NodePoolEvents> {
  strategy: Strategy;
  readonly watermark: number;
  readonly #nodes = new Map<MafaldaApi, ClusterNode>();
  readonly #removers = new Map<ClusterNode, () => void>();
  readonly #now: () => number;
  #wasSettled = false;
  /** Begins anywhere, so that several controllers don't make the same choices at the same time. */
  #seed = randomInt(2 ** 32);

  /** @param now milliseconds, from any moment on */
  constructor(strategy: Strategy, watermark: number, now: () => number = () => performance.now()) {
    super();
    this.strategy = strategy;
    this.watermark = watermark;
    this.#now = now;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get settled(): boolean {
    return [...this.#nodes.values()].every(({ settled }) => settled);
  }

  [Symbol.iterator](): MapIterator<ClusterNode> {
    return this.#nodes.values();
  }

  /** @param node an id, a URL, or the node itself */
  find(node: string | MafaldaApi): ClusterNode | undefined {
    if (typeof node !== 'string') {
      const { url } = node as { url?: string };
      return this.#nodes.get(node) ?? (url === undefined ? undefined : this.find(url));
    }
    return [...this.#nodes.values()].find(({ id, url, aliases }) => id === node || url === node || aliases.has(node));
  }

  /** @throws {TypeError} if there is no such node */
  findOrThrow(wanted: string | MafaldaApi): ClusterNode {
    const node = this.find(wanted);
    if (node) return node;
    const name = typeof wanted === 'string' ? `"${wanted}"` : 'that is asked for';
    throw new TypeError(`the node ${name} is not one of this MafaldaHorizontal's`);
  }

  add(mafalda: MafaldaApi, owned: boolean): void {
    const node = new ClusterNode(mafalda, owned, this.#now);
    this.#nodes.set(mafalda, node);
    const timeout = setTimeout(() => settle(), CONNECT_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timeout);
      if (node.settled) return;
      node.settled = true;
      this.#tellIfSettled();
    };
    const stop = listen(node.events, {
      connected: () => {
        node.connected = true;
        node.trouble = undefined;
        if (!this.#isFit(node)) return;
        this.emit('connected', node);
        settle();
      },
      disconnected: reason => {
        node.connected = false;
        this.emit('disconnected', node, reason);
      },
      load: load => {
        node.reported();
        this.emit('load', node, load);
      },
      error: error => {
        node.trouble = error;
        settle();
        this.emit('error', error);
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

  delete(node: ClusterNode): boolean {
    this.#removers.get(node)?.();
    this.#removers.delete(node);
    // Nobody has to wait any longer for it to be empty.
    node.draining = false;
    const deleted = this.#nodes.delete(node.mafalda);
    if (deleted && !node.settled) this.#tellIfSettled();
    return deleted;
  }

  /**
   * Creates something on the node that is chosen for it. Waits for nodes that are being connected; then the choice is made, and
   * counted, at once, so that a burst of calls sees itself.
   * @throws {Error} if no node can be used, or the one that is asked for can't
   */
  async place<T>(request: PoolRequest, placement: Placement = {}, create: (node: ClusterNode) => Promise<T>): Promise<T> {
    checkPlacement(placement);
    await this.whenSettled();
    const node = this.choose(request, placement);
    const settle = node.reserve();
    let created = false;
    try {
      const result = await create(node);
      created = true;
      return result;
    } finally {
      settle(created);
    }
  }

  /** The node for what is created next, by what is known now. */
  choose(request: PoolRequest, placement: Placement = {}): ClusterNode {
    return placement.node === undefined ? this.#byStrategy(request, placement) : this.#bound(placement.node);
  }

  /** Any node that can be asked something, rather one that is used already, and will be. */
  async any({ isUsed }: PoolRequest): Promise<ClusterNode> {
    await this.whenSettled();
    const connected = [...this.#nodes.values()].filter(node => node.connected);
    if (connected.length === 0) throw this.#nobody();
    const staying = connected.filter(({ draining }) => !draining);
    return staying.find(isUsed) ?? staying[0] ?? connected.find(isUsed) ?? connected[0]!;
  }

  /** Of the nodes that take something new, the one for which this figure is smallest. */
  emptiest(figure: (node: ClusterNode) => number): ClusterNode {
    const nodes = [...this.#nodes.values()].filter(({ connected, draining }) => connected && !draining);
    if (nodes.length === 0) throw this.#nobody();
    return nodes.reduce((best, node) => (figure(node) < figure(best) ? node : best));
  }

  #byStrategy({ mafaldaRouterId, isUsed, countStreams }: PoolRequest, { region: wished, near }: Placement): ClusterNode {
    const streams = near && countStreams(near);
    // Filled in one go: there may be a thousand of them, for each decision.
    const candidates: ClusterNode[] = [];
    const states: NodeState[] = [];
    for (const node of this.#nodes.values()) {
      if (!node.connected || node.draining) continue;
      candidates.push(node);
      const { id, load, placed, region, labels } = node;
      states.push({ id, load, placed, hasRouter: isUsed(node), region, labels, near: streams?.get(node) ?? 0 });
    }
    if (candidates.length === 0) throw this.#nobody();
    this.#seed = (this.#seed + 1) % 2 ** 32;
    const choice = this.strategy(states, { mafaldaRouterId, watermark: this.watermark, region: wished, near, seed: this.#seed });
    const node = choice && candidates[states.indexOf(choice)];
    if (!node) throw new TypeError('the strategy must return one of its candidates');
    return node;
  }

  /** Why nothing can be created. */
  #nobody(): Error {
    const none = `none of the ${this.size} nodes`;
    const isAnyConnected = [...this.#nodes.values()].some(({ connected }) => connected);
    return new Error(isAnyConnected ? `${none} takes anything new: those that are connected are being drained` : `${none} is connected`);
  }

  /** What a node that is connected must be, beside connected. */
  #isFit(node: ClusterNode): boolean {
    const { serverId, url, id, mafalda } = node;
    const major = majorOf(mafalda.mediasoup.version);
    if (major !== majorOf(version)) {
      this.emit('error', new Error(`${id} has mediasoup ${mafalda.mediasoup.version}, and this is ${version}: pipes between major versions don't work`));
      this.emit('unfit', node);
      return false;
    }
    // Only this one can be the later one: the other one is in use.
    const twin = serverId !== undefined && [...this.#nodes.values()].find(other => other !== node && other.serverId === serverId);
    if (!twin) return true;
    if (url !== undefined) twin.aliases.add(url);
    this.emit('unfit', node);
    return false;
  }

  #tellIfSettled(): void {
    if (!this.settled) return;
    this.#wasSettled = true;
    this.emit('settled');
  }

  /** Resolves when every node has answered, or can't be reached at present. */
  async whenSettled(): Promise<void> {
    const { settled } = this;
    this.#wasSettled ||= settled;
    // Once there are nodes to use, one that is added later and can't be reached holds up nobody.
    if (settled || (this.#wasSettled && [...this.#nodes.values()].some(({ connected }) => connected))) return;
    await new Promise<void>(resolve => this.once('settled', resolve));
  }

  /** The node that a call is bound to. */
  #bound(wanted: string | MafaldaApi): ClusterNode {
    const node = this.findOrThrow(wanted);
    if (!node.connected) throw new Error(`the node "${node.id}" is not connected`);
    if (node.draining) throw new Error(`the node "${node.id}" is being drained`);
    return node;
  }
}

type Listeners = { [Name in keyof NodeEvents]: (...args: NodeEvents[Name]) => void };

/** @returns how to stop it */
function listen(events: EnhancedEventEmitter<NodeEvents>, listeners: Listeners): () => void {
  // The compiler can't see that each name comes with its own listener.
  const pairs = Object.entries(listeners) as ['load', (load: number) => void][];
  for (const [name, listener] of pairs) events.on(name, listener);
  return () => {
    for (const [name, listener] of pairs) events.off(name, listener);
  };
}

function majorOf(semver: string): string {
  return semver.split('.')[0]!;
}
