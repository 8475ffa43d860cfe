/**
 * Losses of a controller with a lost node. It gives up only objects of its own, since others may still reach that node.
 */
import type { ObjectTree } from '../core/objectTree.ts';
import type { LeaveRequest } from '../piping/endpoint.ts';
import type { LostPath } from '../api/types.ts';
import type { Streams } from '../piping/streams.ts';
import type { StreamUsers } from '../piping/streamUsers.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { LinkTable } from './reachability/linkTable.ts';

/** Links and paths that lead to a node, as they are before it is lost. */
export interface Loss {
  /** Requests for the nodes at the other ends of the links. */
  readonly left: readonly { node: ClusterNode; request: LeaveRequest }[];
  /** Paths by which this controller's Consumers get streams from the node. */
  readonly paths: readonly LostPath[];
}

export interface LossOptions {
  /** Tree of the MafaldaRouter. */
  tree: ObjectTree;
  users: StreamUsers;
  links: Pick<LinkTable<ClusterNode>, 'endsTo'>;
  isOwn: (object: object) => boolean;
}

/**
 * Returns the losses of a MafaldaRouter with a node.
 * @param routerIds ids of the MafaldaRouter's Routers on the node that is being lost
 */
export function lossOf(routerIds: Iterable<string>, { tree, users, links, isOwn }: LossOptions): Loss {
  const left = new Map<string, { node: ClusterNode; request: LeaveRequest }>();
  const paths = new Map<string, LostPath>();
  const ends = [...routerIds].flatMap(id => links.endsTo(id));
  for (const { treeNode, node, routerId, remoteRouterId } of ends) {
    if (tree.nodeOf<'transport'>(treeNode.object) === undefined || node.lost) continue;
    const key = `${routerId} ${remoteRouterId}`;
    const request: LeaveRequest = left.get(key)?.request ?? { routerId, remoteRouterId, consumerIds: [] };
    left.set(key, { node, request });
    for (const { type, id: producerId } of treeNode.children) {
      if (type !== 'producer' && type !== 'dataProducer') continue;
      for (const { id, object, parent } of users.consumers(routerId, producerId)) {
        if (!parent || !isOwn(parent.object)) continue;
        request.consumerIds.push(id);
        const path = paths.get(producerId) ?? { producerId, consumers: [] };
        path.consumers.push(object);
        paths.set(producerId, path);
      }
    }
  }
  return { left: [...left.values()], paths: [...paths.values()] };
}

/**
 * Returns the paths whose stream still lives in another place. Must be called when the node's objects have closed here.
 */
export function livingPaths({ paths }: Loss, streams: Streams): LostPath[] {
  return paths.filter(({ producerId }) => streams.hasOrigin(producerId));
}
