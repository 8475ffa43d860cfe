/** The Workers that one client makes for itself through mediasoup's module API: they live as long as its session. */
import type { Worker, WorkerSettings } from 'mediasoup/types';
import { closeWorker } from '../../core/workers/closeWorker.ts';
import { ClosedError } from '../../api/errors.ts';
import { ObjectTree } from '../../core/objectTree.ts';
import { startWorker } from '../../core/workers/startWorker.ts';
import type { MafaldaApi } from '../../api/types.ts';
import type { Audience } from './exportedObject.ts';
import type { Exports } from './exports.ts';
import { limitError, type Limits } from './limits.ts';
import { refuseLocalSettings } from './servedMafalda.ts';
import { TreeExport } from './treeExport.ts';

export class OwnWorkers {
  readonly tree: TreeExport;
  readonly #mafalda: MafaldaApi;
  readonly #objects = new ObjectTree();
  readonly #limits: Limits;
  #starting = 0;
  #closed = false;

  constructor(mafalda: MafaldaApi, exports: Exports, owner: Audience, limits: Limits) {
    this.#limits = limits;
    this.#mafalda = mafalda;
    this.tree = new TreeExport(this.#objects, exports);
    this.tree.attach(owner);
  }

  async createWorker(settings?: WorkerSettings): Promise<Worker> {
    const { workerBin, ...others } = settings ?? {};
    // To name the program that is taken anyway is no choice.
    const chosen = workerBin === this.#mafalda.mediasoup.workerBin ? others : settings;
    refuseLocalSettings(chosen);
    if (this.#objects.workers.size + this.#starting >= this.#limits.workers) {
      throw limitError('workers', this.#limits, `createWorker(): this client has ${this.#limits.workers} Workers of its own here: close some of them`);
    }
    ++this.#starting;
    let worker: Worker;
    try {
      worker = await startWorker(this.#mafalda.mediasoup, chosen);
    } finally {
      --this.#starting;
    }
    if (this.#closed) {
      worker.close();
      throw new ClosedError('the client that has asked for this Worker is gone');
    }
    this.#mafalda.adopt?.(worker);
    this.#objects.addWorker(worker, String(worker.pid));
    return worker;
  }

  /** Resolves when the processes have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.tree.close();
    await Promise.all([...this.#objects.workers.values()].map(closeWorker));
  }
}
