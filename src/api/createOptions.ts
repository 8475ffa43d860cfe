/**
 * Options of the methods of a MafaldaRouter that create objects. mediasoup ignores an unknown option, so that a typing
 * error would go unnoticed.
 */
import type {
  ActiveSpeakerObserverOptions,
  AudioLevelObserverOptions,
  DirectTransportOptions,
  PipeTransportOptions,
  PlainTransportOptions,
  WebRtcTransportOptions,
} from 'mediasoup/types';
import { refuseOthers } from './options.ts';
import { checkPlacement, type Placement } from './placement.ts';

type KeyOf<Options> = Options extends unknown ? keyof Options : never;
type Names<Options> = Record<KeyOf<Options>, true>;

/** Options of earlier versions of mediasoup, which applications still give: mediasoup has ignored them since. */
const former: readonly string[] = ['numSctpStreams', 'maxSctpMessageSize'];

const sctp = {
  enableSctp: true,
  maxSendMessageSize: true,
  maxReceiveMessageSize: true,
  sctpSendBufferSize: true,
  sctpPerStreamSendQueueLimit: true,
  sctpMaxReceiverWindowBufferSize: true,
  sctpDefaultStreamBufferedAmountLowThreshold: true,
} as const;

const webRtcTransport: Names<WebRtcTransportOptions> = {
  ...sctp,
  webRtcServer: true,
  listenInfos: true,
  listenIps: true,
  port: true,
  enableUdp: true,
  enableTcp: true,
  preferUdp: true,
  preferTcp: true,
  iceConsentTimeout: true,
  initialAvailableOutgoingBitrate: true,
  appData: true,
};

const plainTransport: Names<PlainTransportOptions> = {
  ...sctp,
  listenInfo: true,
  rtcpListenInfo: true,
  listenIp: true,
  port: true,
  rtcpMux: true,
  comedia: true,
  enableSrtp: true,
  srtpCryptoSuite: true,
  appData: true,
};

const pipeTransport: Names<PipeTransportOptions> = {
  ...sctp,
  listenInfo: true,
  listenIp: true,
  port: true,
  enableRtx: true,
  enableSrtp: true,
  appData: true,
};
const directTransport: Names<DirectTransportOptions> = {
  maxSendMessageSize: true,
  maxReceiveMessageSize: true,
  appData: true,
};
const activeSpeakerObserver: Names<ActiveSpeakerObserverOptions> = { interval: true, appData: true };
const audioLevelObserver: Names<AudioLevelObserverOptions> = {
  maxEntries: true,
  threshold: true,
  interval: true,
  appData: true,
};

const names = {
  createWebRtcTransport: webRtcTransport,
  createPlainTransport: plainTransport,
  createPipeTransport: pipeTransport,
  createDirectTransport: directTransport,
  createActiveSpeakerObserver: activeSpeakerObserver,
  createAudioLevelObserver: audioLevelObserver,
};

export type CreateMethod = keyof typeof names;

/** Names of the options of each method, `placement` included. */
export const createOptions = Object.fromEntries(
  Object.entries(names).map(([method, known]) => [method, [...Object.keys(known), 'placement']]),
) as unknown as Readonly<Record<CreateMethod, readonly string[]>>;

export function isCreateMethod(method: string): method is CreateMethod {
  return Object.hasOwn(names, method);
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
  refuseOthers(`${method}()`, options, createOptions[method], former);
  const { placement, ...rest } = options;
  if (placement !== undefined) checkPlacement(placement);
  return { rest: placement === undefined && !('placement' in options) ? options : rest, placement };
}
