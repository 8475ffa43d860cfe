/** Reports the loss of a path while the stream's origin lives: its Consumers can't be given another source. */
import type { LostPath } from '../api/types.ts';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';
import { isLinkTransport } from './endpoint.ts';
import type { Streams } from './streams.ts';
import type { StreamUsers } from './streamUsers.ts';

/**
 * @param tree is watched for as long as it lives
 * @param streams of the same tree: must hear of removed nodes before this function does
 * @param users of the same tree
 * @param onLost called before the Consumers close; the stream can already be consumed again then
 */
export function watchPaths(
  tree: ObjectTree,
  streams: Streams,
  users: StreamUsers,
  onLost: (path: LostPath) => void,
): void {
  tree.on('remove', node => {
    const router = routerOfPiped(node);
    // A stream that closes with its Router is reported by the Router's own end.
    if (!router || router.object.closed || !streams.hasOrigin(node.id)) return;
    // Pipes that lead on from there are left out: their own ends close next.
    const consumers = [...users.consumers(router.id, node.id)]
      .map(({ object }) => object)
      .filter(({ closed }) => !closed);
    if (consumers.length > 0 || users.isObserved(router.id, node.id)) onLost({ producerId: node.id, consumers });
  });
}

/** Returns the Router into which a pipe has brought this Producer; undefined if no pipe has. */
function routerOfPiped({ type, parent }: TreeNode): TreeNode<'router'> | undefined {
  if (type !== 'producer' && type !== 'dataProducer') return undefined;
  if (parent?.type !== 'transport' || !isLinkTransport(parent.object)) return undefined;
  return parent.parent?.type === 'router' ? parent.parent : undefined;
}
