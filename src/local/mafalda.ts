/** A Mafalda of this process: a pool of Workers, and the MafaldaRouters on them. */
import { Addresses, reachable } from '../core/addresses/addresses.ts';
import { NodeUnavailableError } from '../api/errors.ts';
import { WorkerCounts } from '../base/workerCounts.ts';
import type { LoadReport } from '../api/load.ts';
import { MafaldaBase } from '../base/mafaldaBase.ts';
import type { ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import { resolveOptions } from '../api/optionsSchema.ts';
import type { MafaldaStatistics } from '../api/statistics.ts';
import { describeGiven } from '../api/describeGiven.ts';
import type { MafaldaApi, ResourceUsages } from '../api/types.ts';
import type { Index, WebRtcServerOptions, Worker } from 'mediasoup/types';
import { ObjectTree } from '../core/objectTree.ts';
import { ModuleScope, packageScope } from '../base/moduleScope.ts';
import { HostMeter } from './hostMeter.ts';
import { LocalMafaldaRouter } from './localMafaldaRouter.ts';
import { usagesOf } from './usagesOf.ts';
import { mafaldaOptions, type MafaldaOptions } from './mafaldaOptions.ts';
import { WorkerBudget } from './workerBudget.ts';
import { WorkerPool } from './workerPool.ts';

const ENDED_BY_SIGNAL =
  'a signal has ended a mediasoup Worker, though nobody has closed it: calls on it are cut off, and as long as no other one runs, nothing new is created here for 15 s. ' +
  'A service manager that signals each process of a service has to leave that to this one (systemd: KillMode=mixed): see "Signals" in docs/guides/media-servers.md';

export const scope = new ModuleScope(packageScope);

/**
 * All CPU cores of this machine as one: its MafaldaRouters spread over as many mediasoup Workers as the load needs.
 *
 * ```ts
 * import * as mediasoup from 'mediasoup';
 * import { Mafalda } from 'mafalda-horizontal/mafalda';
 *
 * const mafalda = new Mafalda(mediasoup, { announcedAddress: '203.0.113.7' });
 * const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
 * const transport = await room.createWebRtcTransport();
 * const producer = await transport.produce({ kind, rtpParameters });
 * await mafalda.close();
 * ```
 */
export class Mafalda extends MafaldaBase<LocalMafaldaRouter> implements MafaldaApi {
  /**
   * mediasoup module that makes the Workers. Workers that an application makes with it are the application's to close.
   */
  readonly mediasoup: Index;
  /** Options of the WebRtcServers, with announced addresses filled in for wildcards. */
  readonly webRtcServerOptions: WebRtcServerOptions | undefined;
  /** True: all Workers are on this machine. */
  readonly local = true;
  readonly #pool: WorkerPool;
  readonly #addresses: Addresses;
  readonly #idlePipeTimeout: number;
  readonly #host = new HostMeter();
  #isSignalReported = false;
  /** Objects in the Workers that others have made. */
  readonly #adopted = new ObjectTree();
  readonly #counts = [this.tree, this.#adopted].map(tree => new WorkerCounts(tree));

  /**
   * @param mediasoup the module `mediasoup`, or any object with its API
   * @throws {TypeError} for an option that is unknown or out of its range
   */
  constructor(mediasoup: Index, options: MafaldaOptions = {}) {
    super(scope, new ObjectTree());
    const resolved = resolveOptions('Mafalda', mafaldaOptions, options);
    if (typeof mediasoup?.createWorker !== 'function') {
      throw new TypeError(
        `Mafalda: the first argument must be the mediasoup module, as in new Mafalda(await import('mediasoup')); ${describeGiven(mediasoup)}`,
      );
    }
    this.mediasoup = mediasoup;
    const { workerBudget, webRtcServerOptions, idlePipeTimeout } = resolved;
    this.#idlePipeTimeout = idlePipeTimeout;
    this.webRtcServerOptions = webRtcServerOptions && {
      ...webRtcServerOptions,
      listenInfos: webRtcServerOptions.listenInfos.map(reachable),
    };
    this.#addresses = new Addresses(resolved, webRtcServerOptions?.listenInfos);
    const budget = workerBudget === false ? undefined : new WorkerBudget(workerBudget);
    this.#pool = new WorkerPool(mediasoup, budget, () => this.#onEndedBySignal(), this.webRtcServerOptions);
  }

  get load(): number {
    return this.#pool.load;
  }

  get loadReport(): LoadReport {
    const cpus = new Map(this.#pool.measured.map(({ id, cpu }) => [id, cpu]));
    const workers = this.#counts.flatMap(counts => counts.loads(id => cpus.get(id) ?? 0));
    return { load: this.load, workers, hosts: [this.#host.read()] };
  }

  /** Counts of decisions since the start. */
  get statistics(): MafaldaStatistics {
    const { placements, pipes, died } = this.#pool;
    return {
      placements: placements.counts,
      pipes: pipes.counts,
      diedWorkers: died,
      refusals: {},
      nodes: [],
      linksDown: 0,
    };
  }

  /**
   * Counts a Worker that was made with `mediasoup` in `load` and `loadReport`; its maker still has to close it.
   * Idempotent.
   * @throws {TypeError} if the argument is not a Worker
   */
  adopt(worker: Worker): void {
    if (typeof worker?.getResourceUsage !== 'function') throw new TypeError('adopt() needs a Worker of mediasoup');
    if (this.closed || worker.closed || this.#adopted.nodeOf<'worker'>(worker)) return;
    this.#pool.adopt(worker);
    this.#adopted.addWorker(worker, String(worker.pid));
  }

  /**
   * Makes sure that a Worker can be started, by starting a Worker that ends again. Does nothing if a Worker runs
   * already, or if other processes have all Workers that this machine may have (`workerBudget`).
   * @throws {Error} if no Worker can be started, with the path of the binary
   */
  async ensureWorker(): Promise<void> {
    await this.#pool.check();
  }

  getResourceUsages(): Promise<ResourceUsages> {
    return usagesOf(this.#pool.workers);
  }

  protected makeMafaldaRouter(options: ResolvedMafaldaRouterOptions): LocalMafaldaRouter {
    return new LocalMafaldaRouter(this.#pool, this.#addresses, options, this.#idlePipeTimeout);
  }

  /** Reports the end of Workers by a signal once, since all of them end together, as a rule. */
  #onEndedBySignal(): void {
    if (this.closed || this.#isSignalReported) return;
    this.#isSignalReported = true;
    if (this.listenerCount('error') > 0) this.reportError(new NodeUnavailableError(ENDED_BY_SIGNAL));
    else process.emitWarning(ENDED_BY_SIGNAL, { code: 'MAFALDA_WORKERS_ENDED' });
  }

  protected async release(): Promise<void> {
    await this.closeAllMafaldaRouters();
    await this.#pool.close();
  }
}
