import type { MafaldaRouter } from '../../src/index.ts';

/**
 * Creates more things than there are places, at once, and goes on until there is something in each place: a Worker that
 * was busy a moment ago comes last, however many places are free.
 */
export async function createInEveryPlace<T>(
  mafaldaRouter: MafaldaRouter,
  places: number,
  create: () => Promise<T>,
  atOnce = places + 2,
): Promise<T[]> {
  const created = await Promise.all(Array.from({ length: atOnce }, create));
  while (mafaldaRouter.routers.size < places && created.length < 100 * places) created.push(await create());
  return created;
}
