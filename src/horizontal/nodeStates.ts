/** States of nodes, in the words of `statistics` and of `dump()`. */
import type { NodeDump } from '../api/dump.ts';
import type { NodeStatistics } from '../api/statistics.ts';
import type { ClusterNode } from './clusterNode.ts';

export function statisticsOf(node: ClusterNode): NodeStatistics {
  const { id, load } = node;
  return { id, state: wordFor(node), load };
}

function wordFor(node: ClusterNode): NodeStatistics['state'] {
  const { connected, isDormant, unreachable, rest } = node;
  if (unreachable) return 'unreachable';
  if (!connected && !isDormant) return 'disconnected';
  if (isDrained(node)) return 'draining';
  if (rest.resting) return 'resting';
  return connected ? 'connected' : 'dormant';
}

export function stateOf(node: ClusterNode): NodeDump {
  const { id, connected, isDormant, unreachable, load, region } = node;
  const dormant = isDormant ? { dormant: true } : {};
  return { id, connected, ...dormant, unreachable, draining: isDrained(node), load, region };
}

/** Returns whether a node is being drained, according to itself or, if it is not connected to, to its record. */
function isDrained({ draining, isDormant, takesNew }: ClusterNode): boolean {
  return draining || (isDormant && !takesNew);
}
