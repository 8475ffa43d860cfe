/**
 * Links whose two ends are known to exist and to be connected to each other: over them a pipe needs no request but its
 * own.
 */
import type { Transport } from 'mediasoup/types';
import { onceClosed } from '../core/onceClosed.ts';
import type { LinkEnd, LinkKind } from './endpoint.ts';

/** Ends by the ids of their Routers. */
type Ends = ReadonlyMap<string, LinkEnd>;

export class KnownLinks {
  readonly #links = new Map<string, Ends>();

  get size(): number {
    return this.#links.size;
  }

  /**
   * Returns the ends of the link between two Routers. They may have closed unnoticed: then `acceptPipe()` fails with a
   * StaleLinkError.
   */
  between(routerId: string, remoteRouterId: string, link: LinkKind): { near: LinkEnd; far: LinkEnd } | undefined {
    const ends = this.#links.get(keyOf(routerId, remoteRouterId, link));
    const [near, far] = [ends?.get(routerId), ends?.get(remoteRouterId)];
    return near && far && { near, far };
  }

  /** Records a link whose ends are connected to each other, until an end closes. */
  add(
    link: LinkKind,
    near: { routerId: string; end: LinkEnd; transport: Transport },
    far: { routerId: string; end: LinkEnd; transport: Transport },
  ): void {
    const key = keyOf(near.routerId, far.routerId, link);
    if (
      near.transport.closed ||
      far.transport.closed ||
      this.#links.get(key)?.get(near.routerId)?.transportId === near.end.transportId
    )
      return;
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

/** Returns the same key for both directions, since a link serves both. */
function keyOf(one: string, other: string, link: LinkKind): string {
  return one < other ? `${one} ${other} ${link}` : `${other} ${one} ${link}`;
}
