/** A client's own Workers, made through mediasoup's module API. They live no longer than its session. */
import type { Worker, WorkerSettings } from 'mediasoup/types';
import { closeWorker } from '../../core/workers/closeWorker.ts';
import { ClosedError } from '../../api/errors.ts';
import { ObjectTree } from '../../core/objectTree.ts';
import { startWorker } from '../../core/workers/startWorker.ts';
import type { MafaldaApi } from '../../api/types.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import type { Member } from './exportedObject.ts';
import type { Exports } from './exports.ts';
import { limitError, type Limits, type ServerUse } from './limits.ts';
import { TreeExport } from './treeExport.ts';
import type { SettingsPolicy } from './settingsPolicy.ts';

export interface WorkerRules {
  readonly limits: Limits;
  readonly use: ServerUse;
  readonly settings: SettingsPolicy;
}

export class OwnWorkers {
  readonly tree: TreeExport;
  readonly #mafalda: MafaldaApi;
  readonly #objects = new ObjectTree();
  readonly #limits: Limits;
  readonly #use: ServerUse;
  readonly #policy: SettingsPolicy;
  #starting = 0;
  #closed = false;

  constructor(mafalda: MafaldaApi, exports: Exports, owner: Member, { limits, use, settings }: WorkerRules) {
    this.#limits = limits;
    this.#use = use;
    this.#policy = settings;
    this.#mafalda = mafalda;
    this.tree = new TreeExport(this.#objects, exports);
    this.tree.attach(owner);
  }

  async createWorker(wanted?: WorkerSettings): Promise<Worker> {
    const { workerBin, ...others } = wanted ?? {};
    // The path of the program that is used anyway is allowed, since it changes nothing.
    const chosen = workerBin === this.#mafalda.mediasoup.workerBin ? others : wanted;
    const settings = this.#policy.settle(chosen);
    const own = this.#objects.workers.size + this.#starting;
    if (this.#use.isFull(this.#limits.workers, own, this.#use.workers)) {
      throw limitError(
        'workers',
        this.#limits,
        `createWorker(): the clients have ${this.#use.workers} Workers of their own here, this one ${own}: close some of them`,
      );
    }
    ++this.#starting;
    ++this.#use.workers;
    let worker: Worker;
    try {
      worker = await startWorker(this.#mafalda.mediasoup, settings);
    } catch (error) {
      --this.#use.workers;
      throw error;
    } finally {
      --this.#starting;
    }
    onceClosed(worker, () => --this.#use.workers);
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
