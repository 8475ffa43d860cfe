/** Choice of the place of a stream that a pipe to another node starts from. */
import type { Router } from 'mediasoup/types';
import { chooseSource } from '../piping/chooseSource.ts';
import type { StreamInRouter } from '../piping/streams.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool } from './nodePool.ts';

/** Returns the place that the pipe starts from; undefined if none reaches the destination. */
export function chooseSourceNode(
  places: StreamInRouter[],
  destination: Router,
  nodes: Pick<NodePool, 'watermark' | 'reach'>,
  nodeOf: (router: Router) => ClusterNode,
): StreamInRouter | undefined {
  const to = nodeOf(destination);
  // Sources on a node that is not heard are avoided: requests to it are answered late.
  const heard = places.filter(({ router }) => !nodeOf(router).unreachable && !nodeOf(router).lost);
  return chooseSource(heard.length > 0 ? heard : places, {
    loadOf: router => loadAsSource(nodeOf(router)),
    watermark: nodes.watermark,
    reaches: router => nodes.reach(nodeOf(router), to),
  });
}

/** Returns a node's load, or Infinity while it is being drained: another source is better, if there is one. */
function loadAsSource({ draining, load }: ClusterNode): number {
  return draining ? Infinity : load;
}
