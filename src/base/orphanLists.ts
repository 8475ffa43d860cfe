/**
 * Servers of this process that know what clients have left behind in a MafaldaRouter: by them a controller in the same
 * process learns it, which needs no server to use the MafaldaRouter.
 */
import type { OrphanDump } from '../api/dump.ts';
import type { MafaldaRouter } from '../api/types.ts';

interface OrphanList {
  dump(mafaldaRouterId: string): OrphanDump[];
}

const lists = new WeakMap<MafaldaRouter, Set<OrphanList>>();

/** Notes a list for the MafaldaRouter. Idempotent. */
export function noteOrphanList(mafaldaRouter: MafaldaRouter, list: OrphanList): void {
  const noted = lists.get(mafaldaRouter);
  if (noted) noted.add(list);
  else lists.set(mafaldaRouter, new Set([list]));
}

/** Returns what clients of servers of this process have left behind in the MafaldaRouter. */
export function orphansIn(mafaldaRouter: MafaldaRouter): OrphanDump[] {
  return [...(lists.get(mafaldaRouter) ?? [])].flatMap(list => list.dump(mafaldaRouter.id));
}
