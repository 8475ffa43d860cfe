/** Supervises pipes between nodes, also those that others have made. */
import type { Consumer, DataConsumer, DataProducer, Producer, Router } from 'mediasoup/types';
import { GraceTimers } from '../../core/graceTimers.ts';
import { Groups } from '../../core/groups.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';
import { isOnePipe } from '../foretold.ts';
import { joinEnds } from '../joinEnds.ts';
import type { Streams } from '../streams.ts';
import type { StreamUsers } from '../streamUsers.ts';

/** Time in which the other end must appear: longer than any maker takes. */
const UNPAIRED_GRACE_MS = 5000;

export interface PairedEndsOptions {
  tree: ObjectTree;
  /** Streams of the same tree: they must hear of added nodes before PairedEnds does. */
  streams: Streams;
  users: StreamUsers;
  domainOf: (router: Router) => unknown;
  /** Returns whether the Router's objects have closed here only because they are out of sight. */
  isLost: (router: Router) => boolean;
  /** Called when both ends of a pipe are there, with the source's Router and Consumer, and the destination's Router. */
  onPaired: (source: Router, consumer: Consumer | DataConsumer, destination: Router) => void;
}

/**
 * Joins both ends of each pipe, whichever controller has made it, since its maker may go at any time. Closes an end
 * whose other end is gone: that happens when a node could not be reached, and returns.
 */
export class PairedEnds {
  readonly #options: PairedEndsOptions;
  /** Ends by the id of the Router at the other end and the stream's id. */
  readonly #ends = new Groups<TreeNode>();
  readonly #unpaired = new GraceTimers<TreeNode>(UNPAIRED_GRACE_MS, node => this.#closeIfUnpaired(node));

  constructor(options: PairedEndsOptions) {
    this.#options = options;
    options.tree.on('add', node => this.#added(node)).on('remove', node => this.#removed(node));
  }

  close(): void {
    this.#unpaired.clear();
  }

  #added(node: TreeNode): void {
    if (node.type === 'router') return this.#routerAdded(node.object);
    const end = pipeEnd(node);
    if (!end) return;
    this.#ends.add(end.remoteRouterId, end.streamId, node);
    if (!this.#leavesDomain(end)) return;
    const other = this.#otherEnd(end);
    if (other) this.#join(end, other);
    else this.#unpaired.start(node);
  }

  #removed(node: TreeNode): void {
    const end = pipeEnd(node);
    if (!end) return;
    this.#ends.delete(end.remoteRouterId, end.streamId, node);
    this.#unpaired.cancel(node);
  }

  /** Judges the ends that lead to a new Router, which could not be judged before. */
  #routerAdded({ id }: Router): void {
    for (const node of this.#ends.all(id)) {
      const end = pipeEnd(node);
      if (end && this.#leavesDomain(end)) this.#unpaired.start(node);
    }
  }

  #closeIfUnpaired(node: TreeNode): void {
    const end = pipeEnd(node);
    // An end that leads to an absent node, or to a node of others, is left alone.
    if (!end || !this.#leavesDomain(end) || this.#otherEnd(end)) return;
    (end.consumer ?? end.producer)?.close();
  }

  #join(end: PipeEnd, other: PipeEnd): void {
    const [source, destination] = end.consumer ? [end, other] : [other, end];
    if (!source.consumer || !destination.producer) return;
    const { isLost, onPaired } = this.#options;
    onPaired(source.router, source.consumer, destination.router);
    joinEnds(source.consumer, destination.producer, {
      source: () => isLost(source.router),
      destination: () => isLost(destination.router),
    });
  }

  /**
   * Returns whether the pipe runs between two nodes that are both known. Within a node its own MafaldaRouter supervises
   * pipes.
   */
  #leavesDomain({ router, remoteRouterId }: PipeEnd): boolean {
    const { tree, domainOf } = this.#options;
    const remote = tree.routers.get(remoteRouterId);
    return remote !== undefined && domainOf(remote) !== domainOf(router);
  }

  #otherEnd({ consumer, producer, router: { id: routerId }, remoteRouterId, streamId }: PipeEnd): PipeEnd | undefined {
    const { tree, streams, users } = this.#options;
    const router = tree.routers.get(remoteRouterId);
    if (!router) return undefined;
    const where = { router, remoteRouterId: routerId, streamId };
    if (consumer) {
      const copy = streams.findPiped(streamId, router, routerId)?.producer;
      return copy && isOnePipe(consumer, copy) ? { ...where, producer: copy } : undefined;
    }
    if (!producer) return undefined;
    for (const { object } of users.pipes(remoteRouterId, routerId, streamId))
      if (isOnePipe(object, producer)) return { ...where, consumer: object };
    return undefined;
  }
}

interface PipeEnd {
  router: Router;
  remoteRouterId: string;
  streamId: string;
  consumer?: Consumer | DataConsumer;
  producer?: Producer | DataProducer;
}

/** Returns the end of a pipe that a tree node is; undefined for all other nodes. */
function pipeEnd({ type, object, parent }: TreeNode): PipeEnd | undefined {
  const remoteRouterId = parent?.type === 'transport' ? linkedRouterId(parent.object) : undefined;
  if (remoteRouterId === undefined || parent?.parent?.type !== 'router') return undefined;
  const where = { router: parent.parent.object, remoteRouterId };
  if (type === 'consumer') return { ...where, streamId: object.producerId, consumer: object };
  if (type === 'dataConsumer') return { ...where, streamId: object.dataProducerId, consumer: object };
  if (type === 'producer' || type === 'dataProducer') return { ...where, streamId: object.id, producer: object };
  return undefined;
}
