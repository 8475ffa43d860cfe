/** Choice of the place of a stream that its next pipe starts from. */
import type { Router } from 'mediasoup/types';
import { LOAD_MARGIN, MAX_DEPTH } from './delegation/policy.ts';
import type { StreamInRouter } from './streams.ts';

export interface SourceOptions {
  /** Returns a Router's load, in percent. */
  loadOf: (router: Router) => number;
  /** Load, in percent, below which a Router has room. */
  watermark: number;
  /** Returns whether a Router's machine has its share of the stream's pipes; default: it takes any number. */
  isFull?: (router: Router) => boolean;
  /** Returns whether media gets from this Router to the destination; default: from all Routers. */
  reaches?: (router: Router) => boolean;
}

/**
 * Chooses the place where the next pipe of a stream starts. Each pipe in between adds delay, so fan-out goes before
 * depth: the choice is the Router with room that is nearest to the stream's origin, the least loaded of equally near
 * Routers; or, if no Router has room, the nearest of those that are about as little loaded as the least loaded one.
 * Routers from which the stream would come through more than four pipes are left out, unless there are no others.
 * @returns undefined if none of the places reaches the destination
 */
export function chooseSource(
  places: readonly StreamInRouter[],
  { loadOf, watermark, isFull = () => false, reaches = () => true }: SourceOptions,
): StreamInRouter | undefined {
  const usable = places.filter(({ router }) => reaches(router));
  const byRouter = new Map(places.map(place => [place.router.id, place]));
  const all = usable.map(place => ({ place, depth: depthOf(place, byRouter), load: loadOf(place.router) }));
  const near = all.filter(({ depth }) => depth < MAX_DEPTH);
  // The depth may be wrong, since a place's source is not always known: so places that seem too deep are better than
  // none.
  const candidates = near.length > 0 ? near : all;
  const withRoom = candidates.filter(({ place, load }) => load < watermark && !isFull(place.router));
  const least = Math.min(...candidates.map(({ load }) => load));
  const leastLoaded = candidates.filter(({ load }) => load <= least + LOAD_MARGIN);
  const [choice] = (withRoom.length > 0 ? withRoom : leastLoaded).sort((a, b) => a.depth - b.depth || a.load - b.load);
  return choice?.place;
}

/** Returns the number of pipes between the stream's origin and this place. */
function depthOf(place: StreamInRouter, byRouter: ReadonlyMap<string, StreamInRouter>): number {
  let depth = 0;
  // The loop is bounded, since the sources may form a circle.
  for (let current: StreamInRouter | undefined = place; current?.piped && depth < byRouter.size; ++depth) {
    current = current.from === undefined ? undefined : byRouter.get(current.from);
  }
  return depth;
}
