/** Pipes between nodes, as somebody sees them who may not have made them. */
import type { Consumer, DataConsumer, DataProducer, Producer, Router } from 'mediasoup/types';
import { GraceTimers } from '../shared/graceTimers.ts';
import type { ObjectTree, TreeNode } from '../shared/objectTree.ts';
import { linkedRouterId } from '../shared/piping/endpoint.ts';
import { joinEnds } from '../shared/piping/joinEnds.ts';

/** Longer than anybody takes to make the other end. */
const WIDOW_GRACE_MS = 5000;

/**
 * Joins both ends of each pipe, whoever has made it: that one may go at any time. An end whose other end is gone closes:
 * that happens when a node could not be told, and returns.
 */
export class PipeEnds {
  readonly #tree: ObjectTree;
  readonly #domainOf: (router: Router) => unknown;
  readonly #isLost: (router: Router) => boolean;
  readonly #widows = new GraceTimers<TreeNode>(WIDOW_GRACE_MS, node => this.#closeIfWidowed(node));

  /** @param isLost whether what is in the Router is out of our sight, and has closed here for that reason only */
  constructor(tree: ObjectTree, domainOf: (router: Router) => unknown, isLost: (router: Router) => boolean) {
    this.#isLost = isLost;
    this.#tree = tree;
    this.#domainOf = domainOf;
    tree.on('add', node => this.#added(node)).on('remove', node => this.#widows.cancel(node));
  }

  close(): void {
    this.#widows.clear();
  }

  #added(node: TreeNode): void {
    if (node.type === 'router') return this.#routerAdded(node.object);
    const end = pipeEnd(node);
    if (!end || !this.#leavesDomain(end)) return;
    const other = this.#otherEnd(end);
    if (other) this.#join(end, other);
    else this.#widows.start(node);
  }

  /** Ends that lead to this Router could not be judged before. */
  #routerAdded({ id }: Router): void {
    for (const node of this.#tree.nodes()) {
      const end = pipeEnd(node);
      if (end?.remoteRouterId === id && this.#leavesDomain(end)) this.#widows.start(node);
    }
  }

  #closeIfWidowed(node: TreeNode): void {
    const end = pipeEnd(node);
    // What leads to a node that is not there, or none of ours, is no business of ours.
    if (!end || !this.#leavesDomain(end) || this.#otherEnd(end)) return;
    (end.consumer ?? end.producer)?.close();
  }

  #join(end: PipeEnd, other: PipeEnd): void {
    const [source, destination] = end.consumer ? [end, other] : [other, end];
    if (!source.consumer || !destination.producer) return;
    joinEnds(source.consumer, destination.producer, { source: () => this.#isLost(source.router), destination: () => this.#isLost(destination.router) });
  }

  /** Only where both Routers are known. Within a node its own MafaldaRouter sees to its pipes. */
  #leavesDomain({ router, remoteRouterId }: PipeEnd): boolean {
    const remote = this.#tree.routers.get(remoteRouterId);
    return remote !== undefined && this.#domainOf(remote) !== this.#domainOf(router);
  }

  #otherEnd(end: PipeEnd): PipeEnd | undefined {
    const remote = this.#tree.routers.get(end.remoteRouterId);
    for (const transport of (remote && this.#tree.nodeOf<'router'>(remote)?.children) ?? []) {
      // A Router has few links, and many other Transports.
      if (transport.type !== 'transport' || linkedRouterId(transport.object) !== end.router.id) continue;
      for (const child of transport.children) {
        const other = pipeEnd(child);
        if (other?.streamId !== end.streamId) continue;
        if ((end.consumer ?? other.consumer) && (end.producer ?? other.producer)) return other;
      }
    }
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
