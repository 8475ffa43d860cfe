/** Table of the ends of links between nodes, in all rooms: their directions and their traffic. */
import type { PipeTransport, Transport } from 'mediasoup/types';
import { Groups } from '../../core/groups.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../../piping/endpoint.ts';

/** Members of a node that the table needs. */
export interface LinkedNode {
  readonly tree: ObjectTree;
}

export interface NodeLinkEnd<Node> {
  readonly transport: PipeTransport;
  readonly treeNode: TreeNode<'transport'>;
  readonly node: Node;
  readonly routerId: string;
  readonly remoteRouterId: string;
}

export class LinkTable<Node extends LinkedNode> {
  /** Called when an end is added. */
  onAdd: (() => void) | undefined;
  /** Ends by the id of the Router at the other end, and the id of their own. */
  readonly #ends = new Groups<NodeLinkEnd<Node>>();
  readonly #byTransport = new Map<Transport, NodeLinkEnd<Node>>();
  readonly #stops = new Map<Node, () => void>();

  /** Number of ends. */
  get size(): number {
    return this.#byTransport.size;
  }

  /** Follows the ends on a node, until {@link unwatch}. */
  watch(node: Node): void {
    const add = (treeNode: TreeNode): void => this.#added(node, treeNode);
    const remove = (treeNode: TreeNode): void => this.#removed(treeNode);
    for (const treeNode of node.tree.nodes()) add(treeNode);
    node.tree.on('add', add).on('remove', remove);
    this.#stops.set(node, () => {
      node.tree.off('add', add).off('remove', remove);
      for (const treeNode of node.tree.nodes()) remove(treeNode);
    });
  }

  unwatch(node: Node): void {
    this.#stops.get(node)?.();
    this.#stops.delete(node);
  }

  /** Returns the ends on other nodes that lead to this node. */
  *endsTowards(node: Node): Iterable<NodeLinkEnd<Node>> {
    for (const id of node.tree.routers.keys()) for (const end of this.#ends.all(id)) if (end.node !== node) yield end;
  }

  /** Returns the ends that lead to a Router. */
  endsTo(routerId: string): NodeLinkEnd<Node>[] {
    return [...this.#ends.all(routerId)];
  }

  /** Returns all ends whose other end is known and on another node, in pairs. */
  *pairs(): Iterable<[NodeLinkEnd<Node>, NodeLinkEnd<Node>]> {
    for (const end of this.#byTransport.values()) {
      const other = this.otherEnd(end);
      // The comparison yields each pair once.
      if (other && other.node !== end.node && end.routerId < other.routerId) yield [end, other];
    }
  }

  otherEnd({ transport, routerId, remoteRouterId }: NodeLinkEnd<Node>): NodeLinkEnd<Node> | undefined {
    for (const end of this.#ends.of(routerId, remoteRouterId)) {
      if (!end.transport.closed && carriesData(end.transport) === carriesData(transport)) return end;
    }
    return undefined;
  }

  #added(node: Node, treeNode: TreeNode): void {
    if (treeNode.type !== 'transport' || treeNode.parent?.type !== 'router') return;
    const { object: transport } = treeNode;
    const remoteRouterId = linkedRouterId(transport);
    if (remoteRouterId === undefined || !isPipe(transport)) return;
    const end = { transport, treeNode, node, routerId: treeNode.parent.id, remoteRouterId };
    this.#byTransport.set(transport, end);
    this.#ends.add(remoteRouterId, end.routerId, end);
    this.onAdd?.();
  }

  #removed(treeNode: TreeNode): void {
    const end = treeNode.type === 'transport' ? this.#byTransport.get(treeNode.object) : undefined;
    if (!end) return;
    this.#byTransport.delete(end.transport);
    this.#ends.delete(end.remoteRouterId, end.routerId, end);
  }
}

function isPipe(transport: Transport): transport is PipeTransport {
  return transport.type === 'pipe';
}

/** Returns whether the link is for messages: media and messages have a link each. */
function carriesData({ sctpParameters }: PipeTransport): boolean {
  return sctpParameters !== undefined;
}

/** Returns whether any pipe into this end is not paused, so that packets leave through it. */
export function isSending({ treeNode }: Pick<NodeLinkEnd<unknown>, 'treeNode'>): boolean {
  for (const { type, object } of treeNode.children) {
    if (type === 'consumer' && !object.paused && !object.producerPaused) return true;
    if (type === 'dataConsumer' && !object.paused && !object.dataProducerPaused) return true;
  }
  return false;
}

/** Returns whether any stream that comes out of this end is not paused. */
export function isReceiving({ treeNode }: Pick<NodeLinkEnd<unknown>, 'treeNode'>): boolean {
  for (const { type, object } of treeNode.children)
    if ((type === 'producer' || type === 'dataProducer') && !object.paused) return true;
  return false;
}

/** Number of bytes that have gone through an end since it was made. */
export interface EndBytes {
  sent: number;
  received: number;
}

export async function bytesOf(transport: PipeTransport): Promise<EndBytes> {
  let [sent, received] = [0, 0];
  for (const stat of await transport.getStats()) {
    sent += stat.bytesSent;
    received += stat.bytesReceived;
  }
  return { sent, received };
}
