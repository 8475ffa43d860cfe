/** Choice of the place of a stream that a pipe to another node starts from. */
import type { Router } from 'mediasoup/types';
import { chooseSource } from '../../piping/chooseSource.ts';
import type { StreamInRouter } from '../../piping/streams.ts';
import type { ClusterNode } from '../clusterNode.ts';
import type { NodePool } from '../nodePool.ts';

/**
 * Returns the place that the pipe starts from; undefined if none reaches the destination.
 * @param fanOut number of pipes of a stream that leave a node before it sends askers on
 */
export function chooseSourceNode(
  places: StreamInRouter[],
  destination: Router,
  nodes: Pick<NodePool, 'watermark' | 'reach'>,
  nodeOf: (router: Router) => ClusterNode,
  fanOut = Infinity,
): StreamInRouter | undefined {
  const to = nodeOf(destination);
  // Sources on a node that is not heard are avoided: requests to it are answered late.
  const heard = places.filter(({ router }) => !nodeOf(router).unreachable && !nodeOf(router).lost);
  const pipes = fanOut < Infinity ? pipesFrom(places, nodeOf) : undefined;
  return chooseSource(heard.length > 0 ? heard : places, {
    loadOf: router => loadAsSource(nodeOf(router)),
    watermark: nodes.watermark,
    isFull: router => (pipes?.get(nodeOf(router)) ?? 0) >= fanOut,
    reaches: router => nodes.reach(nodeOf(router), to),
  });
}

/** Returns a node's load, or Infinity while it is being drained: another source is better, if there is one. */
function loadAsSource({ draining, load }: ClusterNode): number {
  return draining ? Infinity : load;
}

/** Returns the numbers of pipes of a stream that leave each node, as far as they are known here. */
function pipesFrom(
  places: readonly StreamInRouter[],
  nodeOf: (router: Router) => ClusterNode,
): ReadonlyMap<ClusterNode, number> {
  const nodes = new Map(places.map(({ router }) => [router.id, nodeOf(router)]));
  const pipes = new Map<ClusterNode, number>();
  for (const { router, from } of places) {
    const source = from === undefined ? undefined : nodes.get(from);
    if (source && source !== nodeOf(router)) pipes.set(source, (pipes.get(source) ?? 0) + 1);
  }
  return pipes;
}
