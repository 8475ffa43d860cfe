/** Detour by a third node between two nodes that don't reach each other. */
import type { Router } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import { NodeUnavailableError } from '../../api/errors.ts';
import type { StreamId } from '../../piping/endpoint.ts';
import type { StreamInRouter } from '../../piping/streams.ts';
import type { PipeableMafaldaRouter } from '../../base/pipeableMafaldaRouter.ts';
import type { ClusterNode } from '../clusterNode.ts';

const log = logger('reachability');

export interface DetourOptions {
  nodes: Iterable<ClusterNode>;
  nodeOf: (router: Router) => ClusterNode;
  hasRouters: (node: ClusterNode) => boolean;
  partOn: (node: ClusterNode) => PipeableMafaldaRouter;
  reaches: (one: ClusterNode, other: ClusterNode) => boolean;
  /** Brings the stream into a Router, as for any consumer there. */
  bring: (stream: StreamId, destination: Router) => Promise<void>;
}

/**
 * Brings the stream to a node that reaches both sides.
 * @throws {NodeUnavailableError} if no node reaches both sides
 */
export async function makeDetour(
  stream: StreamId,
  places: readonly StreamInRouter[],
  destination: Router,
  options: DetourOptions,
): Promise<void> {
  const { nodes, nodeOf, hasRouters, partOn, reaches, bring } = options;
  const to = nodeOf(destination);
  const sources = places.map(({ router }) => nodeOf(router)).filter(isUsable);
  const between = [...nodes]
    .filter(
      node =>
        node !== to &&
        isUsable(node) &&
        reaches(node, to) &&
        sources.some(source => source !== node && reaches(source, node)),
    )
    .map(node => ({ node, hasRouter: hasRouters(node) }))
    .sort(
      (a, b) =>
        Number(a.node.draining) - Number(b.node.draining) ||
        Number(b.hasRouter) - Number(a.hasRouter) ||
        a.node.load - b.node.load,
    );
  const [choice] = between;
  if (!choice) {
    const ids = [...new Set(sources.map(({ id }) => id))].join(', ');
    throw new NodeUnavailableError(
      `media from ${ids} does not reach ${to.id} at present, and no other node reaches both: consume on another node`,
      { node: to.id },
    );
  }
  log('from %s to %s by way of %s', sources.map(({ id }) => id).join(), to.id, choice.node.id);
  const part = partOn(choice.node);
  // An unused Transport makes a Router, and keeps it until there is a link.
  const keeper = choice.hasRouter ? undefined : await part.createDirectTransport();
  try {
    const [router] = [...part.routers.values()];
    if (router) await bring(stream, router);
  } finally {
    keeper?.close();
  }
}

function isUsable({ connected, unreachable, lost }: ClusterNode): boolean {
  return connected && !unreachable && !lost;
}
