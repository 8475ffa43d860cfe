/** The nodes of a MafaldaHorizontal, as an autoscaler looks at them. */
import type { MafaldaHorizontal } from '../horizontal/index.ts';
import type { FleetNode, FleetNodes } from './fleet.ts';

export function nodesOf(mafaldaHorizontal: MafaldaHorizontal): FleetNodes {
  const all = [...mafaldaHorizontal].flatMap((mafalda): FleetNode[] => {
    const state = mafaldaHorizontal.stateOf(mafalda);
    return state ? [{ state, mafalda }] : [];
  });
  const byId = new Map(all.map(node => [node.state.id, node]));
  return { all, find: url => byId.get(mafaldaHorizontal.stateOf(url)?.id ?? '') };
}
