/** Notices when something on the way of a stream has gone while its origin lives: its Consumers can't be given another source. */
import type { Consumer, DataConsumer } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../objectTree.ts';
import { isLinkTransport } from './endpoint.ts';
import type { Streams } from './streams.ts';

export interface LostPath {
  /** Id of the Producer or DataProducer, which is there still. */
  producerId: string;
  /** Those that are about to close. None, where only RtpObservers had the stream. */
  consumers: (Consumer | DataConsumer)[];
}

/**
 * @param tree what is watched, for as long as it lives
 * @param streams of the same tree: it has to hear of what goes before this does
 * @param onLost called before the Consumers close, and when the stream can be consumed again already
 */
export function watchPaths(tree: ObjectTree, streams: Streams, onLost: (path: LostPath) => void): void {
  tree.on('remove', node => {
    const router = routerOfPiped(node);
    // What closes with its Router tells so itself.
    if (!router || router.object.closed || !streams.hasOrigin(node.id)) return;
    const users = usersOf(router, node.id);
    if (users.isUsed) onLost({ producerId: node.id, consumers: users.consumers });
  });
}

/** The Router into which a pipe has brought this, if one has. */
function routerOfPiped({ type, parent }: TreeNode): TreeNode<'router'> | undefined {
  if (type !== 'producer' && type !== 'dataProducer') return undefined;
  if (parent?.type !== 'transport' || !isLinkTransport(parent.object)) return undefined;
  return parent.parent?.type === 'router' ? parent.parent : undefined;
}

/** Pipes that go on from there are not meant: their own ends close next. */
function usersOf(router: TreeNode<'router'>, streamId: string): { isUsed: boolean; consumers: LostPath['consumers'] } {
  const consumers: LostPath['consumers'] = [];
  let isObserved = false;
  for (const child of router.children) {
    isObserved ||= child.observed.has(streamId);
    if (child.type !== 'transport' || isLinkTransport(child.object)) continue;
    for (const { type, object } of child.children) {
      const consumed = type === 'consumer' ? object.producerId : type === 'dataConsumer' ? object.dataProducerId : undefined;
      if (consumed === streamId && (type === 'consumer' || type === 'dataConsumer') && !object.closed) consumers.push(object);
    }
  }
  return { isUsed: isObserved || consumers.length > 0, consumers };
}
