/** The past as decisions need it: demand of the last minutes, durations of the latest starts, and starts that have failed. */
import { demandOf, inRegion, type Demand, type Snapshot } from './snapshot.ts';

/** Demand at a moment of the past. */
export interface DemandSample extends Demand {
  /** Time, in ms since 1970. */
  readonly at: number;
}

/** Starts that have failed, with none between them that has succeeded. */
export interface StartFailures {
  /** Number of starts that have failed in a row. */
  readonly inRow: number;
  /** Time of the latest one, in ms since 1970. */
  readonly latest: number;
}

/** By region; `undefined` stands for all regions together, where they are not told apart. */
export type ByRegion<T> = ReadonlyMap<string | undefined, T>;

/** The past, as far as `plan()` needs it. */
export interface History {
  /** Samples, the oldest first. */
  readonly demand: ByRegion<readonly DemandSample[]>;
  /** Durations of the latest starts, from the order to the connection, in ms. */
  readonly boots: readonly number[];
  /** Starts that have failed since the latest that has succeeded. */
  readonly failures: ByRegion<StartFailures>;
}

/** Number of starts that are remembered. */
const MAX_BOOTS = 30;
/** Minimum time between two samples, in ms. */
const SAMPLE_MS = 1000;

/**
 * Writes down what happens, as far as `plan()` needs it. Bounded in time and number.
 *
 * ```ts
 * const history = new HistoryRecorder(600_000);
 * history.observe(snapshot, [undefined], Date.now());
 * const { start, drain } = plan(snapshot, history, { max: 10 }, Date.now());
 * ```
 */
export class HistoryRecorder implements History {
  readonly demand = new Map<string | undefined, DemandSample[]>();
  readonly boots: number[] = [];
  readonly failures = new Map<string | undefined, StartFailures>();
  readonly #keepMs: number;

  /** @param keepMs duration for which the demand is remembered */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** Notes the demand in each of these regions. */
  observe(snapshot: Snapshot, regions: readonly (string | undefined)[], now: number): void {
    for (const region of regions) {
      const samples = this.demand.get(region) ?? [];
      this.demand.set(region, samples);
      const latest = samples.at(-1);
      const demand = demandOf(inRegion(snapshot, region));
      if (latest && now - latest.at < SAMPLE_MS)
        samples[samples.length - 1] = { ...demand, at: latest.at, running: Math.max(latest.running, demand.running) };
      else samples.push({ at: now, ...demand });
      // The first of the samples is as old as may be, or older: a peak that lies that far back is not forgotten early.
      while (samples.length > 1 && samples[1]!.at <= now - this.#keepMs) samples.shift();
    }
  }

  /** Notes that a server is there, so long after it was ordered. */
  booted(region: string | undefined, ms: number): void {
    this.boots.push(ms);
    if (this.boots.length > MAX_BOOTS) this.boots.shift();
    this.failures.delete(region);
  }

  /**
   * Notes that a start has failed. Of several that were under way at once only the first one counts: they have failed
   * for the same reason.
   * @param ordered time at which it was ordered
   * @returns the number of failures in a row; undefined if it does not count
   */
  failed(region: string | undefined, ordered: number, now: number): number | undefined {
    const before = this.failures.get(region);
    if (before && ordered < before.latest) return undefined;
    const inRow = (before?.inRow ?? 0) + 1;
    this.failures.set(region, { inRow, latest: now });
    return inRow;
  }
}
