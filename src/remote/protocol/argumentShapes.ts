/**
 * Shapes of the arguments of each method that a client can call. mediasoup checks many of them itself, but not all: a
 * value that it can't write into a message to its Worker makes it throw in the middle of that, and leaves the channel
 * to this Worker unusable. The compiler refuses these tables if a method of the class table is missing, or has a
 * parameter, or an option, without a shape.
 */
import type {
  ActiveSpeakerObserverOptions,
  AudioLevelObserverOptions,
  DirectTransportOptions,
  PipeTransportOptions,
  PlainTransportOptions,
  WebRtcTransportOptions,
  WorkerSettings,
} from 'mediasoup/types';
import {
  activeSpeakerObserverOptions,
  audioLevelObserverOptions,
  consumerLayers,
  consumerOptions,
  dataConsumerOptions,
  dataProducerOptions,
  directTransportOptions,
  dtlsParameters,
  listenInfo,
  pipeConsumerOptions,
  pipeToRouterOptions,
  pipeTransportOptions,
  plainTransportOptions,
  producerOptions,
  routerOptions,
  webRtcServerOptions,
  webRtcTransportOptions,
  workerSettings,
  workerUpdateableSettings,
} from '../../api/shapes/options.ts';
import { mediaCodecs, rtpParameters, sctpStreamParameters, srtpParameters } from '../../api/shapes/rtp.ts';
import {
  anything,
  data,
  either,
  flag,
  integer,
  list,
  name,
  number,
  numbers,
  object,
  text,
  texts,
  type Shape,
} from '../../api/shapes/shape.ts';
import type { MafaldaRouterOptions } from '../../api/types.ts';
import type {
  Asker,
  ConfirmRequest,
  ConnectRequest,
  LeaveRequest,
  LinkEnd,
  LinkRequest,
  OfferRequest,
  PipedStream,
  StreamId,
} from '../../piping/endpoint.ts';
import type { Ssrcs } from '../../piping/foretold.ts';
import type { MafaldaCall, MafaldaRouterCall, MediasoupCall } from './calls.ts';
import type { classes, ClassName, Interfaces } from './classes.ts';
import type { MembersOf } from './describe.ts';
import type { Unconfirmed } from './messages.ts';

/** Shape of each parameter. */
type ShapesOf<Parameters extends readonly unknown[]> = {
  readonly [Index in keyof Parameters]-?: Shape<NonNullable<Parameters[Index]>>;
};

type Classes = typeof classes;
/** Methods of a class that a client can call. */
export type Callable<Name extends ClassName> = MembersOf<
  Classes[Name]['members'],
  'call' | 'create' | 'send' | 'closing'
>;
type ParametersOf<T, Name> = Name extends keyof T
  ? T[Name] extends (...args: infer Parameters) => unknown
    ? Parameters
    : never
  : never;
type ClassShapes<Name extends ClassName> = {
  readonly [Method in Callable<Name>]: ShapesOf<ParametersOf<Interfaces[Name], Method>>;
};

const ended = { close: [], dump: [] } as const;
const paused = { pause: [], resume: [] } as const;
const traced = { enableTraceEvent: [texts] } as const;

const worker = { ...ended, getResourceUsage: [] } as const;

const transport = {
  ...ended,
  ...traced,
  getStats: [],
  setMaxIncomingBitrate: [integer],
  setMaxOutgoingBitrate: [integer],
  setMinOutgoingBitrate: [integer],
  produce: [producerOptions],
  consume: [consumerOptions],
  produceData: [dataProducerOptions],
  consumeData: [dataConsumerOptions],
} as const;

const producerOfObserver = object<{ producerId: string }>()({ producerId: text });
const rtpObserver = {
  ...paused,
  close: [],
  addProducer: [producerOfObserver],
  removeProducer: [producerOfObserver],
} as const;

const address = { ip: text, port: number, srtpParameters } as const;
type ConnectOptions<Name extends 'WebRtcTransport' | 'PlainTransport' | 'PipeTransport'> = Parameters<
  Interfaces[Name]['connect']
>[0];

const creates = {
  createWebRtcTransport: [webRtcTransportOptions],
  createPlainTransport: [plainTransportOptions],
  createPipeTransport: [pipeTransportOptions],
  createDirectTransport: [directTransportOptions],
  createActiveSpeakerObserver: [activeSpeakerObserverOptions],
  createAudioLevelObserver: [audioLevelObserverOptions],
} as const;

/** Shapes of the arguments of each method of mediasoup's objects, by its class. */
export const classShapes: { readonly [Name in ClassName]: ClassShapes<Name> } = {
  Worker: {
    ...worker,
    updateSettings: [workerUpdateableSettings],
    createWebRtcServer: [webRtcServerOptions],
    createRouter: [routerOptions],
  },
  SharedWorker: { dump: [], getResourceUsage: [] },
  WebRtcServer: ended,
  Router: { ...ended, ...creates, updateMediaCodecs: [mediaCodecs], pipeToRouter: [pipeToRouterOptions] },
  WebRtcTransport: {
    ...transport,
    connect: [object<ConnectOptions<'WebRtcTransport'>>()({ dtlsParameters })],
    restartIce: [],
  },
  PlainTransport: {
    ...transport,
    connect: [object<ConnectOptions<'PlainTransport'>>()({ ...address, rtcpPort: number })],
  },
  PipeTransport: {
    ...transport,
    consume: [pipeConsumerOptions],
    connect: [object<ConnectOptions<'PipeTransport'>>()(address)],
  },
  DirectTransport: { ...transport, connect: [], sendRtcp: [data] },
  ActiveSpeakerObserver: rtpObserver,
  AudioLevelObserver: rtpObserver,
  Producer: { ...ended, ...paused, ...traced, getStats: [], send: [data] },
  Consumer: {
    ...ended,
    ...paused,
    ...traced,
    getStats: [],
    setPreferredLayers: [consumerLayers],
    setPriority: [number],
    unsetPriority: [],
    requestKeyFrame: [],
  },
  DataProducer: { ...ended, ...paused, getStats: [], send: [data, number, numbers, number, number] },
  DataConsumer: {
    ...ended,
    ...paused,
    getStats: [],
    setBufferedAmountLowThreshold: [number],
    getBufferedAmount: [],
    send: [data, number],
    setSubchannels: [numbers],
    addSubchannel: [number],
    removeSubchannel: [number],
  },
};

