import type { Router } from 'mediasoup/types';
import type { StreamInRouter } from './streams.ts';

/**
 * Where the next pipe of a stream starts. Each pipe in between adds delay, so fan-out goes before depth: the Router that is
 * nearest to the stream's own Producer and has room, the least loaded of those that are equally near. If none has room,
 * the least loaded of all.
 */
export function chooseSource(places: readonly StreamInRouter[], loadOf: (router: Router) => number, watermark: number): StreamInRouter {
  const candidates = places.map(place => ({ place, depth: depthOf(place, places), load: loadOf(place.router) }));
  const withRoom = candidates.filter(({ load }) => load < watermark);
  const [choice] = withRoom.length > 0 ? withRoom.sort((a, b) => a.depth - b.depth || a.load - b.load) : candidates.sort((a, b) => a.load - b.load);
  return choice!.place;
}

/** How many pipes are between the stream's own Producer and this place. */
function depthOf(place: StreamInRouter, places: readonly StreamInRouter[]): number {
  let depth = 0;
  // Bounded, since a stream that comes back to where it was is no tree.
  for (let current: StreamInRouter | undefined = place; current?.piped && depth < places.length; ++depth) {
    const source: string | undefined = current.from;
    current = places.find(({ router }) => router.id === source);
  }
  return depth;
}
