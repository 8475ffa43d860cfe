/** A media server that exists only for the simulation: its load, and whether it takes something new, by the real code of servers. */
import type { LoadReport } from '../../src/api/load.ts';
import type { MafaldaApi } from '../../src/index.ts';
import { ServerLoad } from '../../src/remote/server/serverLoad.ts';

export const CORES = 16;
/** Percent of a server: a core has room for about 500 consumers. */
const CONSUMER_LOAD = 100 / (500 * CORES);
/** Load that a `Mafalda` expects of a new Transport until it measures again, in percent of a core. */
const NEW_TRANSPORT_LOAD = 1;
const SAMPLE_MS = 1000;

export class SimulatedServer {
  readonly url: string;
  readonly serverLoad: ServerLoad;
  /** Consumers of people, and of pipes that begin here. */
  viewers = 0;
  pipes = 0;
  /** Calls that it has refused, since it was full. */
  refused = 0;
  /** Highest load that was measured, in percent. */
  worstLoad = 0;
  #measured = 0;
  #placedSinceSample = 0;
  readonly #sampling: NodeJS.Timeout;

  constructor(url: string, maxLoad: number, now: () => number) {
    this.url = url;
    this.serverLoad = new ServerLoad(this as unknown as MafaldaApi, maxLoad, now);
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** As a `Mafalda` tells it: measured in the last second, and what was placed since. */
  get load(): number {
    return this.#measured + (this.#placedSinceSample * NEW_TRANSPORT_LOAD) / CORES;
  }

  get loadReport(): LoadReport {
    const objects = {
      routers: 10,
      transports: 100,
      producers: 100,
      consumers: 500,
      dataProducers: 0,
      dataConsumers: 0,
    };
    const worker = { cpu: this.#measured, ...objects };
    return {
      load: this.load,
      workers: Array.from({ length: CORES }, (_, index) => ({ id: `${this.url}:${10_000 + index}`, ...worker })),
      hosts: [{ cores: CORES, cpu: this.#measured, memory: { total: 64e9, free: 32e9 } }],
    };
  }

  /** Admits a Transport. @throws {NodeFullError} */
  admit(): void {
    try {
      this.serverLoad.admit('createWebRtcTransport')(true);
      ++this.#placedSinceSample;
    } catch (error) {
      ++this.refused;
      throw error;
    }
  }

  /** Ends its timers. */
  stop(): void {
    clearInterval(this.#sampling);
    this.serverLoad.close();
  }

  #sample(): void {
    this.#measured = (this.viewers + this.pipes) * CONSUMER_LOAD;
    this.worstLoad = Math.max(this.worstLoad, this.#measured);
    this.#placedSinceSample = 0;
  }
}
