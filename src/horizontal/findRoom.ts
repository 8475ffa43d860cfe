/** Finds a MafaldaRouter that exists on nodes only, for a user of the tier above. Makes none where there is none. */
import { findMafaldaRouter, type FoundRoom, type SoughtRoom } from '../base/roomFinder.ts';
import { logger } from '../core/logger.ts';
import { within } from '../core/within.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { Directory } from './directory/directory.ts';
import type { HorizontalMafaldaRouter } from './horizontalMafaldaRouter.ts';
import type { NodePool } from './nodePool.ts';

const log = logger('horizontal');

/** Limit for the answers of nodes, in ms. */
const ANSWER_TIMEOUT_MS = 2000;

export interface FindOptions {
  readonly options: SoughtRoom;
  /** Whether all nodes are asked, or only those that are known to hold it. */
  readonly ask: boolean;
  readonly nodes: NodePool;
  readonly directory: Pick<Directory, 'watch'>;
}

/** A MafaldaHorizontal. */
interface Finder {
  readonly closed: boolean;
  readonly own: ReadonlyMap<string, HorizontalMafaldaRouter>;
  obtain(options: SoughtRoom): HorizontalMafaldaRouter;
}

/**
 * Finds the MafaldaRouter, attached to the nodes that have it; there is none if none answers in time that it does.
 * @throws {TypeError} if nodes have it with different `routerOptions` only
 */
export async function findRoom(
  finder: Finder,
  { options, ask, nodes, directory }: FindOptions,
): Promise<FoundRoom<HorizontalMafaldaRouter>> {
  let found: HorizontalMafaldaRouter | undefined;
  let refusal: TypeError | undefined;
  let isOver = false;
  let complete = 0;
  /** @returns whether the room is used here, with what the node has of it */
  const include = (node: ClusterNode): boolean => {
    if (finder.closed || !nodes.has(node)) return false;
    found ??= finder.own.get(options.id);
    // A room that is found too late counts only if it is in use by now.
    if (!found && isOver) return false;
    found ??= finder.obtain(options);
    found.include(node);
    return true;
  };
  const find = async (node: ClusterNode): Promise<void> => {
    try {
      if (!node.connected) await node.open();
      const { mafaldaRouter: part, isComplete } = await findMafaldaRouter(node.mafalda, options, ask, () =>
        include(node),
      );
      if (isComplete) ++complete;
      if (part && !part.closed && !include(node)) await part.leave();
    } catch (error) {
      if (error instanceof TypeError) refusal = error;
      log.warn('%s: %o', node.id, error);
    }
  };
  const connected = ask ? [...nodes].filter(node => node.connected) : [];
  const asking = connected.map(find);
  const { named, isTold } = await askDirectory({ options, ask, nodes, directory });
  const others = named.filter(node => node.isUsable && !connected.includes(node));
  await within(Promise.all([...asking, ...others.map(find)]), ANSWER_TIMEOUT_MS);
  isOver = true;
  if (!found && refusal) throw refusal;
  // A node that is known by its record has nothing of the room unless the directory names it.
  const all = [...nodes].filter(node => !node.isDormant || named.includes(node));
  return { mafaldaRouter: found?.closed ? undefined : found, isComplete: isTold && complete >= all.length };
}

/** Returns the nodes that the directory names, and whether it has answered. */
async function askDirectory({
  options,
  ask,
  nodes,
  directory,
}: FindOptions): Promise<{ named: ClusterNode[]; isTold: boolean }> {
  const watch = directory.watch(options.id);
  let isTold = false;
  // A directory that has answered may lack holders nevertheless: one that has just been emptied does.
  const known = (ask ? watch.refresh?.() : undefined) ?? watch.known;
  await within(
    known.then(all => (isTold = all)),
    ANSWER_TIMEOUT_MS,
  );
  watch.close();
  return { named: [...watch.urls].flatMap(url => nodes.find(url) ?? []), isTold };
}
