import type { WebRtcServer, WebRtcServerOptions, Worker, WorkerSettings } from 'mediasoup/types';
import { onceClosed } from '../core/onceClosed.ts';
import { WorkerStreamIds } from './aliases.ts';
import type { WorkerUsage } from '../api/types.ts';

/** What a Transport is taken to cost until it shows in the measured CPU; percent of one core. */
const EXPECTED_TRANSPORT_LOAD = 1;

/** A Worker, or one that is being started, with what placement has to know about it. */
export class PooledWorker {
  readonly settings: WorkerSettings;
  readonly ready: Promise<Worker>;
  readonly streamIds = new WorkerStreamIds();
  /** Its key in the `workers` Map, once its process runs. */
  id: string | undefined;
  /** It could not be started. */
  neverStarted = false;
  /** How many Routers it holds, those that are being created included. */
  routers = 0;
  #worker: Worker | undefined;
  #cpu = 0;
  #placedSinceSample = 0;
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

  /** Whether it is closed, also while its listeners are only just being told. */
  get ended(): boolean {
    return this.#worker?.closed ?? false;
  }

  /** Calls back when the Worker has closed or died, or turns out never to have started. */
  onceEnded(callback: () => void): void {
    this.ready.then(worker => onceClosed(worker, callback), callback);
  }

  /** Percent of one core, as measured. */
  get cpu(): number {
    return this.#cpu;
  }

  /** Percent of one core: what was measured, plus what has been placed here since. */
  get load(): number {
    return this.#cpu + this.#placedSinceSample * EXPECTED_TRANSPORT_LOAD;
  }

  /** How many objects were ever placed here: tells Workers of the same load apart. */
  get placed(): number {
    return this.#placed;
  }

  /** To be called when something is about to be created here, before anything is awaited. */
  reserve(): void {
    ++this.#placed;
    ++this.#placedSinceSample;
  }

  /** Whether it has one, or will if the ports are free. */
  get hasWebRtcServer(): boolean {
    return this.#webRtcServer !== undefined;
  }

  /** The one whose ports all WebRtcTransports share that leave the addresses to this machine. */
  webRtcServer(options: WebRtcServerOptions): Promise<WebRtcServer> {
    this.#webRtcServer ??= this.ready.then(worker => worker.createWebRtcServer(options));
    // The ports may be free later: a failed attempt is forgotten.
    this.#webRtcServer.catch(() => (this.#webRtcServer = undefined));
    return this.#webRtcServer;
  }

  async usage(): Promise<WorkerUsage> {
    const worker = await this.ready;
    return { ...(await worker.getResourceUsage()), cpu: this.#cpu };
  }

  async measure(): Promise<void> {
    const worker = await this.ready;
    const shownNow = this.#placedSinceSample;
    const usage = await worker.getResourceUsage();
    const sample = { cpuMs: usage.ru_utime + usage.ru_stime, atMs: performance.now() };
    if (this.#sample) {
      this.#cpu = (100 * (sample.cpuMs - this.#sample.cpuMs)) / (sample.atMs - this.#sample.atMs);
      this.#placedSinceSample -= shownNow;
    }
    this.#sample = sample;
  }
}
