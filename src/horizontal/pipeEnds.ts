/** Pipes between nodes, as somebody sees them who has not made them. */
import type { Consumer, DataConsumer, DataProducer, Producer, Router } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../shared/objectTree.ts';
import { linkedRouterId } from '../shared/piping/endpoint.ts';
import { joinEnds } from '../shared/piping/joinEnds.ts';

/** Whoever sees both ends of a pipe between nodes joins them: the controller that has made it may go at any time. */
export function joinPipe(node: TreeNode, tree: ObjectTree, domainOf: (router: Router) => object): void {
  const end = pipeEnd(node);
  const remote = end && tree.routers.get(end.remoteRouterId);
  if (!end || !remote || domainOf(remote) === domainOf(end.router)) return;
  for (const { children } of tree.nodeOf<'router'>(remote)?.children ?? []) {
    for (const child of children) {
      const other = pipeEnd(child);
      if (other?.remoteRouterId !== end.router.id || other.streamId !== end.streamId) continue;
      const [consumer, producer] = [end.consumer ?? other.consumer, end.producer ?? other.producer];
      if (consumer && producer) joinEnds(consumer, producer);
    }
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
