/** mediasoup's module API, with Workers on all nodes: an application written for mediasoup uses them as cores of one machine. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { AppData, Index, ObserverEvents, RouterRtpCapabilities, Worker, WorkerSettings } from 'mediasoup/types';
import { onceClosed } from '../shared/onceClosed.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool } from './nodePool.ts';

export class HorizontalMediasoup implements Index {
  readonly observer = new EnhancedEventEmitter<ObserverEvents>();
  readonly #nodes: NodePool;
  readonly #workers = new WeakMap<ClusterNode, number>();

  constructor(nodes: NodePool) {
    this.#nodes = nodes;
  }

  get version(): string {
    return this.#any.version;
  }

  get workerBin(): string {
    return this.#any.workerBin;
  }

  setLogEventListeners: Index['setLogEventListeners'] = listeners => this.#any.setLogEventListeners(listeners);

  parseScalabilityMode: Index['parseScalabilityMode'] = mode => this.#any.parseScalabilityMode(mode);

  getSupportedRtpCapabilities = (): RouterRtpCapabilities => this.#any.getSupportedRtpCapabilities();

  /** On the node with most cores for each Worker that was made here: an application makes one for each core that it wants. */
  createWorker = async <T extends AppData = AppData>(settings?: WorkerSettings<T>): Promise<Worker<T>> => {
    const node = await this.#nodes.emptiest(candidate => this.#workersPerCore(candidate));
    this.#count(node, 1);
    let worker: Worker<T>;
    try {
      worker = await node.mafalda.mediasoup.createWorker<T>(settings);
    } catch (error) {
      this.#count(node, -1);
      throw error;
    }
    onceClosed(worker, () => this.#count(node, -1));
    this.observer.safeEmit('newworker', worker);
    return worker;
  };

  get #any(): Index {
    return this.#nodes.anyConnected().mafalda.mediasoup;
  }

  #workersPerCore(node: ClusterNode): number {
    const cores = node.mafalda.loadReport.hosts.reduce((sum, host) => sum + host.cores, 0);
    return (this.#workers.get(node) ?? 0) / Math.max(1, cores);
  }

  #count(node: ClusterNode, more: number): void {
    this.#workers.set(node, (this.#workers.get(node) ?? 0) + more);
  }
}
