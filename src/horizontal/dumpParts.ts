/** Dump of a MafaldaRouter that is spread over nodes. */
import { dumpTree } from '../base/dumpTree.ts';
import { orphansIn } from '../base/orphanLists.ts';
import type { MafaldaRouterDump } from '../api/dump.ts';
import type { ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import type { PipeableMafaldaRouter } from '../base/pipeableMafaldaRouter.ts';
import { askNodes, pathTo } from './askNodes.ts';
import type { ClusterNode } from './clusterNode.ts';

/** Resolves with the dumps of all parts as one. Shows the state known here of nodes that can't be asked at present. */
export async function dumpParts(
  parts: ReadonlyMap<ClusterNode, PipeableMafaldaRouter>,
  resolved: ResolvedMafaldaRouterOptions,
): Promise<MafaldaRouterDump> {
  const { id, ...options } = resolved;
  const answers = await askNodes([...parts.keys()], async node =>
    node.connected ? parts.get(node)?.dump() : undefined,
  );
  const dumps = [...parts].map(([node, part], index) => {
    const answer = answers[index];
    const dump = isDump(answer) ? answer : dumpTree(part.tree, resolved, () => 0);
    // Foreign implementations of the Mafalda API may have no orphans in their dump.
    return [node, { ...dump, orphans: [...(dump.orphans ?? []), ...orphansIn(part)] }] as const;
  });
  return {
    id,
    options,
    workers: dumps.flatMap(([node, dump]) =>
      dump.workers.map(worker => ({ ...worker, node: pathTo(node, worker.node) })),
    ),
    pipes: dumps.flatMap(([, dump]) => dump.pipes),
    orphans: dumps.flatMap(([node, { orphans }]) =>
      orphans.map(orphan => ({ ...orphan, node: pathTo(node, orphan.node) })),
    ),
  };
}

/** Returns whether a node's answer is a dump, as far as its members are used here. */
function isDump(dump: MafaldaRouterDump | undefined): dump is MafaldaRouterDump {
  return (
    Array.isArray(dump?.workers) &&
    dump.workers.every(worker => typeof worker === 'object' && worker !== null) &&
    Array.isArray(dump.pipes)
  );
}
