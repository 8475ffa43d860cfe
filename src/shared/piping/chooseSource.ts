import type { Router } from 'mediasoup/types';
import type { StreamInRouter } from './streams.ts';

/** Pipes between a Producer and a Router that has its stream: each adds delay, and one more that can fail. */
const MAX_DEPTH = 4;

/**
 * Where the next pipe of a stream starts. Each pipe in between adds delay, so fan-out goes before depth: the Router that is
 * nearest to the stream's own Producer and has room, the least loaded of those that are equally near. If none has room,
 * the least loaded of all. In neither case one from where it would be more than four pipes.
 */
export function chooseSource(places: readonly StreamInRouter[], loadOf: (router: Router) => number, watermark: number): StreamInRouter {
  const all = places.map(place => ({ place, depth: depthOf(place, places), load: loadOf(place.router) }));
  const near = all.filter(({ depth }) => depth < MAX_DEPTH);
  // Where the stream has come from is not always known.
  const candidates = near.length > 0 ? near : all;
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
