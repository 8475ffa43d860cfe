/**
 * MafaldaRouters that a Mafalda holds: those that have Routers in it. A MafaldaRouter that is only attached to holds
 * nothing, so that two controllers do not keep each other's empty parts open.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Router } from 'mediasoup/types';
import type { MafaldaApi, MafaldaRouter } from '../api/types.ts';

export type HeldRoomsEvents = {
  /** A MafaldaRouter has got its first Router. */
  held: [id: string];
  /** A MafaldaRouter has lost its last Router. */
  released: [id: string];
};

/** Ids of the MafaldaRouters that a Mafalda holds, as far as they are known at present. */
export interface HeldRooms extends EnhancedEventEmitter<HeldRoomsEvents>, Iterable<string> {
  readonly size: number;
  has(id: string): boolean;
  /** Resolves when all are known that are held at present, or can't be known at present. Never rejects. */
  readonly known: Promise<void>;
}

/** Follows the MafaldaRouters of a Mafalda in this process, whichever implementation it is. */
export class OwnRooms extends EnhancedEventEmitter<HeldRoomsEvents> implements HeldRooms {
  readonly known = Promise.resolve();
  readonly #routers = new Map<string, Set<Router>>();

  /** @param mafalda is followed for as long as it lives */
  constructor(mafalda: Pick<MafaldaApi, 'mafaldaRouters' | 'on'>) {
    super();
    for (const mafaldaRouter of mafalda.mafaldaRouters.values()) this.#follow(mafaldaRouter);
    mafalda.on('newmafaldarouter', mafaldaRouter => this.#follow(mafaldaRouter));
  }

  get size(): number {
    return this.#routers.size;
  }

  has(id: string): boolean {
    return this.#routers.has(id);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#routers.keys();
  }

  #follow(mafaldaRouter: MafaldaRouter): void {
    const { id } = mafaldaRouter;
    for (const router of mafaldaRouter.routers.values()) this.#add(id, router);
    mafaldaRouter.on('newrouter', router => this.#add(id, router));
  }

  #add(id: string, router: Router): void {
    if (router.closed) return;
    const routers = this.#routers.get(id);
    if (routers) routers.add(router);
    else this.#routers.set(id, new Set([router]));
    router.observer.once('close', () => this.#remove(id, router));
    if (!routers) this.emit('held', id);
  }

  #remove(id: string, router: Router): void {
    const routers = this.#routers.get(id);
    if (!routers?.delete(router) || routers.size > 0) return;
    this.#routers.delete(id);
    this.emit('released', id);
  }
}
