import type { Router } from 'mediasoup/types';
import type { StreamInRouter } from './streams.ts';

/** Pipes between a Producer and a Router that has its stream: each adds delay, and one more that can fail. */
const MAX_DEPTH = 4;

export interface SourceOptions {
  /** In percent. */
  loadOf: (router: Router) => number;
  /** Load percentage below which a Router has room. */
  watermark: number;
  /** Whether media gets from this Router to where the stream is wanted; default: from all. */
  reaches?: (router: Router) => boolean;
}

/**
 * Where the next pipe of a stream starts. Each pipe in between adds delay, so fan-out goes before depth: the Router that is
 * nearest to the stream's own Producer and has room, the least loaded of those that are equally near. If none has room,
 * the least loaded of all. In neither case one from where it would be more than four pipes.
 * @returns undefined if none of them reaches the place where it is wanted
 */
export function chooseSource(places: readonly StreamInRouter[], { loadOf, watermark, reaches = () => true }: SourceOptions): StreamInRouter | undefined {
  const usable = places.filter(({ router }) => reaches(router));
  const byRouter = new Map(places.map(place => [place.router.id, place]));
  const all = usable.map(place => ({ place, depth: depthOf(place, byRouter), load: loadOf(place.router) }));
  const near = all.filter(({ depth }) => depth < MAX_DEPTH);
  // Where the stream has come from is not always known.
  const candidates = near.length > 0 ? near : all;
  const withRoom = candidates.filter(({ load }) => load < watermark);
  const [choice] = withRoom.length > 0 ? withRoom.sort((a, b) => a.depth - b.depth || a.load - b.load) : candidates.sort((a, b) => a.load - b.load);
  return choice?.place;
}

/** How many pipes are between the stream's own Producer and this place. */
function depthOf(place: StreamInRouter, byRouter: ReadonlyMap<string, StreamInRouter>): number {
  let depth = 0;
  // Bounded, since a stream that comes back to where it was is no tree.
  for (let current: StreamInRouter | undefined = place; current?.piped && depth < byRouter.size; ++depth) {
    current = current.from === undefined ? undefined : byRouter.get(current.from);
  }
  return depth;
}
