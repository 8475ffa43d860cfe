import { randomUUID } from 'node:crypto';
import * as ortc from 'mediasoup/ortc';
import type { RouterOptions, WorkerSettings } from 'mediasoup/types';
import { availableCores } from './resources.ts';
import { nearestName } from './nearestName.ts';
import type { MafaldaRouterOptions } from './types.ts';

/** Characters of a MafaldaRouter's id, which is told to all controllers of its node. */
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

/**
 * Fills in the defaults of a MafaldaRouter's options, and checks them.
 * @throws {TypeError} naming the option that is unknown or out of its range
 */
export function resolveMafaldaRouterOptions(options: MafaldaRouterOptions = {}): ResolvedMafaldaRouterOptions {
  refuseUnknown('createMafaldaRouter()', options, { id: true, ...mafaldaRouterDefaultOptions });
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved: ResolvedMafaldaRouterOptions = { id: randomUUID(), ...mafaldaRouterDefaultOptions, ...given };
  const { id, maxWorkers, watermarkWorker, routerOptions, workerSettings } = resolved;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH)
    throw new TypeError(`if given, id must be a string of 1 to ${MAX_ID_LENGTH} characters`);
  if (!Number.isInteger(maxWorkers) || maxWorkers < 0)
    throw new TypeError('if given, maxWorkers must be an integer, 0 or more');
  if (typeof watermarkWorker !== 'number' || !(watermarkWorker >= 0)) {
    throw new TypeError('if given, watermarkWorker must be a percentage, 0 or more');
  }
  if (!isObject(routerOptions)) throw new TypeError('if given, routerOptions must be an object');
  refuseUnknown('routerOptions', routerOptions, { mediaCodecs: true, appData: true });
  // Media codecs that mediasoup would refuse when it makes a Router are refused now.
  ortc.generateRouterRtpCapabilities(structuredClone(routerOptions.mediaCodecs));
  const { appData } = routerOptions;
  if (appData && typeof appData !== 'object') throw new TypeError('if given, routerOptions.appData must be an object');
  if (!isObject(workerSettings)) throw new TypeError('if given, workerSettings must be an object');
  return resolved;
}

/**
 * Limits of the names in an error's message: options may come from other processes, and are repeated only as far as
 * that helps.
 */
const MAX_NAMED = 5;
const MAX_NAME_LENGTH = 50;

/** Names of all options: the compiler refuses an object that lacks a name. */
export type OptionNames<Options> = { readonly [Name in keyof Required<Options>]: unknown };

/**
 * Checks that all members of `options` are known.
 * @throws {TypeError} as {@link refuseOthers}
 */
export function refuseUnknown<Options extends object>(
  where: string,
  options: Options,
  known: OptionNames<NoInfer<Options>>,
): void {
  refuseOthers(where, options, Object.keys(known));
}

/**
 * Checks that all members of `options` are known.
 * @param ignored names that are neither known nor refused
 * @throws {TypeError} if `options` is not an object, or has a member that is not in `known`, with the nearest known
 * name
 */
export function refuseOthers(
  where: string,
  options: object,
  known: readonly string[],
  ignored: readonly string[] = [],
): void {
  if (!isObject(options)) throw new TypeError(`${where}: options must be an object`);
  const unknown = Object.entries(options).flatMap(([key, value]) =>
    value !== undefined && !known.includes(key) && !ignored.includes(key) ? [key] : [],
  );
  if (unknown.length === 0) return;
  const named = unknown.slice(0, MAX_NAMED).map(name => name.slice(0, MAX_NAME_LENGTH));
  const nearest = named.flatMap(name => nearestName(name, known) ?? []);
  const meant = nearest.length > 0 ? `, do you mean ${nearest.join(', ')}?` : '';
  throw new TypeError(`${where}: unknown option ${named.join(', ')}${meant}; known are ${known.join(', ')}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
