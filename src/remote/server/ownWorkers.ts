/** The Workers that one client makes for itself through mediasoup's module API: they live as long as its session. */
import type { Index, Worker, WorkerSettings } from 'mediasoup/types';
import { closeWorker } from '../../shared/closeWorker.ts';
import { ObjectTree } from '../../shared/objectTree.ts';
import type { Audience } from './exportedObject.ts';
import type { Exports } from './exports.ts';
import { refuseLocalSettings } from './servedMafalda.ts';
import { TreeExport } from './treeExport.ts';

export class OwnWorkers {
  readonly tree: TreeExport;
  readonly #mediasoup: Index;
  readonly #objects = new ObjectTree();
  readonly #limit: number;
  #starting = 0;
  #closed = false;

  /** @param limit how many there may be at once */
  constructor(mediasoup: Index, exports: Exports, owner: Audience, limit: number) {
    this.#limit = limit;
    this.#mediasoup = mediasoup;
    this.tree = new TreeExport(this.#objects, exports);
    this.tree.attach(owner);
  }

  async createWorker(settings?: WorkerSettings): Promise<Worker> {
    const { workerBin, ...others } = settings ?? {};
    // To name the program that is taken anyway is no choice.
    const chosen = workerBin === this.#mediasoup.workerBin ? others : settings;
    refuseLocalSettings(chosen);
    if (this.#objects.workers.size + this.#starting >= this.#limit) {
      throw new Error(`createWorker(): this client has ${this.#limit} Workers of its own here, which is the limit: close some of them`);
    }
    ++this.#starting;
    let worker: Worker;
    try {
      worker = await this.#mediasoup.createWorker(chosen);
    } finally {
      --this.#starting;
    }
    if (this.#closed) {
      worker.close();
      throw new Error('the client that has asked for this Worker is gone');
    }
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
