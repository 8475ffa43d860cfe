/** Notices when something on the way of a stream has gone while its origin lives: its Consumers can't be given another source. */
import type { LostPath } from '../api/types.ts';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';
import { isLinkTransport } from './endpoint.ts';
import type { Streams } from './streams.ts';
import type { StreamUsers } from './streamUsers.ts';

/**
 * @param tree what is watched, for as long as it lives
 * @param streams of the same tree: it has to hear of what goes before this does
 * @param users of the same tree
 * @param onLost called before the Consumers close, and when the stream can be consumed again already
 */
export function watchPaths(tree: ObjectTree, streams: Streams, users: StreamUsers, onLost: (path: LostPath) => void): void {
  tree.on('remove', node => {
    const router = routerOfPiped(node);
    // What closes with its Router tells so itself.
    if (!router || router.object.closed || !streams.hasOrigin(node.id)) return;
    // Pipes that go on from there are not meant: their own ends close next.
    const consumers = [...users.consumers(router.id, node.id)].map(({ object }) => object).filter(({ closed }) => !closed);
    if (consumers.length > 0 || users.isObserved(router.id, node.id)) onLost({ producerId: node.id, consumers });
  });
}

/** The Router into which a pipe has brought this, if one has. */
function routerOfPiped({ type, parent }: TreeNode): TreeNode<'router'> | undefined {
  if (type !== 'producer' && type !== 'dataProducer') return undefined;
  if (parent?.type !== 'transport' || !isLinkTransport(parent.object)) return undefined;
  return parent.parent?.type === 'router' ? parent.parent : undefined;
}
