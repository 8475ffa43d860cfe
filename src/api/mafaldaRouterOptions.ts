/** Options of a MafaldaRouter: the schema of what `createMafaldaRouter()` takes. */
import { randomUUID } from 'node:crypto';
import * as ortc from 'mediasoup/ortc';
import type { RouterOptions, WorkerSettings } from 'mediasoup/types';
import * as v from 'valibot';
import { expecting, optionsOf, resolveOptions } from './optionsSchema.ts';
import { integerFrom, mediasoupOptions, percentage } from './optionTypes.ts';
import { availableCores } from './resources.ts';
import { routerOptions, workerSettings } from './shapes/options.ts';
import type { MafaldaRouterOptions } from './types.ts';

/** Characters of a MafaldaRouter's id. */
const MAX_ID_LENGTH = 2000;

/** Options of a MafaldaRouter with their defaults filled in. */
export interface ResolvedMafaldaRouterOptions {
  /** Id of the MafaldaRouter. */
  readonly id: string;
  /** Maximum number of Workers that the MafaldaRouter creates. */
  readonly maxWorkers: number;
  /** mediasoup's options of its Routers. They may come later, from another user of the same id. */
  routerOptions: RouterOptions;
  /** Load of a Worker, in percent of one core, from which on another Worker is looked for. */
  readonly watermarkWorker: number;
  /** mediasoup's settings of its Workers. */
  readonly workerSettings: WorkerSettings;
}

/**
 * Defaults of `createMafaldaRouter()`: as many Workers as the machine has cores, a watermark of 60 % of a core. The id
 * is a new UUIDv4 each time.
 */
export const mafaldaRouterDefaultOptions = Object.freeze({
  maxWorkers: availableCores(),
  routerOptions: Object.freeze({}) as RouterOptions,
  watermarkWorker: 60,
  workerSettings: Object.freeze({}) as WorkerSettings,
});

/** It is told to all controllers of its node. */
const mafaldaRouterId = expecting(
  `a string of 1 to ${MAX_ID_LENGTH} characters`,
  v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_ID_LENGTH)),
);

export const mafaldaRouterOptions = optionsOf<MafaldaRouterOptions>()({
  id: v.optional(mafaldaRouterId, () => randomUUID()),
  maxWorkers: v.optional(integerFrom(0), mafaldaRouterDefaultOptions.maxWorkers),
  routerOptions: v.optional(mediasoupOptions(routerOptions), mafaldaRouterDefaultOptions.routerOptions),
  watermarkWorker: v.optional(percentage, mafaldaRouterDefaultOptions.watermarkWorker),
  workerSettings: v.optional(mediasoupOptions(workerSettings), mafaldaRouterDefaultOptions.workerSettings),
});

/**
 * Fills in the defaults of a MafaldaRouter's options, and checks them.
 * @throws {TypeError} naming the option that is unknown or out of its range
 */
export function resolveMafaldaRouterOptions(given: MafaldaRouterOptions = {}): ResolvedMafaldaRouterOptions {
  const options = resolveOptions('createMafaldaRouter()', mafaldaRouterOptions, given);
  const { mediaCodecs, appData } = options.routerOptions;
  // Media codecs that mediasoup would refuse when it makes a Router are refused now.
  ortc.generateRouterRtpCapabilities(structuredClone(mediaCodecs));
  if (appData && typeof appData !== 'object') throw new TypeError('if given, routerOptions.appData must be an object');
  return options;
}
