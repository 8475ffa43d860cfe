/** The nodes of a MafaldaHorizontal: which there are, which can be used, and which is used next. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { MafaldaApi } from '../shared/types.ts';
import { refuseUnknown } from '../shared/options.ts';
import { ClusterNode, type NodeEvents } from './clusterNode.ts';
import type { NodeState, Strategy } from './strategies.ts';

/** Where something is to be created. */
export interface Placement {
  /** A node's id, its URL or the node itself. Binding. */
  node?: string | MafaldaApi;
}

/** Whom a node is chosen for. */
export interface PoolRequest {
  readonly mafaldaRouterId: string;
  readonly isUsed: (node: ClusterNode) => boolean;
}

export type NodePoolEvents = {
  connected: [node: ClusterNode];
  disconnected: [node: ClusterNode, reason: string];
  load: [node: ClusterNode, load: number];
  error: [error: Error];
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
  #wasSettled = false;

  constructor(strategy: Strategy, watermark: number) {
    super();
    this.strategy = strategy;
    this.watermark = watermark;
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
    return [...this.#nodes.values()].find(({ id, url }) => id === node || url === node);
  }

  add(mafalda: MafaldaApi, owned: boolean): void {
    const node = new ClusterNode(mafalda, owned);
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
        this.emit('error', error);
        settle();
      },
      close: () => void this.delete(node),
    });
    if (node.settled) clearTimeout(timeout);
    this.#removers.set(node, () => {
      clearTimeout(timeout);
      stop();
    });
  }

  delete(node: ClusterNode): boolean {
    this.#removers.get(node)?.();
    this.#removers.delete(node);
    const deleted = this.#nodes.delete(node.mafalda);
    if (deleted && !node.settled) this.#tellIfSettled();
    return deleted;
  }

  /**
   * The node for what is created next. Waits for nodes that are being connected; then the choice is made, and counted, at
   * once, so that a burst of calls sees itself.
   * @throws {Error} if no node is connected, or the one that is asked for isn't
   */
  async choose(request: PoolRequest, placement: Placement = {}): Promise<ClusterNode> {
    refuseUnknown('placement', placement, ['node']);
    await this.whenSettled();
    const node = placement.node === undefined ? this.#byStrategy(request) : this.#connectedNode(placement.node);
    node.reserve();
    return node;
  }

  /** The connected node for which this figure is smallest. */
  emptiest(figure: (node: ClusterNode) => number): ClusterNode {
    return this.#connected().reduce((best, node) => (figure(node) < figure(best) ? node : best));
  }

  /** @throws {Error} if no node is connected */
  anyConnected(): ClusterNode {
    return this.#connected()[0]!;
  }

  /** Any node that can be asked something, rather one that is used already. */
  async any({ isUsed }: PoolRequest): Promise<ClusterNode> {
    await this.whenSettled();
    const candidates = this.#connected();
    return candidates.find(isUsed) ?? candidates[0]!;
  }

  #byStrategy({ mafaldaRouterId, isUsed }: PoolRequest): ClusterNode {
    const candidates = this.#connected();
    const states: NodeState[] = candidates.map(node => ({ id: node.id, load: node.load, placed: node.placed, hasRouter: isUsed(node) }));
    const choice = this.strategy(states, { mafaldaRouterId, watermark: this.watermark });
    const node = choice && candidates[states.indexOf(choice)];
    if (!node) throw new TypeError('the strategy must return one of its candidates');
    return node;
  }

  #connected(): ClusterNode[] {
    const connected = [...this.#nodes.values()].filter(node => node.connected);
    if (connected.length === 0) throw new Error(`none of the ${this.size} nodes is connected`);
    return connected;
  }

  #tellIfSettled(): void {
    if (!this.settled) return;
    this.#wasSettled = true;
    this.emit('settled');
  }

  /** Resolves when every node has answered, or can't be reached at present. */
  async whenSettled(): Promise<void> {
    this.#wasSettled ||= this.settled;
    // Once there are nodes to use, one that is added later and can't be reached holds up nobody.
    if (this.settled || (this.#wasSettled && [...this.#nodes.values()].some(({ connected }) => connected))) return;
    await new Promise<void>(resolve => this.once('settled', resolve));
  }

  #connectedNode(wanted: string | MafaldaApi): ClusterNode {
    const node = this.find(wanted);
    const name = typeof wanted === 'string' ? `"${wanted}"` : 'that is asked for';
    if (!node) throw new TypeError(`the node ${name} is not one of this MafaldaHorizontal's`);
    if (!node.connected) throw new Error(`the node ${name} is not connected`);
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
