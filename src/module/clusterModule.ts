/** mediasoup's module over the servers that the environment names, connected only while there are Workers on them. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import * as mediasoup from 'mediasoup';
import type { AppData, Index, ObserverEvents, Worker, WorkerSettings } from 'mediasoup/types';
import { MafaldaHorizontal } from '../horizontal/index.ts';
import { logger } from '../core/logger.ts';
import { onceClosed } from '../core/onceClosed.ts';
import { Goodbye } from './goodbye.ts';
import type { ModuleSettings } from './settings.ts';

const log = logger('module');

interface Connection {
  cluster: MafaldaHorizontal;
  goodbye: Goodbye;
}

export class ClusterModule implements Pick<Index, 'observer' | 'createWorker'> {
  readonly observer = new EnhancedEventEmitter<ObserverEvents>();
  readonly #settings: () => ModuleSettings;
  #connection: Connection | undefined;
  /** Number of Workers, including those that are being made. */
  #workers = 0;

  /**
   * @param settings called whenever a first Worker is made, since an application may load its environment from a file
   * before
   */
  constructor(settings: () => ModuleSettings) {
    this.#settings = settings;
  }

  /**
   * Creates a Worker on a server.
   * @throws {TypeError} if the environment names no servers
   * @throws the errors of `createWorker()` of a MafaldaHorizontal
   */
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
    // Errors are only logged here, since the calls that fail for them reject with them.
    cluster.on('error', error => log.warn('%o', error));
    cluster.mediasoup.observer.on('newworker', worker => this.observer.safeEmit('newworker', worker));
    return { cluster, goodbye: new Goodbye(() => cluster.close()) };
  }

  /** Closes the connection with the last Worker: without Workers, mediasoup keeps no process alive. */
  #release(): void {
    if (--this.#workers > 0 || !this.#connection) return;
    const { cluster, goodbye } = this.#connection;
    this.#connection = undefined;
    // The goodbye has been sent when close() returns. The handlers of a later connection must be the only ones for a
    // signal.
    cluster.close().catch(error => log.warn('%o', error));
    goodbye.dispose();
  }
}

// mediasoup's own members, which depend on no server. The versions of the servers' modules match that of this process.
export const {
  /** Version of mediasoup. */
  version,
  /** Path of the Worker's binary on this machine; that of a server may be another. */
  workerBin,
  /** Sets listeners for what mediasoup logs in this process; Workers log on their servers. */
  setLogEventListeners,
  /** Returns mediasoup's RTP capabilities. */
  getSupportedRtpCapabilities,
  /** Returns the layers that a scalability mode has. */
  parseScalabilityMode,
  /** mediasoup's error classes. */
  errors,
  /** mediasoup's functions on RTP capabilities and parameters. */
  ortc,
  /** mediasoup's emitters. */
  extras,
} = mediasoup;
