/** mediasoup's module API as a Mafalda offers it: the Workers that are made with it count in its load, like its own. */
import type { AppData, Index, ObserverEvents, RouterRtpCapabilities, Worker, WorkerSettings } from 'mediasoup/types';
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import { ObjectTree } from '../shared/objectTree.ts';
import type { WorkerPool } from './workerPool.ts';

export class LocalMediasoup implements Index {
  /** What is in these Workers. */
  readonly tree = new ObjectTree();
  readonly #mediasoup: Index;
  readonly #pool: WorkerPool;

  constructor(mediasoup: Index, pool: WorkerPool) {
    this.#mediasoup = mediasoup;
    this.#pool = pool;
  }

  get version(): string {
    return this.#mediasoup.version;
  }

  get workerBin(): string {
    return this.#mediasoup.workerBin;
  }

  get observer(): EnhancedEventEmitter<ObserverEvents> {
    return this.#mediasoup.observer;
  }

  setLogEventListeners: Index['setLogEventListeners'] = listeners => this.#mediasoup.setLogEventListeners(listeners);

  parseScalabilityMode: Index['parseScalabilityMode'] = mode => this.#mediasoup.parseScalabilityMode(mode);

  getSupportedRtpCapabilities = (): RouterRtpCapabilities => this.#mediasoup.getSupportedRtpCapabilities();

  /** It is its maker's to close. */
  createWorker = async <T extends AppData = AppData>(settings?: WorkerSettings<T>): Promise<Worker<T>> => {
    const worker = await this.#mediasoup.createWorker<T>(settings);
    this.#pool.adopt(worker);
    this.tree.addWorker(worker, String(worker.pid));
    return worker;
  };
}
