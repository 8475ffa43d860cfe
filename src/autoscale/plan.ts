/**
 * Decides how many servers there should be, and so which are started, drained, used again and stopped. A pure function
 * of what is, what was, and the time, so that it can be tried on imaginary days.
 */
import { forecast, p90 } from './forecast.ts';
import type { DemandSample, History, StartFailures } from './history.ts';
import { resolvePlanOptions, type Bounds, type PlanOptions, type ResolvedPlanOptions } from './planOptions.ts';
import { demandOf, inRegion, typicalCores, type ServerState, type Snapshot } from './snapshot.ts';

/** A server to be drained, used again, or stopped. */
export interface PlannedChange {
  /** Id of the server. */
  readonly id: string;
  /** Reason, for the log. */
  readonly why: string;
}

/** A server to be ordered. */
export interface PlannedStart {
  /** Region in which it is wanted. */
  readonly region?: string;
  /** Reason, for the log. */
  readonly why: string;
}

/** Result of `plan()`. */
export interface Plan {
  /** Servers to order, one for each entry. */
  readonly start: readonly PlannedStart[];
  /** Servers to be drained. */
  readonly drain: readonly PlannedChange[];
  /** Servers that are being drained, and are needed again. */
  readonly undrain: readonly PlannedChange[];
  /** Servers to be stopped. */
  readonly stop: readonly PlannedChange[];
  /** Number of servers that there should be, within the bounds; those that are given by hand are not counted. */
  readonly wanted: number;
}

/** Duration for which a demand counts that is over, in ms: those who were on a machine that has vanished come again. */
const HOLD_MS = 60_000;
/** Watermark that is reckoned with where it is lower, in percent: with 0, no number of servers would do. */
const LEAST_WATERMARK = 1;
/** Time until a server is there, in ms, as long as none has been started. */
const FIRST_BOOT_MS = 60_000;
/** Time until the next decision, in ms. */
const DECISION_MS = 5000;
/** Time after which a machine that is not heard counts as vanished, in ms: no session lives longer by default. */
export const VANISHED_AFTER_MS = 30_000;
/**
 * Share by which the present demand must be below what the rest has room for before a server is given back: a demand
 * that only varies does not come as far down.
 */
const GIVE_BACK_MARGIN = 0.15;

const FIRST_RETRY_MS = 5000;
const MAX_RETRY_MS = 600_000;
/** Number of failures in a row from which on only one start is tried at a time. */
export const BREAKER_FAILURES = 5;

const byEmptiest = (a: ServerState, b: ServerState): number => a.transports - b.transports || a.load - b.load;

/**
 * Returns the servers to start, drain, use again and stop.
 * @param history what was before `now`, the present demand included
 * @param now in ms since 1970
 * @throws {TypeError} for options that are out of their range
 */
export function plan(snapshot: Snapshot, history: History, options: PlanOptions, now: number): Plan {
  const resolved = resolvePlanOptions(options);
  const total = snapshot.servers.filter(({ fixed }) => !fixed).length;
  let left = Math.max(0, resolved.max - total);
  const plans: Plan[] = [];
  for (const [region, bounds] of resolved.byRegion) {
    const planned = new RegionPlan(region, bounds, resolved, inRegion(snapshot, region), history, now).plan(left);
    left -= planned.start.length;
    plans.push(planned);
  }
  const wanted = plans.reduce((sum, plan) => sum + plan.wanted, 0);
  return {
    start: plans.flatMap(({ start }) => start),
    drain: plans.flatMap(({ drain }) => drain),
    undrain: plans.flatMap(({ undrain }) => undrain),
    stop: plans.flatMap(({ stop }) => stop),
    wanted: Math.min(resolved.max, wanted),
  };
}

/** Returns the time before which nothing is started, in ms since 1970. */
export function nextStartAt(failures: StartFailures | undefined): number {
  if (!failures) return -Infinity;
  return failures.latest + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures.inRow - 1));
}

class RegionPlan {
  readonly #region: string | undefined;
  readonly #bounds: Bounds;
  readonly #options: ResolvedPlanOptions;
  readonly #now: number;
  readonly #samples: readonly DemandSample[];
  readonly #failures: StartFailures | undefined;
  readonly #fixed: readonly ServerState[];
  readonly #own: readonly ServerState[];
  /** Cores of a server that is not known yet. */
  readonly #typical: number;
  /** Load that a core takes with the headroom kept free, in percent of it. */
  readonly #perCore: number;
  readonly #demand: number;
  readonly #horizonMs: number;

  constructor(
    region: string | undefined,
    bounds: Bounds,
    options: ResolvedPlanOptions,
    snapshot: Snapshot,
    history: History,
    now: number,
  ) {
    this.#region = region;
    this.#bounds = bounds;
    this.#options = options;
    this.#now = now;
    this.#samples = history.demand.get(region) ?? [];
    this.#failures = history.failures.get(region);
    this.#fixed = snapshot.servers.filter(({ fixed }) => fixed);
    this.#own = snapshot.servers.filter(({ fixed }) => !fixed);
    this.#typical = typicalCores(snapshot.servers);
    this.#perCore = Math.max(LEAST_WATERMARK, snapshot.watermark) * (1 - bounds.headroom);
    this.#demand = demandOf(snapshot).running;
    this.#horizonMs = (p90(history.boots) ?? FIRST_BOOT_MS) + DECISION_MS;
  }

