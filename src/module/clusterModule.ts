/** mediasoup's module over the servers that the environment names. They are connected to while there are Workers on them. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import * as mediasoup from 'mediasoup';
import type { AppData, Index, ObserverEvents, Worker, WorkerSettings } from 'mediasoup/types';
import { MafaldaHorizontal } from '../horizontal/index.ts';
import { logger } from '../core/logger.ts';
import { onceClosed } from '../core/onceClosed.ts';
import { LastWords } from './lastWords.ts';
import type { ModuleSettings } from './settings.ts';

const log = logger('module');

interface Connection {
  cluster: MafaldaHorizontal;
  lastWords: LastWords;
}

export class ClusterModule implements Pick<Index, 'observer' | 'createWorker'> {
  readonly observer = new EnhancedEventEmitter<ObserverEvents>();
  readonly #settings: () => ModuleSettings;
  #connection: Connection | undefined;
  /** Workers that are, and that are being made. */
  #workers = 0;

  /** @param settings asked for whenever a first Worker is made: an application may read its environment from a file by then */
  constructor(settings: () => ModuleSettings) {
    this.#settings = settings;
  }

  /** @throws {TypeError} if the environment names no servers, and what `createWorker()` of a MafaldaHorizontal throws */
  createWorker = async <T extends AppData = AppData>(settings?: WorkerSettings<T>): Promise<Worker<T>> => {
    const { cluster } = (this.#connection ??= this.#connect());
    ++this.#workers;
    try {
      const worker = await cluster.mediasoup.createWorker<T>(settings);
      onceClosed(worker, () => this.#release());
      return worker;
    } catch (error) {
      this.#release();
      throw error;
    }
  };

  #connect(): Connection {
    const { nodes, ...options } = this.#settings();
    const cluster = new MafaldaHorizontal(nodes, options);
    // The call that fails for it says it.
    cluster.on('error', error => log('%o', error));
    cluster.mediasoup.observer.on('newworker', worker => this.observer.safeEmit('newworker', worker));
    return { cluster, lastWords: new LastWords(() => cluster.close()) };
  }

  /** Without Workers nothing of mediasoup's keeps a process alive. */
  #release(): void {
    if (--this.#workers > 0 || !this.#connection) return;
    const { cluster, lastWords } = this.#connection;
    this.#connection = undefined;
    // Its goodbye is said by now. Another connection that is made meanwhile has last words of its own, and must be alone with a signal.
    cluster.close().catch(error => log('%o', error));
    lastWords.dispose();
  }
}

/** Members that depend on no server. The servers' versions go with this process's one. */
export const {
  version,
  workerBin,
  setLogEventListeners,
  getSupportedRtpCapabilities,
  parseScalabilityMode,
  errors,
  ortc,
  extras,
} = mediasoup;
