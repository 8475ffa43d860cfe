/**
 * Paths of copies: the Routers through which a stream comes into a Router, the origin's first. A pipe carries its path, so
 * that each place knows its depth, and whom it must never ask.
 */
import type { Router } from 'mediasoup/types';

export type Path = readonly string[];

/** Paths of the copies in each Router, by the ids of their streams. */
const paths = new WeakMap<Router, Map<string, Path>>();
const noPath: Path = [];

/**
 * Notes the path of a copy that is about to be made.
 * @returns to be called when the copy is gone, or could not be made
 */
export function notePath(router: Router, streamId: string, path: Path): () => void {
  const ofRouter = paths.get(router) ?? new Map<string, Path>();
  paths.set(router, ofRouter);
  ofRouter.set(streamId, path);
  // Another copy may have been made by then.
  return () => void (ofRouter.get(streamId) === path && ofRouter.delete(streamId));
}

/** Returns the path of a stream into a Router; empty for the origin. */
export function pathOf(router: Router, streamId: string): Path {
  return paths.get(router)?.get(streamId) ?? noPath;
}
