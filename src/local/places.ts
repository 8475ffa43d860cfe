/** Places of a MafaldaRouter: a Router of its own on each Worker that it uses. */
import type { Router, WebRtcServer, WebRtcServerOptions, Worker } from 'mediasoup/types';
import { ClosedError, LimitError, WorkerBudgetError } from '../api/errors.ts';
import { GraceTimers } from '../core/graceTimers.ts';
import { onceClosed, type Closable } from '../core/onceClosed.ts';
import type { ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import type { PlacementReason } from '../api/statistics.ts';
import type { ObjectTree } from '../core/objectTree.ts';
import type { Candidate } from '../placement/selection.ts';
import type { WorkerStreamIds } from './aliases.ts';
import { placeOnWorker } from '../placement/placeOnWorker.ts';
import type { PooledWorker } from './pooledWorker.ts';
import type { WorkerPool } from './workerPool.ts';

const IDLE_ROUTER_GRACE_MS = 2000;

interface Place {
  readonly pooled: PooledWorker;
  readonly ready: Promise<Router>;
  router?: Router;
  /** Number of objects that are being created in the Router. */
  pending: number;
}

export interface PlacesListener {
  onRouter(router: Router, worker: Worker): void;
  onWorkerDied(worker: Worker, error: Error): void;
}

export class Places {
  readonly #pool: WorkerPool;
  readonly #options: ResolvedMafaldaRouterOptions;
  readonly #tree: ObjectTree;
  readonly #listener: PlacesListener;
  readonly #places = new Map<PooledWorker, Place>();
  readonly #idle = new GraceTimers<Place>(IDLE_ROUTER_GRACE_MS, place => this.#closeIfIdle(place));
  readonly #created = new Set<PooledWorker>();
  #closed = false;

  constructor(pool: WorkerPool, options: ResolvedMafaldaRouterOptions, tree: ObjectTree, listener: PlacesListener) {
    this.#pool = pool;
    this.#options = options;
    this.#tree = tree;
    this.#listener = listener;
    tree.on('remove', ({ parent }) => {
      const place = parent?.type === 'router' ? this.#placeOf(parent.object) : undefined;
      if (place) this.#closeLaterIfIdle(place);
    });
  }

  get workers(): PooledWorker[] {
    return [...this.#places.keys()];
  }

  /** Creates an object in the Router that placement chooses. */
  async create<T extends Closable>(make: (router: Router) => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const { pooled: chosen, reason } = this.#chooseWorker();
    const noteAt = ({ id }: PooledWorker, noted: PlacementReason): void =>
      this.#pool.placements.note(noted, {
        room: this.#options.id,
        worker: id,
        ms: Math.round(performance.now() - startedAt),
      });
    try {
      const created = await this.#createAt(chosen, make);
      noteAt(chosen, reason);
      return created;
    } catch (error) {
      if (!chosen.neverStarted) throw error;
      // The new Worker can't, or may not, be started: a running Worker is used instead, if there is any.
      const workers = this.#candidates().filter(({ pooled }) => pooled.id !== undefined);
      const choice = placeOnWorker({ workers, watermark: this.#options.watermarkWorker, mayCreateWorker: false });
      if (choice === undefined || choice === 'new') throw error;
      const created = await this.#createAt(choice.pooled, make);
      noteAt(choice.pooled, 'retried');
      return created;
    }
  }

  async #createAt<T extends Closable>(pooled: PooledWorker, make: (router: Router) => Promise<T>): Promise<T> {
    // The object is counted before the first `await`, so that a burst of calls does not land on a single Worker.
    const place = this.#places.get(pooled) ?? this.#open(pooled);
    const release = pooled.reserve();
    ++place.pending;
    try {
      const created = await make(await place.ready);
      onceClosed(created, release);
      return created;
    } catch (error) {
      release();
      throw error;
    } finally {
      --place.pending;
      if (this.#places.has(pooled)) this.#closeLaterIfIdle(place);
    }
  }

  /** Returns the load of the Router's Worker, in percent of one core. */
  loadOf(router: Router): number {
    return this.#placeOf(router)?.pooled.load ?? 0;
  }

  /** Returns the load of a Worker, in percent of one core, by its id. */
  loadOfWorker(id: string): number {
    return this.workers.find(pooled => pooled.id === id)?.load ?? 0;
  }

  /**
   * Creates an object with the WebRtcServer of the Router's Worker. If there are fewer ports than Workers, the Workers
   * with a WebRtcServer do the work.
   */
  async createWithWebRtcServer<T extends Closable>(
    options: WebRtcServerOptions,
    make: (router: Router, webRtcServer: WebRtcServer) => Promise<T>,
  ): Promise<T> {
    const refused = new Set<unknown>();
    const makeThere = async (router: Router): Promise<T> => {
      const webRtcServer = await this.#webRtcServerOf(router, options).catch((error: unknown) => {
        refused.add(error);
        throw error;
      });
      return make(router, webRtcServer);
    };
    try {
      return await this.create(makeThere);
    } catch (error) {
      if (!refused.has(error)) throw error;
      const workers = this.#candidates().filter(({ pooled }) => pooled.hasWebRtcServer);
      const choice = placeOnWorker({ workers, watermark: this.#options.watermarkWorker, mayCreateWorker: false });
      if (choice === undefined || choice === 'new') throw error;
      return this.#createAt(choice.pooled, makeThere);
    }
  }

  async #webRtcServerOf(router: Router, options: WebRtcServerOptions): Promise<WebRtcServer> {
    const place = this.#placeOf(router);
    if (!place) throw new ClosedError('the Router was closed while a Transport was being created in it');
    return place.pooled.webRtcServer(options);
  }

  /** Returns the stream ids that are taken in the Router's Worker. */
  streamIdsOf(router: Router): WorkerStreamIds | undefined {
    return this.#placeOf(router)?.pooled.streamIds;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#idle.clear();
    const places = [...this.#places.values()];
    for (const { router } of places) router?.close();
    // A Router that is being created closes as soon as it exists.
    await Promise.allSettled(places.map(({ ready }) => ready));
  }

  #candidates(): (Candidate & { pooled: PooledWorker })[] {
    return this.#pool.withSettings(this.#options.workerSettings).map(pooled => ({
      pooled,
      load: pooled.load,
      placed: pooled.placed,
      hasRouter: this.#places.has(pooled),
    }));
  }

  #chooseWorker(): { pooled: PooledWorker; reason: PlacementReason } {
    const { maxWorkers, watermarkWorker, workerSettings } = this.#options;
    const created = [...this.#created].filter(({ ended }) => !ended).length;
    const mayCreateWorker = created < maxWorkers && this.#pool.mayCreateWorker;
    const choice = placeOnWorker({ workers: this.#candidates(), watermark: watermarkWorker, mayCreateWorker });
    if (choice === undefined) {
      if (maxWorkers > 0)
        throw new WorkerBudgetError(
          'every core has its Worker already, and none of them has these workerSettings: give all MafaldaRouters the same, or a larger workerBudget',
        );
      throw new LimitError(
        'there is no Worker with these workerSettings to share, and with maxWorkers 0 none may be created',
        { limit: 'maxWorkers', max: maxWorkers },
      );
    }
    if (choice !== 'new') {
      const { pooled, load, hasRouter } = choice;
      return { pooled, reason: load >= watermarkWorker ? 'full' : hasRouter ? 'used' : 'further' };
    }
    const pooled = this.#pool.create(workerSettings);
    this.#created.add(pooled);
    pooled.onceEnded(() => this.#created.delete(pooled));
    return { pooled, reason: 'started' };
  }

  #open(pooled: PooledWorker): Place {
    const place: Place = { pooled, ready: this.#createRouter(pooled), pending: 0 };
    this.#places.set(pooled, place);
    this.#pool.addRouter(pooled);
    place.ready.then(
      router => {
        place.router = router;
        onceClosed(router, () => this.#forget(place));
      },
      () => this.#forget(place),
    );
    return place;
  }

  async #createRouter(pooled: PooledWorker): Promise<Router> {
    const worker = await pooled.ready;
    const router = await worker.createRouter(this.#options.routerOptions);
    if (this.#closed) {
      router.close();
      throw new ClosedError('the MafaldaRouter was closed while a Router was being created for it');
    }
    const onDied = (error: Error): void => this.#listener.onWorkerDied(worker, error);
    worker.once('died', onDied);
    onceClosed(router, () => worker.died || worker.off('died', onDied));
    this.#listener.onRouter(router, worker);
    return router;
  }

  #closeLaterIfIdle(place: Place): void {
    if (this.#isIdle(place)) this.#idle.start(place);
  }

  #closeIfIdle(place: Place): void {
    if (this.#isIdle(place)) place.router?.close();
  }

  #isIdle({ router, pending }: Place): boolean {
    return router !== undefined && pending === 0 && !this.#tree.nodeOf<'router'>(router)?.children.size;
  }

  #forget(place: Place): void {
    this.#places.delete(place.pooled);
    this.#idle.cancel(place);
    this.#pool.releaseRouter(place.pooled);
  }

  #placeOf(router: Router): Place | undefined {
    for (const place of this.#places.values()) if (place.router === router) return place;
    return undefined;
  }
}
