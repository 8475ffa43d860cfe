/** Errors that say why nodes take nothing new. */
import { NodeDrainingError, NodeUnavailableError } from '../api/errors.ts';
import type { ClusterNode } from './clusterNode.ts';

/** Maximum number of nodes whose reasons are in an error's message; `causes` has the reasons of all. */
const MAX_REASONS = 5;

/** Returns the reason why none of these nodes, which are all of a cluster's, takes anything new. */
export function noNodeError(nodes: readonly ClusterNode[]): Error {
  const all = `none of the ${nodes.length} nodes`;
  if (nodes.some(({ isUsable }) => isUsable)) {
    return new NodeDrainingError(`${all} takes anything new: those that are connected are being drained`);
  }
  const causes = Object.fromEntries(nodes.map(({ id, trouble }) => [id, trouble]));
  const allReasons = Object.values(causes).map(({ message }) => `; ${message}`);
  const reasons = allReasons.slice(0, MAX_REASONS).join('');
  const rest = allReasons.length > MAX_REASONS ? `; and ${allReasons.length - MAX_REASONS} more, see causes` : '';
  return new NodeUnavailableError(`${all} is connected${reasons}${rest}`, {
    cause: Object.values(causes)[0],
    causes,
  });
}

/** Returns the reason why a node takes nothing new; undefined if it does. */
export function unavailabilityOf(node: ClusterNode): Error | undefined {
  const { id, isUsable, takesNew } = node;
  if (!isUsable) {
    const { trouble } = node;
    return new NodeUnavailableError(`the node "${id}" is not connected: ${trouble.message}`, {
      node: id,
      cause: trouble,
      causes: { [id]: trouble },
    });
  }
  return !takesNew ? new NodeDrainingError(`the node "${id}" is being drained`, { node: id }) : undefined;
}
