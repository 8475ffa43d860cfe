/** What a controller gives up with a node that it has lost: only what is its own, since others may still reach that node. */
import type { ObjectTree } from '../shared/objectTree.ts';
import { isLinkTransport, type LeaveRequest } from '../shared/piping/endpoint.ts';
import type { LostPath } from '../shared/piping/lostPaths.ts';
import type { Streams } from '../shared/piping/streams.ts';
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
  tree: ObjectTree;
  links: Pick<LinkTable<ClusterNode>, 'endsTowards'>;
  isOurs: (object: object) => boolean;
}

export function lossOf(lost: ClusterNode, { tree, links, isOurs }: LossOptions): Loss {
  const left = new Map<string, { node: ClusterNode; request: LeaveRequest }>();
  const paths = new Map<string, LostPath>();
  for (const { treeNode, node, routerId, remoteRouterId } of links.endsTowards(lost)) {
    // The table has those of all rooms.
    if (tree.nodeOf<'transport'>(treeNode.object) === undefined || node.lost) continue;
    const key = `${routerId} ${remoteRouterId}`;
    const request: LeaveRequest = left.get(key)?.request ?? { routerId, remoteRouterId, consumerIds: [] };
    left.set(key, { node, request });
    const brought = new Set([...treeNode.children].map(({ id }) => id));
    for (const transport of treeNode.parent?.children ?? []) {
      if (transport.type !== 'transport' || isLinkTransport(transport.object) || !isOurs(transport.object)) continue;
      for (const child of transport.children) {
        if (child.type !== 'consumer' && child.type !== 'dataConsumer') continue;
        const producerId = child.type === 'consumer' ? child.object.producerId : child.object.dataProducerId;
        if (!brought.has(producerId)) continue;
        request.consumerIds.push(child.id);
        const path = paths.get(producerId) ?? { producerId, consumers: [] };
        path.consumers.push(child.object);
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
