/** Options that say how many servers there should be. */
import { checkDuration } from '../api/checkDuration.ts';
import { refuseUnknown, type OptionNames } from '../api/options.ts';

/** Options of a region, where they differ from those of all. */
export interface RegionOptions {
  /**
   * Least number of servers in the region.
   * @default `min` of all
   */
  min?: number;
  /**
   * Most servers in the region.
   * @default `max` of all
   */
  max?: number;
  /**
   * Share of the capacity in the region that is kept free, from 0 to less than 1.
   * @default `headroom` of all
   */
  headroom?: number;
}

/** Options of `plan()`. */
export interface PlanOptions {
  /**
   * Least number of servers that the provisioner keeps.
   * @default 1
   */
  min?: number;
  /** Most servers that the provisioner has at any time, in all regions together. */
  max: number;
  /**
   * Share of the capacity that is kept free for those who will come, from 0 to less than 1. The capacity of a server is
   * what it takes up to the watermark.
   * @default 0.05
   */
  headroom?: number;
  /**
   * Duration for which a server has not been needed before it is drained, in ms.
   * @default 600_000
   */
  scaleInAfter?: number;
  /**
   * Longest time that a server is drained, in ms: then it is stopped with what is left there.
   * @default 3_600_000
   */
  drainDeadline?: number;
  /**
   * Longest time from the order of a server to its connection, in ms: then the start has failed.
   * @default 600_000
   */
  startTimeout?: number;
  /**
   * Regions in which servers are started, each for its own people.
   * @default regions are not told apart
   */
  regions?: Readonly<Record<string, RegionOptions>>;
}

/** Bounds of the servers of a region, or of all. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly headroom: number;
}

export interface ResolvedPlanOptions extends Bounds {
  readonly scaleInAfter: number;
  readonly drainDeadline: number;
  readonly startTimeout: number;
  /** Bounds by region; `undefined` stands for all servers, where regions are not told apart. */
  readonly byRegion: ReadonlyMap<string | undefined, Bounds>;
}

const DAY_MS = 86_400_000;

export const planOptions: OptionNames<PlanOptions> = {
  min: true,
  max: true,
  headroom: true,
  scaleInAfter: true,
  drainDeadline: true,
  startTimeout: true,
  regions: true,
};

/**
 * Fills in the defaults, and checks the options.
 * @throws {TypeError} naming the option that is out of its range
 */
export function resolvePlanOptions(options: PlanOptions): ResolvedPlanOptions {
  const {
    min = 1,
    max,
    headroom = 0.05,
    scaleInAfter = 600_000,
    drainDeadline = 3_600_000,
    startTimeout = 600_000,
    regions,
  } = options;
  const all = checkBounds('', { min, max, headroom });
  checkDuration('scaleInAfter', scaleInAfter, 0, DAY_MS);
  checkDuration('drainDeadline', drainDeadline, 0);
  checkDuration('startTimeout', startTimeout, 1, DAY_MS);
  const byRegion = new Map<string | undefined, Bounds>();
  if (regions === undefined) byRegion.set(undefined, all);
  else {
    if (typeof regions !== 'object' || regions === null || Object.keys(regions).length === 0)
      throw new TypeError('if given, regions must be an object with at least one region');
    for (const [region, bounds] of Object.entries(regions)) {
      refuseUnknown(`regions.${region}`, bounds, { min: true, max: true, headroom: true });
      byRegion.set(region, checkBounds(`regions.${region}.`, { ...all, ...withoutUndefined(bounds) }));
    }
  }
  return { ...all, scaleInAfter, drainDeadline, startTimeout, byRegion };
}

function checkBounds(prefix: string, { min, max, headroom }: Bounds): Bounds {
  if (!Number.isInteger(max) || max < 1) throw new TypeError(`${prefix}max must be an integer, 1 or more`);
  if (!Number.isInteger(min) || min < 0 || min > max)
    throw new TypeError(`if given, ${prefix}min must be an integer, from 0 to max (${max})`);
  if (typeof headroom !== 'number' || !(headroom >= 0 && headroom < 1))
    throw new TypeError(`if given, ${prefix}headroom must be a number from 0 to less than 1`);
  return { min, max, headroom };
}

function withoutUndefined(bounds: RegionOptions): RegionOptions {
  return Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined));
}
