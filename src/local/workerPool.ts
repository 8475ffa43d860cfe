/**
 * The Workers of a Mafalda: shared by its MafaldaRouters, measured, and closed when they are empty. Workers of others
 * are only measured.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Index, WebRtcServerOptions, Worker, WorkerSettings } from 'mediasoup/types';
import { closeWorker } from '../core/workers/closeWorker.ts';
import { Decisions } from '../core/decisions.ts';
import { GraceTimers } from '../core/graceTimers.ts';
import { logger } from '../core/logger.ts';
import { onceClosed } from '../core/onceClosed.ts';
import { availableCores } from '../api/resources.ts';
import type { PipeReason, PlacementReason } from '../api/statistics.ts';
import { WorkerBudgetError } from '../api/errors.ts';
import { startWorker } from '../core/workers/startWorker.ts';
import { wasEndedBySignal } from '../core/workers/endedBySignal.ts';
import { PooledWorker } from './pooledWorker.ts';
import type { WorkerBudget } from './workerBudget.ts';

const log = logger('workers');

const CORES = availableCores();
const SAMPLE_INTERVAL_MS = 1000;
const IDLE_WORKER_GRACE_MS = 2000;

/** mediasoup's module API, as far as Mafalda needs it. */
export type Mediasoup = Pick<Index, 'createWorker'>;

export class WorkerPool {
  readonly webRtcServerOptions: WebRtcServerOptions | undefined;
  /** Placements on the Workers. */
  readonly placements = new Decisions<PlacementReason>('placement');
  /** Pipes between the Workers. */
  readonly pipes = new Decisions<PipeReason>('piping');
  /** Number of Workers that have died. */
  died = 0;
  readonly #mediasoup: Mediasoup;
  readonly #budget: WorkerBudget | undefined;
  /** Ends of processes and returns of shares that close() has to wait for. */
  readonly #ending = new Set<Promise<void>>();
  readonly #workers = new Set<PooledWorker>();
  /** Workers that others have made, and will close. */
  readonly #adopted = new Set<PooledWorker>();
  readonly #idle = new GraceTimers<PooledWorker>(IDLE_WORKER_GRACE_MS, pooled => this.#closeIfIdle(pooled));
  readonly #onEndedBySignal: () => void;
  #sampling: NodeJS.Timeout | undefined;

  /**
   * @param onEndedBySignal called when a signal has ended a Worker that no call has closed
   * @param budget limit for all processes of this machine; without it each Mafalda counts for itself
   * @param webRtcServerOptions options of the WebRtcServer that each Worker gets as soon as it is needed
   */
  constructor(
    mediasoup: Mediasoup,
    budget: WorkerBudget | undefined,
    onEndedBySignal: () => void,
    webRtcServerOptions?: WebRtcServerOptions,
  ) {
    this.#onEndedBySignal = onEndedBySignal;
    this.#mediasoup = mediasoup;
    this.#budget = budget;
    this.webRtcServerOptions = webRtcServerOptions;
  }

