import { MafaldaBase } from '../shared/mafaldaBase.ts';
import { refuseUnknown, type ResolvedMafaldaRouterOptions } from '../shared/options.ts';
import type { ResourceUsages } from '../shared/types.ts';
import { ModuleScope, packageScope } from '../shared/moduleScope.ts';
import { LocalMafaldaRouter } from './localMafaldaRouter.ts';
import { usagesOf } from './usages.ts';
import { WorkerBudget, type WorkerBudgetOptions } from './workerBudget.ts';
import { WorkerPool, type Mediasoup } from './workerPool.ts';

export const scope = new ModuleScope(packageScope);

export interface MafaldaOptions {
  /** What all processes of this machine may have together. `false`: no common limit, for several simulated machines on one. */
  workerBudget?: WorkerBudgetOptions | false;
}

/** All CPU cores of this machine as one: its MafaldaRouters spread over as many mediasoup Workers as the load needs. */
export class Mafalda extends MafaldaBase<LocalMafaldaRouter> {
  /** The mediasoup module behind it. */
  readonly mediasoup: Mediasoup;
  readonly #pool: WorkerPool;

  /**
   * @param mediasoup the module `mediasoup`, or any object with its API
   * @throws {TypeError} for an option that is unknown or out of its range
   */
  constructor(mediasoup: Mediasoup, options: MafaldaOptions = {}) {
    super(scope);
    refuseUnknown('Mafalda', options, ['workerBudget']);
    if (typeof mediasoup?.createWorker !== 'function') {
      throw new TypeError("mediasoup must be the mediasoup module: new Mafalda(await import('mediasoup'))");
    }
    this.mediasoup = mediasoup;
    const { workerBudget } = options;
    this.#pool = new WorkerPool(mediasoup, workerBudget === false ? undefined : new WorkerBudget(workerBudget));
  }

  get load(): number {
    return this.#pool.load;
  }

  getResourceUsages(): Promise<ResourceUsages> {
    return usagesOf(this.#pool.workers);
  }

  protected makeMafaldaRouter(options: ResolvedMafaldaRouterOptions): LocalMafaldaRouter {
    return new LocalMafaldaRouter(this.#pool, options);
  }

  protected async release(): Promise<void> {
    await this.closeAllMafaldaRouters();
    await this.#pool.close();
  }
}
