/** Options that say how many servers there should be. */
import * as v from 'valibot';
import { expecting, optionsOf, resolveOptions } from '../api/optionsSchema.ts';
import { duration, integerFrom } from '../api/optionTypes.ts';

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

const max = integerFrom(1);
const headroom = expecting(
  'a number from 0 to less than 1',
  v.pipe(
    v.number(),
    v.minValue(0),
    v.check(share => share < 1),
  ),
);

const regionOptions = optionsOf<RegionOptions>()({
  min: v.optional(integerFrom(0)),
  max: v.optional(max),
  headroom: v.optional(headroom),
});

export const planOptions = optionsOf<PlanOptions>()({
  min: v.optional(integerFrom(0), 1),
  max,
  headroom: v.optional(headroom, 0.05),
  scaleInAfter: v.optional(duration(0, DAY_MS), 600_000),
  drainDeadline: v.optional(duration(0), 3_600_000),
  startTimeout: v.optional(duration(1, DAY_MS), 600_000),
  regions: v.optional(
    expecting(
      'an object with at least one region',
      v.pipe(
        v.record(v.string(), regionOptions),
        v.check(regions => Object.keys(regions).length > 0),
      ),
    ),
  ),
});

/**
 * Fills in the defaults, and checks the options.
 * @throws {TypeError} naming the option that is out of its range
 */
export function resolvePlanOptions(options: PlanOptions): ResolvedPlanOptions {
  const { regions, ...resolved } = resolveOptions('plan()', planOptions, options);
  const all = checkBounds('', resolved);
  const byRegion = new Map<string | undefined, Bounds>();
  if (regions === undefined) byRegion.set(undefined, all);
  for (const [region, bounds] of Object.entries(regions ?? {}))
    byRegion.set(region, checkBounds(`regions.${region}.`, { ...all, ...withoutUndefined(bounds) }));
  return { ...resolved, byRegion };
}

/** Returns the region that decisions are made for: the first one of the options for a wish that none of them fulfils. */
export function regionFor(region: string | undefined, { byRegion }: ResolvedPlanOptions): string | undefined {
  return byRegion.has(region) ? region : [...byRegion.keys()][0];
}

function checkBounds(prefix: string, { min, max, headroom }: Bounds): Bounds {
  if (min > max) throw new TypeError(`${prefix}min must be an integer, from 0 to max (${max})`);
  return { min, max, headroom };
}

function withoutUndefined(bounds: RegionOptions): RegionOptions {
  return Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined));
}
