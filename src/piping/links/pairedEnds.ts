/** Pipes between nodes, as somebody sees them who may not have made them. */
import type { Consumer, DataConsumer, DataProducer, Producer, Router } from 'mediasoup/types';
import { GraceTimers } from '../../core/graceTimers.ts';
import { Groups } from '../../core/groups.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';
import { joinEnds } from '../joinEnds.ts';
import type { Streams } from '../streams.ts';
import type { StreamUsers } from '../streamUsers.ts';

/** Longer than anybody takes to make the other end. */
const UNPAIRED_GRACE_MS = 5000;

/**
 * Joins both ends of each pipe, whoever has made it: that one may go at any time. An end whose other end is gone closes:
 * that happens when a node could not be told, and returns.
 */
export interface PairedEndsOptions {
  tree: ObjectTree;
  /** Of the same tree: they have to hear of what comes before this does. */
  streams: Streams;
  users: StreamUsers;
  domainOf: (router: Router) => unknown;
  /** Whether what is in the Router is out of our sight, and has closed here for that reason only. */
  isLost: (router: Router) => boolean;
}

export class PairedEnds {
  readonly #options: PairedEndsOptions;
  /** By the Router at the other end, and the stream. */
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

  /** Ends that lead to this Router could not be judged before. */
  #routerAdded({ id }: Router): void {
    for (const node of this.#ends.all(id)) {
      const end = pipeEnd(node);
      if (end && this.#leavesDomain(end)) this.#unpaired.start(node);
    }
  }

  #closeIfUnpaired(node: TreeNode): void {
    const end = pipeEnd(node);
    // What leads to a node that is not there, or none of ours, is no business of ours.
    if (!end || !this.#leavesDomain(end) || this.#otherEnd(end)) return;
    (end.consumer ?? end.producer)?.close();
  }

  #join(end: PipeEnd, other: PipeEnd): void {
    const [source, destination] = end.consumer ? [end, other] : [other, end];
    if (!source.consumer || !destination.producer) return;
    const { isLost } = this.#options;
    joinEnds(source.consumer, destination.producer, { source: () => isLost(source.router), destination: () => isLost(destination.router) });
  }

  /** Only where both Routers are known. Within a node its own MafaldaRouter sees to its pipes. */
  #leavesDomain({ router, remoteRouterId }: PipeEnd): boolean {
    const { tree, domainOf } = this.#options;
    const remote = tree.routers.get(remoteRouterId);
    return remote !== undefined && domainOf(remote) !== domainOf(router);
  }

  #otherEnd({ consumer, router: { id: routerId }, remoteRouterId, streamId }: PipeEnd): PipeEnd | undefined {
    const { tree, streams, users } = this.#options;
    const router = tree.routers.get(remoteRouterId);
    if (!router) return undefined;
    const where = { router, remoteRouterId: routerId, streamId };
    if (consumer) {
      const producer = streams.findPiped(streamId, router, routerId)?.producer;
      return producer && { ...where, producer };
    }
    for (const { object } of users.pipes(remoteRouterId, routerId, streamId)) return { ...where, consumer: object };
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

/** What a stream's node is in a link; undefined for whatever isn't. */
function pipeEnd({ type, object, parent }: TreeNode): PipeEnd | undefined {
  const remoteRouterId = parent?.type === 'transport' ? linkedRouterId(parent.object) : undefined;
  if (remoteRouterId === undefined || parent?.parent?.type !== 'router') return undefined;
  const where = { router: parent.parent.object, remoteRouterId };
  if (type === 'consumer') return { ...where, streamId: object.producerId, consumer: object };
  if (type === 'dataConsumer') return { ...where, streamId: object.dataProducerId, consumer: object };
  if (type === 'producer' || type === 'dataProducer') return { ...where, streamId: object.id, producer: object };
  return undefined;
}
