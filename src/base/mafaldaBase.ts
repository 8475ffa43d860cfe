/** Base of all Mafaldas: the members that do not depend on the kind of their MafaldaRouters. */
import { isDeepStrictEqual } from 'node:util';
import type { Index, Router, RtpObserver, Transport, Worker } from 'mediasoup/types';
import type { MafaldaDump } from '../api/dump.ts';
import { ClosedError } from '../api/errors.ts';
import type { LoadReport } from '../api/load.ts';
import { OwnRooms, type HeldRooms } from '../core/heldRooms.ts';
import { logRejections } from '../core/logRejections.ts';
import type { ModuleScope } from './moduleScope.ts';
import { ObjectTree } from '../core/objectTree.ts';
import { resolveMafaldaRouterOptions, type ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import { PublicEmitter } from '../core/publicEmitter.ts';
import { ReadOnlyMap } from '../core/readOnlyMap.ts';
import type {
  MafaldaApi,
  MafaldaEvents,
  MafaldaRouter,
  MafaldaRouterOptions,
  MafaldaRouterState,
  ResourceUsages,
} from '../api/types.ts';
import type { PipeableMafaldaRouter } from './pipeableMafaldaRouter.ts';
import type { FoundRoom, OnSeen, SoughtRoom } from './roomFinder.ts';
import { noteUsedHere } from './usedHere.ts';

export abstract class MafaldaBase<R extends PipeableMafaldaRouter, Events extends MafaldaEvents = MafaldaEvents>
  extends PublicEmitter<Events>
  implements MafaldaApi
{
  readonly mafaldaRouters: ReadonlyMap<string, MafaldaRouter>;
  /**
   * The same MafaldaRouters as the layers of this package see them.
   * @internal
   */
  readonly own: ReadonlyMap<string, R>;
  readonly #mafaldaRouters = new Map<string, R>();
  protected readonly tree: ObjectTree;
  #closed = false;
  #released: Promise<void> | undefined;
  #heldRooms: HeldRooms | undefined;

  readonly #scope: ModuleScope;

  /** @param tree given by Mafaldas that need more of it than its Maps */
  constructor(scope: ModuleScope, tree = new ObjectTree(undefined, true)) {
    super();
    this.tree = tree;
    logRejections(this, [
      'findMafaldaRouter',
      'listMafaldaRouters',
      'closeAllMafaldaRouters',
      'getResourceUsages',
      'dump',
      'drain',
      'undrain',
      'close',
    ]);
    this.#scope = scope;
    this.own = new ReadOnlyMap(this.#mafaldaRouters);
    this.mafaldaRouters = this.own;
  }

  abstract get load(): number;
  abstract get loadReport(): LoadReport;
  abstract readonly mediasoup: Index;
  abstract getResourceUsages(): Promise<ResourceUsages>;
  protected abstract makeMafaldaRouter(options: ResolvedMafaldaRouterOptions, given: MafaldaRouterOptions): R;
  /** Closes the objects that this instance has created, and the resources behind them. */
  protected abstract release(): Promise<void>;

  get closed(): boolean {
    return this.#closed;
  }

  get workers(): ReadonlyMap<string, Worker> {
    return this.tree.workers;
  }

  get routers(): ReadonlyMap<string, Router> {
    return this.tree.routers;
  }

  get transports(): ReadonlyMap<string, Transport> {
    return this.tree.transports;
  }

  get rtpObservers(): ReadonlyMap<string, RtpObserver> {
    return this.tree.rtpObservers;
  }

  createMafaldaRouter(options?: MafaldaRouterOptions): MafaldaRouter {
    const mafaldaRouter = this.obtain(options);
    noteUsedHere(mafaldaRouter);
    return mafaldaRouter;
  }

  /**
   * Makes a MafaldaRouter, or returns the existing one, as the layers of this package see it.
   * @internal
   */
  obtain(options?: MafaldaRouterOptions): R {
    if (this.#closed) throw new ClosedError(`this ${this.constructor.name} is closed: make another one`);
    const resolved = resolveMafaldaRouterOptions(options);
    const existing = this.#mafaldaRouters.get(resolved.id);
    if (existing && !existing.closed) {
      if (options?.routerOptions && !isDeepStrictEqual(options.routerOptions, existing.routerOptions)) {
        throw new TypeError(`MafaldaRouter "${resolved.id}" exists with different routerOptions`);
      }
      return existing;
    }
    const mafaldaRouter = this.makeMafaldaRouter(resolved, options ?? {});
    this.#mafaldaRouters.set(resolved.id, mafaldaRouter);
    this.tree.include(mafaldaRouter.tree);
    this.#scope.addInstance(this);
    this.#scope.addMafaldaRouter(mafaldaRouter);
    mafaldaRouter.once('close', () => {
      if (this.#mafaldaRouters.get(resolved.id) === mafaldaRouter) this.#mafaldaRouters.delete(resolved.id);
      this.tree.exclude(mafaldaRouter.tree);
      this.#scope.removeMafaldaRouter(mafaldaRouter);
    });
    (this as PublicEmitter<MafaldaEvents>).safeEmit('newmafaldarouter', mafaldaRouter);
    return mafaldaRouter;
  }

  /**
   * Ids of the MafaldaRouters that have Routers here. Followed from the first access on.
   * @internal
   */
  get heldRooms(): HeldRooms {
    return (this.#heldRooms ??= this.followRooms());
  }

  /**
   * Attaches to a MafaldaRouter if it exists here.
   * @internal
   */
  async findMafaldaRouter(...[options]: [options: SoughtRoom, ask: boolean, onSeen: OnSeen]): Promise<FoundRoom<R>> {
    const exists = this.#mafaldaRouters.has(options.id);
    return { mafaldaRouter: exists ? this.obtain(options) : undefined, isComplete: true };
  }

  async listMafaldaRouters(): Promise<MafaldaRouterState[]> {
    return [...this.own.values()].map(({ id, tree }) => ({
      id,
      holders: [{ clients: [], objects: tree.size }],
    }));
  }

  async closeAllMafaldaRouters(): Promise<void> {
    await Promise.all([...this.mafaldaRouters.values()].map(mafaldaRouter => mafaldaRouter.close()));
  }

  async dump(): Promise<MafaldaDump> {
    const mafaldaRouters = [...this.mafaldaRouters.values()].map(mafaldaRouter => mafaldaRouter.dump());
    return { load: this.load, mafaldaRouters: await Promise.all(mafaldaRouters) };
  }

  async close(): Promise<void> {
    this.#released ??= this.#close();
    await this.#released;
  }

  /**
   * Begins to follow the MafaldaRouters that have Routers here. Called once.
   * @internal
   */
  protected followRooms(): HeldRooms {
    return new OwnRooms(this);
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#scope.removeInstance(this);
    await this.release();
    (this as PublicEmitter<MafaldaEvents>).safeEmit('close');
  }
}
