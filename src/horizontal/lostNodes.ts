/** What a controller gives up with a node that it has lost: only what is its own, since others may still reach that node. */
import type { ObjectTree } from '../core/objectTree.ts';
import type { LeaveRequest } from '../piping/endpoint.ts';
import type { LostPath } from '../api/types.ts';
import type { Streams } from '../piping/streams.ts';
import type { StreamUsers } from '../piping/streamUsers.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { LinkTable } from './reachability/linkTable.ts';

/** What leads to a node, as it is before it is lost. */
export interface Loss {
  /** To be told to the nodes that have the other ends. */
  readonly left: readonly { node: ClusterNode; request: LeaveRequest }[];
  /** What our own Consumers have had by way of there. */
  readonly paths: readonly LostPath[];
}

export interface LossOptions {
  /** Of the MafaldaRouter. */
  tree: ObjectTree;
  users: StreamUsers;
  links: Pick<LinkTable<ClusterNode>, 'endsTo'>;
  isOurs: (object: object) => boolean;
}

/** @param routerIds those of the MafaldaRouter on the node that is being lost */
export function lossOf(routerIds: Iterable<string>, { tree, users, links, isOurs }: LossOptions): Loss {
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
        if (!parent || !isOurs(parent.object)) continue;
        request.consumerIds.push(id);
        const path = paths.get(producerId) ?? { producerId, consumers: [] };
        path.consumers.push(object);
        paths.set(producerId, path);
      }
    }
  }
  return { left: [...left.values()], paths: [...paths.values()] };
}

/** Those of the paths whose stream is there still, in another place. To be called when what was on the node has closed here. */
export function livingPaths({ paths }: Loss, streams: Streams): LostPath[] {
  return paths.filter(({ producerId }) => streams.hasOrigin(producerId));
}
