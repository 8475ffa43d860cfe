/** Options and events of an Autoscaler. */
import * as v from 'valibot';
import { expecting, optionsOf, resolveOptions } from '../api/optionsSchema.ts';
import { duration, isObject } from '../api/optionTypes.ts';
import type { Lease } from '../horizontal/directory/lease.ts';
import { planOptions, resolvePlanOptions, type PlanOptions } from './planOptions.ts';

/** Options of an Autoscaler. */
export interface AutoscalerOptions extends PlanOptions {
  /**
   * Time between two decisions, in ms. A call that finds no server with room has one made at once.
   * @default 5000
   */
  interval?: number;
  /**
   * Longest time that a call waits which finds no server with room while one is on its way, in ms. Then it lands above
   * the watermark.
   * @default 10_000
   */
  maxWait?: number;
  /**
   * Lease by which one of several autoscalers decides; the others follow. Without it this one is taken for the only
   * one.
   * @default none
   */
  lease?: Lease;
}

export const autoscalerOptions = optionsOf<AutoscalerOptions>()({
  ...planOptions.entries,
  interval: v.optional(duration(10), 5000),
  maxWait: v.optional(duration(0), 10_000),
  lease: v.optional(
    expecting(
      'an object with acquire() and release(), such as that of lease() of a directory',
      v.custom<Lease>(lease => isObject(lease) && 'acquire' in lease && typeof lease.acquire === 'function'),
    ),
  ),
});

export interface ResolvedAutoscalerOptions {
  readonly plan: PlanOptions;
  readonly interval: number;
  readonly maxWait: number;
  readonly lease: Lease | undefined;
}

/**
 * Fills in the defaults, and checks the options.
 * @throws {TypeError} naming the option that is unknown or out of its range
 */
export function resolveAutoscalerOptions(options: AutoscalerOptions): ResolvedAutoscalerOptions {
  const { interval, maxWait, lease, ...plan } = resolveOptions('Autoscaler', autoscalerOptions, options);
  resolvePlanOptions(plan);
  return { plan, interval, maxWait, lease };
}

/** Server that an autoscaler has started, or stops. */
export interface ScaledServer {
  /** Id that the provisioner has given. */
  readonly id: string;
  /** URL of the server; undefined if it is not known yet. */
  readonly url: string | undefined;
  /** Region of the server; undefined if regions are not told apart. */
  readonly region: string | undefined;
}

/** Events of an Autoscaler. */
export type AutoscalerEvents = {
  /** Servers have been started, and are connected to from now on. Emitted once for each decision. */
  scaleout: [servers: ScaledServer[]];
  /** A server has been stopped. */
  scalein: [server: ScaledServer];
  /** A server is gone that was not stopped: its provisioner no longer lists it. */
  serverlost: [server: ScaledServer];
  /** The number of servers that there should be has changed. */
  wanted: [count: number];
  /** A start, stop or list of the provisioner has failed, which is tried again. */
  error: [error: Error];
};
