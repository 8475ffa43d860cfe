/** What a client believes to be there, from its mirrors alone, and what is there, in forms that can be compared. */
import { dumpTree } from '../../src/base/dumpTree.ts';
import type { MafaldaRouterDump } from '../../src/api/dump.ts';
import type { ObjectType, ObjectTypes } from '../../src/core/objectTree.ts';
import { resolveMafaldaRouterOptions } from '../../src/api/mafaldaRouterOptions.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import type { MafaldaRouter } from '../../src/index.ts';

/** Without asking the server. */
export function mirroredState(mafaldaRouter: MafaldaRouter): unknown {
  const { tree, id } = mafaldaRouter as PipeableMafaldaRouter;
  return comparable(dumpTree(tree, resolveMafaldaRouterOptions({ id }), () => 0));
}

export async function trueState(mafaldaRouter: MafaldaRouter): Promise<unknown> {
  return comparable(await mafaldaRouter.dump());
}

/** @throws if it is not there */
export function objectIn<T extends ObjectType>(mafaldaRouter: MafaldaRouter, type: T, id: string): ObjectTypes[T] {
  for (const node of (mafaldaRouter as PipeableMafaldaRouter).tree.nodes())
    if (node.type === type && node.id === id) return node.object as ObjectTypes[T];
  throw new Error(`there is no ${type} ${id}`);
}

/** Workers have other ids elsewhere, and what was made first is of no importance. */
function comparable({ workers, pipes }: MafaldaRouterDump): unknown {
  return sorted({ workers: workers.map(({ pid, routers }) => ({ pid, routers })), pipes });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, sorted(member)]));
}
