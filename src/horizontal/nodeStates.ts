/** States of nodes, in the words of `statistics` and of `dump()`. */
import type { NodeDump } from '../api/dump.ts';
import type { NodeStatistics } from '../api/statistics.ts';
import type { ClusterNode } from './clusterNode.ts';

export function statisticsOf({ id, load, connected, unreachable, draining, rest }: ClusterNode): NodeStatistics {
  if (unreachable) return { id, state: 'unreachable', load };
  if (!connected) return { id, state: 'disconnected', load };
  return { id, state: draining ? 'draining' : rest.resting ? 'resting' : 'connected', load };
}

export function stateOf({
  id,
  connected,
  isDormant,
  unreachable,
  draining,
  takesNew,
  load,
  region,
}: ClusterNode): NodeDump {
  const dormant = isDormant ? { dormant: true } : {};
  return { id, connected, ...dormant, unreachable, draining: draining || (isDormant && !takesNew), load, region };
}
