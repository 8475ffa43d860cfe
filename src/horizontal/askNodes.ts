/** Questions to several nodes, any of which may be silent. */
import { logger } from '../core/logger.ts';
import { answersWithin } from '../core/within.ts';
import type { ClusterNode } from './clusterNode.ts';

const log = logger('horizontal');

/** Limit for a node's answer, in ms: longer than a node waits for a Worker of its own. */
const ANSWER_TIMEOUT_MS = 4000;
/**
 * Limit for an answer of nodes with several machines, in ms: longer than such a node waits for each of its own nodes.
 */
const TIER_TIMEOUT_MS = 6000;

/**
 * Asks all nodes.
 * @returns the answers that have come in time, in the order of the nodes; undefined for nodes that have failed, or are
 * silent
 */
export function askNodes<T>(
  nodes: readonly ClusterNode[],
  question: (node: ClusterNode) => Promise<T>,
): Promise<(T | undefined)[]> {
  const hasTier = nodes.some(({ mafalda }) => (mafalda.loadReport?.hosts.length ?? 0) > 1);
  const answers = nodes.map(async node => question(node));
  return answersWithin(answers, hasTier ? TIER_TIMEOUT_MS : ANSWER_TIMEOUT_MS, (index, reason) =>
    log.warn('%s is left out: %o', nodes[index]!.id, reason),
  );
}

/** Returns the path from above to a node of a node: the ids on the way, with spaces. */
export function pathTo(node: ClusterNode, below: string | undefined): string {
  return below === undefined ? node.id : `${node.id} ${below}`;
}
