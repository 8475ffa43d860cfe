import type { Router } from 'mediasoup/types';
import type { StreamInRouter } from './streams.ts';

/**
 * Where the next pipe of a stream starts: at its own Producer's Router while that one has room, since each pipe in between
 * adds delay; else at the least loaded Router that has the stream.
 */
export function chooseSource(places: StreamInRouter[], loadOf: (router: Router) => number, watermark: number): StreamInRouter {
  const byLoad = [...places].sort((a, b) => loadOf(a.router) - loadOf(b.router));
  const original = byLoad.find(({ piped, router }) => !piped && loadOf(router) < watermark);
  return original ?? byLoad[0]!;
}
