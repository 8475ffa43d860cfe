/** Links whose two ends are known to belong together, and to be there: over these a pipe needs nothing but itself. */
import type { Transport } from 'mediasoup/types';
import { onceClosed } from '../core/onceClosed.ts';
import type { LinkEnd, LinkKind } from './endpoint.ts';

/** By the id of the Router that it is in. */
type Ends = ReadonlyMap<string, LinkEnd>;

export class KnownLinks {
  readonly #links = new Map<string, Ends>();

  get size(): number {
    return this.#links.size;
  }

  /** The end in the second Router of its link to the first one. It may have closed without our knowing: then `acceptPipe()` tells. */
  farEnd(routerId: string, remoteRouterId: string, link: LinkKind): LinkEnd | undefined {
    return this.#links.get(keyOf(routerId, remoteRouterId, link))?.get(remoteRouterId);
  }

  /** To be called when both ends are connected to each other. It is known until one of them closes. */
  add(link: LinkKind, near: { routerId: string; end: LinkEnd; transport: Transport }, far: { routerId: string; end: LinkEnd; transport: Transport }): void {
    const key = keyOf(near.routerId, far.routerId, link);
    if (near.transport.closed || far.transport.closed || this.#links.get(key)?.get(near.routerId)?.transportId === near.end.transportId) return;
    const ends: Ends = new Map([
      [near.routerId, { ...near.end, connectedTo: far.end.transportId }],
      [far.routerId, { ...far.end, connectedTo: near.end.transportId }],
    ]);
    this.#links.set(key, ends);
    const forget = (): void => void (this.#links.get(key) === ends && this.#links.delete(key));
    onceClosed(near.transport, forget);
    onceClosed(far.transport, forget);
  }
}

/** A link serves both directions. */
function keyOf(one: string, other: string, link: LinkKind): string {
  return one < other ? `${one} ${other} ${link}` : `${other} ${one} ${link}`;
}
