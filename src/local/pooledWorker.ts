/** A Worker of the pool, as placement sees it. */
import type { WebRtcServer, WebRtcServerOptions, Worker, WorkerSettings } from 'mediasoup/types';
import { onceClosed } from '../core/onceClosed.ts';
import { WorkerStreamIds } from './aliases.ts';
import type { WorkerUsage } from '../api/types.ts';

/** Load expected of a Transport until it shows in the measured CPU, in percent of one core. */
const EXPECTED_TRANSPORT_LOAD = 1;

/** A Worker, running or being started, with its load and history, which placement needs. */
export class PooledWorker {
  readonly settings: WorkerSettings;
  readonly ready: Promise<Worker>;
  readonly streamIds = new WorkerStreamIds();
  /** Key in the `workers` Map, once the Worker's process runs. */
  id: string | undefined;
  /** Whether the Worker could not be started. */
  neverStarted = false;
  /** Number of its Routers, Routers that are being created included. */
  routers = 0;
  #worker: Worker | undefined;
  #cpu = 0;
  /** Objects that were placed here and can't show in the measured CPU use yet. */
  readonly #unseen = new Set<object>();
  #placed = 0;
  #webRtcServer: Promise<WebRtcServer> | undefined;
  #sample: { cpuMs: number; atMs: number } | undefined;

  constructor(settings: WorkerSettings, ready: Promise<Worker>) {
    this.settings = settings;
    this.ready = ready;
    ready.then(
      worker => {
        this.#worker = worker;
        this.id = String(worker.pid);
      },
      () => (this.neverStarted = true),
    );
  }

  /** Whether the Worker is closed, also while its listeners are only just being called. */
  get ended(): boolean {
    return this.#worker?.closed ?? false;
  }

  /** Calls back when the Worker has closed or died, or could not be started. */
  onceEnded(callback: () => void): void {
    this.ready.then(worker => onceClosed(worker, callback), callback);
  }

  /** Measured CPU use, in percent of one core. */
  get cpu(): number {
    return this.#cpu;
  }

  /** Load in percent of one core: the measured CPU use, plus the expected load of objects placed here since. */
  get load(): number {
    return this.#cpu + this.#unseen.size * EXPECTED_TRANSPORT_LOAD;
  }

  /** Number of objects that were ever placed here: distinguishes Workers of the same load. */
  get placed(): number {
    return this.#placed;
  }

  /**
   * Counts an object that is about to be created here. Must be called before the first `await`.
   * @returns to be called when it has not been created, or has closed: no load is expected of it any more
   */
  reserve(): () => void {
    const object = {};
    ++this.#placed;
    this.#unseen.add(object);
    return () => void this.#unseen.delete(object);
  }

  /** Whether the Worker has a WebRtcServer, or will have if the ports are free. */
  get hasWebRtcServer(): boolean {
    return this.#webRtcServer !== undefined;
  }

  /** Resolves with the WebRtcServer whose ports are shared by all WebRtcTransports without addresses of their own. */
  webRtcServer(options: WebRtcServerOptions): Promise<WebRtcServer> {
    this.#webRtcServer ??= this.ready.then(worker => worker.createWebRtcServer(options));
    // Forgets a failed attempt, since the ports may be free later.
    this.#webRtcServer.catch(() => (this.#webRtcServer = undefined));
    return this.#webRtcServer;
  }

  async usage(): Promise<WorkerUsage> {
    const worker = await this.ready;
    return { ...(await worker.getResourceUsage()), cpu: this.#cpu };
  }

  async measure(): Promise<void> {
    const worker = await this.ready;
    const shownNow = [...this.#unseen];
    const usage = await worker.getResourceUsage();
    const sample = { cpuMs: usage.ru_utime + usage.ru_stime, atMs: performance.now() };
    if (this.#sample) {
      this.#cpu = (100 * (sample.cpuMs - this.#sample.cpuMs)) / (sample.atMs - this.#sample.atMs);
      for (const object of shownNow) this.#unseen.delete(object);
    }
    this.#sample = sample;
  }
}
