/**
 * Indexes the users of each stream in a Router (Consumers of the application, pipes to other Routers, RtpObservers), so
 * that finding them takes no walk through the Router.
 */
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';
import { Groups } from '../core/groups.ts';
import { linkedRouterId } from './endpoint.ts';

export type ConsumerNode = TreeNode<'consumer'> | TreeNode<'dataConsumer'>;

interface Place {
  readonly node: ConsumerNode;
  readonly key: string;
  readonly streamId: string;
  readonly isPiped: boolean;
}

export class StreamUsers {
  /** Consumers of the application, by the id of the Router and that of the stream. */
  readonly #consumers = new Groups<ConsumerNode>();
  /** Consumers of pipes, by the ids of both Routers and the id of the stream. */
  readonly #pipes = new Groups<ConsumerNode>();
  readonly #rtpObservers = new Map<string, Set<TreeNode<'rtpObserver'>>>();

  readonly #tree: ObjectTree;

  /** @param tree is watched for as long as it lives */
  constructor(tree: ObjectTree) {
    this.#tree = tree;
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#remove(node));
  }

  /** Returns the application's Consumers of a stream in a Router. */
  consumers(routerId: string, streamId: string): Iterable<ConsumerNode> {
    return this.#consumers.of(routerId, streamId);
  }

  /**
   * Returns the Consumers through which a stream leaves a Router for another Router: a single Consumer, unless the link
   * has just been made anew.
   */
  pipes(routerId: string, remoteRouterId: string, streamId: string): Iterable<ConsumerNode> {
    return this.#pipes.of(pairKey(routerId, remoteRouterId), streamId);
  }

  isObserved(routerId: string, streamId: string): boolean {
    for (const { observed } of this.#rtpObservers.get(routerId) ?? []) if (observed.has(streamId)) return true;
    return false;
  }

  #add(node: TreeNode): void {
    if (node.type === 'rtpObserver') {
      const routerId = node.parent?.id ?? '';
      const observers = this.#rtpObservers.get(routerId);
      if (observers) observers.add(node);
      else this.#rtpObservers.set(routerId, new Set([node]));
      return;
    }
    const place = this.#placeOf(node);
    if (place) (place.isPiped ? this.#pipes : this.#consumers).add(place.key, place.streamId, place.node);
  }

  #remove(node: TreeNode): void {
    if (node.type === 'rtpObserver') {
      const routerId = node.parent?.id ?? '';
      const observers = this.#rtpObservers.get(routerId);
      if (observers?.delete(node) && observers.size === 0) this.#rtpObservers.delete(routerId);
      return;
    }
    const place = this.#placeOf(node);
    if (place) (place.isPiped ? this.#pipes : this.#consumers).delete(place.key, place.streamId, place.node);
  }

  #placeOf(node: TreeNode): Place | undefined {
    if ((node.type !== 'consumer' && node.type !== 'dataConsumer') || node.parent?.type !== 'transport')
      return undefined;
    // The Consumer may still bear the id of the stream in its Worker.
    const streamId = this.#tree.publicId(streamOf(node));
    const routerId = node.parent.parent?.id ?? '';
    const to = linkedRouterId(node.parent.object);
    return { node, streamId, isPiped: to !== undefined, key: to === undefined ? routerId : pairKey(routerId, to) };
  }
}

/** Returns the id of the stream that a Consumer or DataConsumer takes. */
export function streamOf(node: ConsumerNode): string {
  return node.type === 'consumer' ? node.object.producerId : node.object.dataProducerId;
}

function pairKey(routerId: string, remoteRouterId: string): string {
  return `${routerId} ${remoteRouterId}`;
}
