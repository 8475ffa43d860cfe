/** Knowledge by which a MafaldaRouter over several nodes goes where a node sends it. */
import type { Router } from 'mediasoup/types';
import { commonFamily } from '../../core/addresses/families.ts';
import type { ObjectTree } from '../../core/objectTree.ts';
import { within } from '../../core/within.ts';
import type { AskerOptions } from '../../piping/delegation/askPlaces.ts';
import type { Candidate } from '../../piping/delegation/policy.ts';
import type { ClusterNode } from '../clusterNode.ts';
import type { NodePool } from '../nodePool.ts';
import type { Parts } from '../parts.ts';
import type { PeerRole } from '../peerRole.ts';

/** Routers of a machine that are told to others: more than a MafaldaRouter has on most machines. */
const MAX_ROUTERS = 32;
/** Limit for attaching to a node that has just become known, in ms: there are others. */
const ATTACH_TIMEOUT_MS = 2000;

export interface AskerContext {
  tree: Pick<ObjectTree, 'routers'>;
  nodes: Pick<NodePool, 'watermark' | 'reach' | 'find'>;
  parts: Pick<Parts, 'nodeOf' | 'routersOn' | 'find'>;
  /** Undefined if this controller is no peer: then it is not told to others, and meets no nodes. */
  peer: PeerRole | undefined;
  /** Returns the node of a URL, which may just have become known; undefined if it can't be found. */
  meet: (url: string) => Promise<ClusterNode | undefined>;
}

export function askerOptions({ tree, nodes, parts, peer, meet }: AskerContext): AskerOptions {
  const nodeOf = (router: Router): ClusterNode => parts.nodeOf(router)!;
  return {
    watermark: nodes.watermark,
    describe: destination => {
      const node = nodeOf(destination);
      const routers = [...new Set([destination.id, ...parts.routersOn(node)])].slice(0, MAX_ROUTERS);
      return { routers, url: peer && (node.url ?? peer.url), load: node.load };
    },
    loadOf: (candidate, destination) => {
      const router = tree.routers.get(candidate.routerId);
      if (router) return loadAsSource(router, destination);
      if (!peer || candidate.url === undefined) return Infinity;
      // A node that was lost may be named by those that have not noticed yet.
      return nodes.find(candidate.url)?.isUsable === false ? Infinity : candidate.load;
    },
    routerOf: async (candidate, destination) => {
      const router = tree.routers.get(candidate.routerId) ?? (await meetRouter(candidate));
      return router && loadAsSource(router, destination) < Infinity ? router : undefined;
    },
  };

  function loadAsSource(router: Router, destination: Router): number {
    const [from, to] = [nodeOf(router), nodeOf(destination)];
    const isHeard = from.connected && !from.unreachable && !from.lost;
    if (from === to || !isHeard || !nodes.reach(from, to) || commonFamily(router, destination) === undefined)
      return Infinity;
    return from.draining ? Math.max(from.load, nodes.watermark) : from.load;
  }

  /**
   * Attaches to the MafaldaRouter on the candidate's node.
   * @throws {NodeUnavailableError} if that can't be connected to
   */
  async function meetRouter({ routerId, url }: Candidate): Promise<Router | undefined> {
    if (url === undefined || !peer || url === peer.url) return undefined;
    const attaching = (async () => {
      const node = await meet(url);
      if (!node) return;
      if (!node.connected) await node.open();
      await parts.find(node, false);
    })();
    await within(attaching, ATTACH_TIMEOUT_MS);
    return tree.routers.get(routerId);
  }
}