  /** @param mayStart number of servers that may be started, by the bounds of all regions together */
  plan(mayStart: number): Plan {
    const running = this.#inPhase('running');
    const starting = this.#inPhase('starting').filter(server => !this.#isOverdue(server));
    const draining = this.#inPhase('draining').sort((a, b) => byEmptiest(b, a));
    const active = [...running, ...starting];

    const expected = this.#expectedDemand();
    let capacity = this.#capacityOf([...this.#fixed.filter(({ phase }) => phase === 'running'), ...active]);
    const undrain: PlannedChange[] = [];
    const isShort = (): boolean =>
      active.length + undrain.length < this.#bounds.min || (capacity < expected && mayGrow());
    const mayGrow = (): boolean => active.length + undrain.length < this.#bounds.max;
    for (const server of draining) {
      if (!isShort()) break;
      if (server.retired) continue;
      capacity += this.#capacityOf([server]);
      undrain.push({ id: server.id, why: `it is needed again: ${this.#describe(expected)}` });
    }
    const missing = Math.max(
      this.#bounds.min - active.length - undrain.length,
      Math.ceil((expected - capacity) / (this.#typical * this.#perCore) - 1e-9),
      0,
    );
    const drain = missing > 0 || undrain.length > 0 ? [] : this.#surplus(running, active);
    const wanted = active.length + undrain.length + missing - drain.length;
    const why = expected > capacity ? this.#describe(expected) : `there must be ${this.#bounds.min} at least`;
    const start = Array.from({ length: this.#startable(missing, starting.length, mayStart) }, () => ({
      ...(this.#region === undefined ? {} : { region: this.#region }),
      why,
    }));
    const kept = new Set(undrain.map(({ id }) => id));
    const stop = this.#own.flatMap(server => {
      const why = kept.has(server.id) ? undefined : this.#reasonToStop(server);
      return why === undefined ? [] : [{ id: server.id, why }];
    });
    return { start, drain, undrain, stop, wanted: Math.min(this.#bounds.max, Math.max(this.#bounds.min, wanted)) };
  }

  /**
   * Returns the demand that there must be room for when a server that is ordered now can be used: what there was a
   * moment ago, or what will be.
   */
  #expectedDemand(): number {
    const recent = this.#peakSince(this.#now - HOLD_MS);
    return Math.max(this.#demand, recent, forecast(this.#samples, this.#now, this.#horizonMs));
  }

  /** Returns the servers that have not been needed for long enough, the one that empties soonest first. */
  #surplus(running: readonly ServerState[], active: readonly ServerState[]): PlannedChange[] {
    const { scaleInAfter } = this.#options;
    const since = this.#now - scaleInAfter;
    const tooMany = active.length - this.#bounds.max;
    // A server that was started, or used again, in that time was needed in it.
    const isKnown = (this.#samples[0]?.at ?? Infinity) <= since && active.every(server => server.since <= since);
    const needed = Math.max(this.#peakSince(since), this.#expectedDemand() / (1 - GIVE_BACK_MARGIN));
    const surplus: PlannedChange[] = [];
    let rest = this.#capacityOf([...this.#fixed.filter(({ phase }) => phase === 'running'), ...running]);
    for (const server of [...running].sort(byEmptiest)) {
      const left = rest - this.#capacityOf([server]);
      const isUnneeded = isKnown && left >= needed;
      if (surplus.length < tooMany) surplus.push({ id: server.id, why: `there may be ${this.#bounds.max} at most` });
      else if (isUnneeded && active.length - surplus.length > this.#bounds.min)
        surplus.push({ id: server.id, why: `it has not been needed for ${inSeconds(scaleInAfter)} s` });
      else continue;
      rest = left;
    }
    return surplus;
  }

  /** Returns how many of the missing servers may be ordered now. */
  #startable(missing: number, starting: number, mayStart: number): number {
    // A server that has not connected is about to count as a failure.
    if (this.#now < nextStartAt(this.#failures) || this.#inPhase('starting').some(server => this.#isOverdue(server)))
      return 0;
    const isBroken = (this.#failures?.inRow ?? 0) >= BREAKER_FAILURES;
    const atOnce = isBroken ? Math.max(0, 1 - starting) : Infinity;
    return Math.max(0, Math.min(missing, atOnce, mayStart, this.#bounds.max - this.#own.length));
  }

  #reasonToStop(server: ServerState): string | undefined {
    const { phase, since, empty } = server;
    const duration = this.#now - since;
    if (phase === 'starting' && this.#isOverdue(server)) return `it has not connected in ${inSeconds(duration)} s`;
    if (phase === 'lost' && duration >= VANISHED_AFTER_MS) return `its machine has vanished`;
    if (phase !== 'draining') return undefined;
    if (empty) return 'nothing is left there';
    return duration >= this.#options.drainDeadline ? `it has been drained for ${inSeconds(duration)} s` : undefined;
  }

  #isOverdue({ since }: ServerState): boolean {
    return this.#now - since >= this.#options.startTimeout;
  }

  #inPhase(phase: ServerState['phase']): ServerState[] {
    return this.#own.filter(server => server.phase === phase);
  }

  #capacityOf(servers: readonly ServerState[]): number {
    return servers.reduce((sum, { cores = this.#typical }) => sum + cores, 0) * this.#perCore;
  }

  #peakSince(time: number): number {
    return this.#samples.reduce((peak, { at, running }) => (at >= time ? Math.max(peak, running) : peak), 0);
  }

  #describe(expected: number): string {
    const inServers = (demand: number): string => (demand / (this.#typical * this.#perCore)).toFixed(1);
    return `${inServers(this.#demand)} servers are filled, ${inServers(expected)} in ${inSeconds(this.#horizonMs)} s`;
  }
}

function inSeconds(ms: number): number {
  return Math.round(ms / 1000);
}
