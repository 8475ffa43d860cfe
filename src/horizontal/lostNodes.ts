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
interface Loss {
  /** Requests for the nodes at the other ends of the links. */
  readonly left: readonly { node: ClusterNode; request: LeaveRequest }[];
  /** Paths by which this controller's Consumers get streams from the node. */
  readonly paths: readonly LostPath[];
}

export interface LossesOptions {
  /** Tree of the MafaldaRouter. */
  tree: ObjectTree;
  streams: Streams;
  users: StreamUsers;
  links: Pick<LinkTable<ClusterNode>, 'endsTo'>;
  isOwn: (object: object) => boolean;
  /** Called for each path whose stream still lives in another place. */
  onPathLost: (path: LostPath) => void;
  /** Sends a request to a node. */
  leaveLinks: (node: ClusterNode, request: LeaveRequest) => void;
}

/** Losses of a MafaldaRouter with nodes that are being lost. */
export class Losses {
  readonly #options: LossesOptions;
  readonly #byNode = new Map<ClusterNode, Loss>();

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /**
   * Notes what is lost with a node. Must be called before its objects close here.
   * @param routerIds ids of the MafaldaRouter's Routers on the node
   */
  note(node: ClusterNode, routerIds: Iterable<string>): void {
    this.#byNode.set(node, this.#lossOf(routerIds, node));
  }

  /** Reports the losses when all paths to the node have closed, so that lost streams can be consumed again. */
  report(node: ClusterNode): void {
    const loss = this.#byNode.get(node);
    if (!loss) return;
    this.#byNode.delete(node);
    const { streams, onPathLost, leaveLinks } = this.#options;
    for (const path of loss.paths) if (streams.hasOrigin(path.producerId)) onPathLost(path);
    for (const { node: other, request } of loss.left) leaveLinks(other, request);
  }

  #lossOf(routerIds: Iterable<string>, { expelled, dead }: ClusterNode): Loss {
    const { tree, users, links, isOwn } = this.#options;
    const left = new Map<string, { node: ClusterNode; request: LeaveRequest }>();
    const paths = new Map<string, LostPath>();
    const ends = [...routerIds].flatMap(id => links.endsTo(id));
    for (const { treeNode, node, routerId, remoteRouterId } of ends) {
      if (tree.nodeOf<'transport'>(treeNode.object) === undefined || node.lost) continue;
      const key = `${routerId} ${remoteRouterId}`;
      const isLast = expelled ? { isLast: true } : {};
      // Of links that end on this machine its own judgement is the best: others may have no judgement, or a later one.
      const isDead = dead && node.local ? { isDead: true } : {};
      const request: LeaveRequest = left.get(key)?.request ?? {
        ...{ routerId, remoteRouterId, consumerIds: [] },
        ...isLast,
        ...isDead,
      };
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
}