  get workers(): PooledWorker[] {
    return [...this.#workers].filter(({ ended }) => !ended);
  }

  /** All Workers that use CPU of this machine. */
  get measured(): PooledWorker[] {
    return [...this.workers, ...this.#adopted];
  }

  /** Load in percent of all cores. */
  get load(): number {
    let load = 0;
    for (const pooled of this.#workers) if (!pooled.ended) load += pooled.load;
    for (const pooled of this.#adopted) load += pooled.load;
    return load / CORES;
  }

  /** Whether another Worker may be created: by default a Worker per core, else as the budget says. */
  get mayCreateWorker(): boolean {
    return this.workers.length < (this.#budget?.max ?? CORES);
  }

  withSettings(settings: WorkerSettings): PooledWorker[] {
    return this.workers.filter(pooled => isDeepStrictEqual(pooled.settings, settings));
  }

  /**
   * Starts a Worker. The Worker counts at once, so that the next placement sees it; its `ready` rejects with a {@link
   * WorkerBudgetError} if the machine may have no more.
   */
  create(settings: WorkerSettings): PooledWorker {
    const pooled = new PooledWorker(settings, this.#start(settings));
    this.#workers.add(pooled);
    pooled.onceEnded(() => this.#forget(pooled));
    this.#startMeasuring();
    return pooled;
  }

  /** Counts another maker's Worker in the load. No object is placed on it, and it is not closed here. */
  adopt(worker: Worker): void {
    const pooled = new PooledWorker({}, Promise.resolve(worker));
    this.#adopted.add(pooled);
    this.#watchDeath(worker);
    onceClosed(worker, () => {
      this.#adopted.delete(pooled);
      this.#stopMeasuringIfIdle();
    });
    this.#startMeasuring();
  }

  /**
   * Starts a Worker, which ends again, unless a Worker runs already, or the budget has none left at present.
   * @throws {Error} if the Worker can't be started
   */
  async check(): Promise<void> {
    if (this.workers.some(({ id }) => id !== undefined)) return;
    try {
      await closeWorker(await this.#start({}));
    } catch (error) {
      if (!(error instanceof WorkerBudgetError)) throw error;
      log.warn('whether a Worker can be started is not known: %s', error.message);
    }
  }

  addRouter(pooled: PooledWorker): void {
    ++pooled.routers;
    this.#idle.cancel(pooled);
  }

  /** Starts the Worker's grace time when its last Router has gone. */
  releaseRouter(pooled: PooledWorker): void {
    --pooled.routers;
    if (pooled.routers === 0 && this.#workers.has(pooled)) this.#idle.start(pooled);
  }

  async close(): Promise<void> {
    this.#idle.clear();
    for (const pooled of this.workers) this.#end(pooled);
    // The end of a process is followed by the return of its share.
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    this.#adopted.clear();
    this.#stopMeasuringIfIdle();
  }

  async #start(settings: WorkerSettings): Promise<Worker> {
    await this.#budget?.take();
    try {
      const worker = await startWorker(this.#mediasoup, settings);
      this.#watchDeath(worker);
      worker.once('subprocessclose', () => this.#giveBack());
      return worker;
    } catch (error) {
      this.#giveBack();
      throw error;
    }
  }

  #watchDeath(worker: Worker): void {
    worker.once('died', error => {
      ++this.died;
      log.error('Worker %d has died: %s', worker.pid, error.message);
      if (wasEndedBySignal(error)) this.#onEndedBySignal();
    });
  }

  #giveBack(): void {
    if (!this.#budget) return;
    this.#await(
      this.#budget.giveBack().catch(error => log.warn('a Worker was not given back to the budget: %o', error)),
    );
  }

  #await(task: Promise<void>): void {
    this.#ending.add(task);
    void task.finally(() => this.#ending.delete(task));
  }

  #startMeasuring(): void {
    this.#sampling ??= setInterval(() => this.#measure(), SAMPLE_INTERVAL_MS).unref();
  }

  #stopMeasuringIfIdle(): void {
    if (this.#workers.size + this.#adopted.size > 0) return;
    clearInterval(this.#sampling);
    this.#sampling = undefined;
  }

  #measure(): void {
    for (const pooled of this.measured) {
      pooled.measure().catch(error => pooled.ended || log.warn('cannot measure a Worker: %o', error));
    }
  }

  #closeIfIdle(pooled: PooledWorker): void {
    if (pooled.routers === 0) this.#end(pooled);
  }

  /** Ends a Worker. No object may be placed on it from here on. */
  #end(pooled: PooledWorker): void {
    this.#forget(pooled);
    this.#await(pooled.ready.then(closeWorker, error => log.warn('a Worker never started: %o', error)));
  }

  #forget(pooled: PooledWorker): void {
    this.#workers.delete(pooled);
    this.#idle.cancel(pooled);
    this.#stopMeasuringIfIdle();
  }
}
