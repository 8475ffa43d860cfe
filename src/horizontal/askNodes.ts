/** Asks several nodes the same, of which one may be silent. */
import { logger } from '../core/logger.ts';
import { answersWithin } from '../core/within.ts';
import type { ClusterNode } from './clusterNode.ts';

const log = logger('horizontal');

/** Longer than a node waits for a Worker of its own. */
const ANSWER_TIMEOUT_MS = 4000;
/** Longer than a node of several machines waits for each of them. */
const TIER_TIMEOUT_MS = 6000;

/** @returns what has come in time, in the order of the nodes; undefined for those that have failed, or are silent */
export function askNodes<T>(
  nodes: readonly ClusterNode[],
  question: (node: ClusterNode) => Promise<T>,
): Promise<(T | undefined)[]> {
  const hasTier = nodes.some(({ mafalda }) => (mafalda.loadReport?.hosts.length ?? 0) > 1);
  const answers = nodes.map(async node => question(node));
  return answersWithin(answers, hasTier ? TIER_TIMEOUT_MS : ANSWER_TIMEOUT_MS, (index, why) =>
    log('%s is left out: %o', nodes[index]!.id, why),
  );
}

/** Where nodes have nodes, the way to what is below is told from above. */
export function pathTo(node: ClusterNode, below: string | undefined): string {
  return below === undefined ? node.id : `${node.id} ${below}`;
}
