/**
 * Load of a server: which reports clients get, and whether there is room for something new. Several controllers decide by
 * reports that are late, so the server has the last word.
 */
import { NodeFullError } from '../../api/errors.ts';
import type { Closable } from '../../core/onceClosed.ts';
import { availableCores } from '../../api/resources.ts';
import type { LoadReport } from '../../api/load.ts';
import type { MafaldaApi } from '../../api/types.ts';
import { ExpectedLoad } from '../../placement/expectedLoad.ts';
import { mafaldaRouterCreates } from '../protocol/calls.ts';

/** Change of the load that is reported at once, in percentage points. */
const REPORTED_CHANGE = 3;
/** Interval at which the load is looked at for such a change, in ms: reports for this reason come no more often. */
const LOOK_INTERVAL_MS = 100;

/**
 * Methods that a full server refuses. Others are for the people who are there: they produce and consume, and pipes bring
 * and fetch their streams.
 */
const refusedWhenFull: ReadonlySet<string> = new Set([...mafaldaRouterCreates, 'createWorker']);
const consumes: ReadonlySet<string> = new Set(['consume', 'consumeData']);

const uncounted = (): void => undefined;

export class ServerLoad {
  readonly maxLoad: number | undefined;
  readonly #mafalda: MafaldaApi;
  /** Load that has been admitted, and does not show in the measured load yet. */
  readonly #expected: ExpectedLoad;
  #cores = availableCores();
  /** Load that the Workers had according to the latest report, in percent of all cores. */
  #measured = 0;
  /** Load that clients were told last. */
  #reported = 0;
  #timers: NodeJS.Timeout[] = [];

  /**
   * @param maxLoad percent; undefined if nothing is refused
   * @param now returns milliseconds, from any moment on
   */
  constructor(mafalda: MafaldaApi, maxLoad: number | undefined, now: () => number = () => performance.now()) {
    this.#mafalda = mafalda;
    this.maxLoad = maxLoad;
    this.#expected = new ExpectedLoad(() => this.#cores, now);
  }

  /**
   * Load that clients are told, in percent of all cores. With a `maxLoad` it is what the server decides by, since
   * controllers should not ask in vain: a `Mafalda` counts less of what is on its way. The Mafalda may also have load of
   * others, such as the application's own.
   */
  get current(): number {
    const { load } = this.#mafalda;
    return this.maxLoad === undefined ? load : Math.max(load, this.#measured + this.#expected.load);
  }

  /** Returns the load in detail, and takes what it shows for measured. */
  report(): LoadReport {
    const report = this.#mafalda.loadReport;
    const cores = report.hosts.reduce((sum, host) => sum + host.cores, 0);
    if (cores > 0) this.#cores = cores;
    this.#measured = report.workers.reduce((sum, { cpu }) => sum + cpu, 0) / this.#cores;
    this.#expected.measured();
    return { ...report, load: this.current };
  }

  /** Sends reports, at the interval and when the load has changed, until {@link close}. */
  watch(intervalMs: number, send: (report: LoadReport) => void): void {
    const sendNext = (): void => {
      const report = this.report();
      this.#reported = report.load;
      send(report);
    };
    const sendIfChanged = (): void => {
      if (Math.abs(this.current - this.#reported) >= REPORTED_CHANGE) sendNext();
    };
    this.#timers = [setInterval(sendNext, intervalMs).unref(), setInterval(sendIfChanged, LOOK_INTERVAL_MS).unref()];
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /**
   * Counts a call that creates something. Must be called before the first `await`, so that a burst of calls is refused
   * by its own load.
   * @returns to be called with whether the call has succeeded, and the object that it has created
   * @throws {NodeFullError} if it would bring something new, and the load beyond `maxLoad`
   */
  admit(method: string): (succeeded: boolean, created?: Closable) => void {
    const { maxLoad } = this;
    if (maxLoad === undefined) return uncounted;
    if (consumes.has(method)) this.#expected.consumer();
    if (!refusedWhenFull.has(method)) return uncounted;
    const load = this.current;
    const settle = this.#expected.transport();
    if (this.current <= maxLoad) return settle;
    settle(false);
    throw new NodeFullError(
      `the server takes nothing new: its load is ${load.toFixed(1)} %, and its maxLoad ${maxLoad} %`,
      { load, maxLoad },
    );
  }
}