/** Routers on the path of a stream, or that were asked for it: more than any real client names. */
const MAX_PATH = 32;
const ends = { routerId: text, remoteRouterId: text, link: text } as const;
const linkEnd = object<LinkEnd>()({
  transportId: text,
  ip: text,
  port: number,
  srtpParameters,
  connectedTo: text,
});
const linkRequest = { ...ends, network: flag, family: number, listenInfo } as const;
const streamId = object<StreamId>()({ producerId: text, dataProducerId: text });
const pipedStream = object<PipedStream>()({
  id: name,
  appData: anything,
  paused: flag,
  kind: text,
  rtpParameters,
  sctpStreamParameters,
  label: text,
  protocol: text,
  path: list(name, 'ids', MAX_PATH),
});
const ssrcs = object<Ssrcs>()({ media: number, rtx: number });
const asker = object<Asker>()({
  routers: list(name, 'ids'),
  asked: list(name, 'ids', MAX_PATH),
  must: flag,
  url: name,
  load: number,
});
const consumerIds = list(text, 'strings');

/** Parameters of the methods of a MafaldaRouter that have any. */
interface MafaldaRouterParameters {
  createWebRtcTransport: [WebRtcTransportOptions];
  createPlainTransport: [PlainTransportOptions];
  createPipeTransport: [PipeTransportOptions];
  createDirectTransport: [DirectTransportOptions];
  createActiveSpeakerObserver: [ActiveSpeakerObserverOptions];
  createAudioLevelObserver: [AudioLevelObserverOptions];
  openLink: [LinkRequest];
  offerPipe: [OfferRequest];
  connectLink: [ConnectRequest];
  acceptPipe: [ConnectRequest & { stream: PipedStream }];
  confirmPipes: [ConfirmRequest];
  leaveLinks: [LeaveRequest];
  adopt: [handles: number[]];
}

/** Shapes of the arguments of each method of a MafaldaRouter. */
export const mafaldaRouterShapes: {
  readonly [Method in MafaldaRouterCall]: Method extends keyof MafaldaRouterParameters
    ? ShapesOf<MafaldaRouterParameters[Method]>
    : readonly [];
} = {
  ...creates,
  attach: [],
  getRtpCapabilities: [],
  getResourceUsages: [],
  dump: [],
  openLink: [object<LinkRequest>()(linkRequest)],
  offerPipe: [object<OfferRequest>()({ ...linkRequest, stream: streamId, asleep: flag, ssrcs, asker })],
  connectLink: [object<ConnectRequest>()({ ...ends, remote: linkEnd })],
  acceptPipe: [object<ConnectRequest & { stream: PipedStream }>()({ ...ends, remote: linkEnd, stream: pipedStream })],
  confirmPipes: [object<ConfirmRequest>()({ ...ends, consumerIds })],
  leaveLinks: [
    object<LeaveRequest>()({ routerId: text, remoteRouterId: text, consumerIds, isLast: flag, isDead: flag }),
  ],
  adopt: [numbers],
  close: [],
  leave: [],
};

const mafaldaRouterOptions = object<MafaldaRouterOptions>()({
  id: name,
  maxWorkers: number,
  routerOptions,
  watermarkWorker: number,
  workerSettings,
});

/** Parameters of the methods of the server's Mafalda. */
interface MafaldaParameters {
  createMafaldaRouter: [MafaldaRouterOptions];
  findMafaldaRouter: [options: MafaldaRouterOptions, ask: boolean];
  listMafaldaRouters: [];
  closeUnconfirmed: [Unconfirmed];
  getResourceUsages: [];
  drain: [];
  undrain: [];
}

/** Shapes of the arguments of each method of the server's Mafalda. */
export const mafaldaShapes: { readonly [Method in MafaldaCall]: ShapesOf<MafaldaParameters[Method]> } = {
  // The methods refuse themselves what is no object, with a better error message.
  createMafaldaRouter: [either('options', anything, mafaldaRouterOptions)],
  findMafaldaRouter: [either('options', anything, mafaldaRouterOptions), flag],
  closeUnconfirmed: [object<Unconfirmed>()({ mafaldaRouter: text, handles: numbers, number })],
  listMafaldaRouters: [],
  getResourceUsages: [],
  drain: [],
  undrain: [],
};

/** Shapes of the arguments of each method of the mediasoup module behind it. */
export const mediasoupShapes: { readonly [Method in MediasoupCall]: ShapesOf<[WorkerSettings]> } = {
  createWorker: [workerSettings],
};

/** Returns the shapes of the arguments of a method of the class table. */
export function shapesOf(className: ClassName, method: string): readonly Shape<never>[] {
  const shapes: Readonly<Record<string, readonly Shape<never>[]>> = classShapes[className];
  return shapes[method] ?? [];
}
