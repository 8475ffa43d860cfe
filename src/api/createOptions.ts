/**
 * Options of the methods of a MafaldaRouter that create objects. mediasoup ignores an unknown option, so that a typing
 * error would go unnoticed.
 */
import { describeGiven } from './describeGiven.ts';
import { isObject } from './optionTypes.ts';
import { checkPlacement, type Placement } from './placement.ts';
import {
  activeSpeakerObserverOptions,
  audioLevelObserverOptions,
  directTransportOptions,
  pipeTransportOptions,
  plainTransportOptions,
  webRtcTransportOptions,
} from './shapes/options.ts';
import { unknownNames } from './unknownNames.ts';

/** Options of earlier versions of mediasoup, which applications still give: mediasoup has ignored them since. */
const former: readonly string[] = ['numSctpStreams', 'maxSctpMessageSize'];

const shapes = {
  createWebRtcTransport: webRtcTransportOptions,
  createPlainTransport: plainTransportOptions,
  createPipeTransport: pipeTransportOptions,
  createDirectTransport: directTransportOptions,
  createActiveSpeakerObserver: activeSpeakerObserverOptions,
  createAudioLevelObserver: audioLevelObserverOptions,
};

export type CreateMethod = keyof typeof shapes;

/** Names of the options of each method, `placement` included. */
export const createOptions = Object.fromEntries(
  Object.entries(shapes).map(([method, { members }]) => [method, [...Object.keys(members), 'placement']]),
) as unknown as Readonly<Record<CreateMethod, readonly string[]>>;

const knownOptions = Object.fromEntries(
  Object.entries(createOptions).map(([method, names]) => [method, new Set([...names, ...former])]),
) as unknown as Readonly<Record<CreateMethod, ReadonlySet<string>>>;

export function isCreateMethod(method: string): method is CreateMethod {
  return Object.hasOwn(shapes, method);
}

export interface Separated<Options> {
  /** Options for mediasoup. */
  rest: Omit<Options, 'placement'>;
  placement: Placement | undefined;
}

/**
 * Separates the placement from mediasoup's options.
 * @throws {TypeError} for an option that is unknown, or a malformed placement
 */
export function separatePlacement<Options extends { placement?: Placement }>(
  method: CreateMethod,
  options: Options,
): Separated<Options> {
  if (!isObject(options)) throw new TypeError(`${method}(): options must be an object; ${describeGiven(options)}`);
  for (const name of Object.keys(options)) if (!knownOptions[method].has(name)) refuseUnknown(method, options);
  if (!('placement' in options)) return { rest: options, placement: undefined };
  const { placement, ...rest } = options;
  if (placement !== undefined) checkPlacement(placement);
  return { rest, placement };
}

/** @throws {TypeError} for an unknown option, unless it is undefined */
function refuseUnknown(method: CreateMethod, options: object): void {
  const message = unknownNames(options, createOptions[method], former);
  if (message !== undefined) throw new TypeError(`${method}(): ${message}`);
}
