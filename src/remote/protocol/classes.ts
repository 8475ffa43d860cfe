/**
 * Table of the members and events of mediasoup's classes that cross the wire. The server subscribes and dispatches by
 * it, the client's mirrors are made from it, and nothing that is not in it can be called.
 */
import { generateRouterRtpCapabilities } from 'mediasoup/ortc';
import type {
  ActiveSpeakerObserver,
  AudioLevelObserver,
  Consumer,
  DataConsumer,
  DataProducer,
  DirectTransport,
  PipeTransport,
  PlainTransport,
  Producer,
  Router,
  RouterRtpCodecCapability,
  WebRtcServer,
  WebRtcTransport,
  Worker,
} from 'mediasoup/types';
import {
  mustBeBuffer,
  mustBeLayers,
  mustBeMessage,
  mustBePriority,
  mustBeTraceTypes,
  mustHaveFingerprints,
} from './argumentChecks.ts';
import { describeClass, listenedEventsOf, type ClassDescription } from './describe.ts';

const closable = { closed: 'local', appData: 'local', observer: 'local', close: 'closing' } as const;
const identified = { ...closable, id: 'fixed', dump: 'call' } as const;
const pausedEvents = ['pause', 'resume'] as const;
const pausable = { paused: 'changing', pause: 'call', resume: 'call' } as const;

const workerDescription = {
  parents: [],
  announcement: 'newworker',
  closedByParent: 'died',
  closedBy: ['died'],
  events: { subprocessclose: 'object' },
} as const;

const workerMembers = {
  ...closable,
  pid: 'fixed',
  died: 'local',
  subprocessClosed: 'changing',
  dump: 'call',
  getResourceUsage: 'call',
} as const;

/** A client's own Worker. */
const worker = describeClass<Worker>()({
  ...workerDescription,
  members: { ...workerMembers, updateSettings: 'call', createWebRtcServer: 'create', createRouter: 'create' },
});

/** A Worker of MafaldaRouters. Some of them may belong to other clients, so no single client may change or close it. */
const sharedWorker = describeClass<Worker>()({
  ...workerDescription,
  members: {
    ...workerMembers,
    close: 'local',
    updateSettings: 'local',
    createWebRtcServer: 'local',
    createRouter: 'local',
  },
});

const webRtcServer = describeClass<WebRtcServer>()({
  parents: ['Worker'],
  announcement: 'newwebrtcserver',
  closedByParent: 'workerclose',
  closedBy: [],
  members: { ...identified, workerClosed: 'ending', handleWebRtcTransport: 'local' },
  // `webrtctransportunhandled` follows from the closing of the server or the transport, so mirrors emit it themselves.
  events: { webrtctransporthandled: 'observer' },
});

const router = describeClass<Router>()({
  parents: ['Worker', 'SharedWorker'],
  announcement: 'newrouter',
  closedByParent: 'workerclose',
  closedBy: [],
  members: {
    ...identified,
    rtpCapabilities: 'changing',
    workerClosed: 'ending',
    canConsume: 'local',
    updateMediaCodecs: 'send',
    createWebRtcTransport: 'create',
    createPlainTransport: 'create',
    createPipeTransport: 'create',
    createDirectTransport: 'create',
    createActiveSpeakerObserver: 'create',
    createAudioLevelObserver: 'create',
    pipeToRouter: 'create',
  },
  events: {},
  atOnce: {
    updateMediaCodecs: (mediaCodecs?: RouterRtpCodecCapability[]) => ({
      rtpCapabilities: generateRouterRtpCapabilities(structuredClone(mediaCodecs)),
    }),
  },
});

const traceChecks = { enableTraceEvent: mustBeTraceTypes };

const transportDescription = {
  parents: ['Router'],
  announcement: 'newtransport',
  closedByParent: 'routerclose',
  closedBy: ['listenserverclose'],
  atOnce: traceChecks,
};

const transportMembers = {
  ...identified,
  type: 'fixed',
  routerClosed: 'ending',
  listenServerClosed: 'ending',
  getStats: 'call',
  connect: 'call',
  setMaxIncomingBitrate: 'call',
  setMaxOutgoingBitrate: 'call',
  setMinOutgoingBitrate: 'call',
  produce: 'create',
  consume: 'create',
  produceData: 'create',
  consumeData: 'create',
  enableTraceEvent: 'call',
} as const;

const sctpMembers = { sctpParameters: 'fixed', sctpState: 'changing', sctpNegotiatedCapabilities: 'changing' } as const;

const sctpClosed = { sctpState: 'closed' } as const;

const webRtcTransport = describeClass<WebRtcTransport>()({
  ...transportDescription,
  members: {
    ...transportMembers,
    ...sctpMembers,
    iceRole: 'fixed',
    iceParameters: 'changing',
    iceCandidates: 'fixed',
    iceState: 'changing',
    iceSelectedTuple: 'changing',
    dtlsParameters: 'changing',
    dtlsState: 'changing',
    dtlsRemoteCert: 'changing',
    restartIce: 'call',
  },
  events: {
    trace: 'both',
    icestatechange: 'both',
    iceselectedtuplechange: 'both',
    dtlsstatechange: 'both',
    sctpstatechange: 'both',
  },
  stateEvents: {
    iceState: 'icestatechange',
    iceSelectedTuple: 'iceselectedtuplechange',
    dtlsState: 'dtlsstatechange',
    sctpState: 'sctpstatechange',
  },
  atOnce: { ...transportDescription.atOnce, connect: mustHaveFingerprints },
  closedState: { ...sctpClosed, iceState: 'closed', iceSelectedTuple: undefined, dtlsState: 'closed' },
});

const plainTransport = describeClass<PlainTransport>()({
  ...transportDescription,
  members: {
    ...transportMembers,
    ...sctpMembers,
    tuple: 'changing',
    rtcpTuple: 'changing',
    srtpParameters: 'changing',
  },
  events: { trace: 'both', tuple: 'both', rtcptuple: 'both', sctpstatechange: 'both' },
  stateEvents: { tuple: 'tuple', rtcpTuple: 'rtcptuple', sctpState: 'sctpstatechange' },
  closedState: sctpClosed,
});

const pipeTransport = describeClass<PipeTransport>()({
  ...transportDescription,
  members: { ...transportMembers, ...sctpMembers, tuple: 'changing', srtpParameters: 'changing' },
  events: { trace: 'both', sctpstatechange: 'both' },
  stateEvents: { sctpState: 'sctpstatechange' },
  closedState: sctpClosed,
});

const directTransport = describeClass<DirectTransport>()({
  ...transportDescription,
  members: { ...transportMembers, sendRtcp: 'send' },
  events: { trace: 'both', rtcp: 'listened' },
  atOnce: { ...transportDescription.atOnce, sendRtcp: (packet: unknown) => mustBeBuffer('rtcpPacket', packet) },
});

const rtpObserverDescription = {
  parents: ['Router'],
  announcement: 'newrtpobserver',
  closedByParent: 'routerclose',
  closedBy: [],
};

const rtpObserverMembers = {
  ...closable,
  ...pausable,
  id: 'fixed',
  type: 'fixed',
  routerClosed: 'ending',
  addProducer: 'call',
  removeProducer: 'call',
} as const;

const rtpObserverEvents = {
  pause: 'observer',
  resume: 'observer',
  addproducer: 'observer',
  removeproducer: 'observer',
} as const;

const activeSpeakerObserver = describeClass<ActiveSpeakerObserver>()({
  ...rtpObserverDescription,
  members: rtpObserverMembers,
  events: { ...rtpObserverEvents, dominantspeaker: 'both' },
  stateEvents: { paused: pausedEvents },
});

const audioLevelObserver = describeClass<AudioLevelObserver>()({
  ...rtpObserverDescription,
  members: rtpObserverMembers,
  events: { ...rtpObserverEvents, volumes: 'both', silence: 'both' },
  stateEvents: { paused: pausedEvents },
});

const transportClasses = ['WebRtcTransport', 'PlainTransport', 'PipeTransport', 'DirectTransport'] as const;

const streamMembers = { ...identified, ...pausable, transportClosed: 'ending', getStats: 'call' } as const;
const pausableEvents = { pause: 'observer', resume: 'observer' } as const;

const producer = describeClass<Producer>()({
  parents: transportClasses,
  announcement: 'newproducer',
  closedByParent: 'transportclose',
  closedBy: [],
  members: {
    ...streamMembers,
    kind: 'fixed',
    type: 'fixed',
    rtpParameters: 'fixed',
    consumableRtpParameters: 'fixed',
    score: 'changing',
    enableTraceEvent: 'call',
    send: 'send',
  },
  events: { ...pausableEvents, score: 'both', videoorientationchange: 'both', trace: 'both' },
  stateEvents: { paused: pausedEvents, score: 'score' },
  atOnce: { ...traceChecks, send: (packet: unknown) => mustBeBuffer('rtpPacket', packet) },
});

const consumer = describeClass<Consumer>()({
  parents: transportClasses,
  announcement: 'newconsumer',
  closedByParent: 'transportclose',
  closedBy: ['producerclose'],
  members: {
    ...streamMembers,
    producerId: 'fixed',
    kind: 'fixed',
    type: 'fixed',
    rtpParameters: 'fixed',
    producerPaused: 'changing',
    priority: 'changing',
    score: 'changing',
    preferredLayers: 'changing',
    currentLayers: 'changing',
    setPreferredLayers: 'call',
    setPriority: 'call',
    unsetPriority: 'call',
    requestKeyFrame: 'call',
    enableTraceEvent: 'call',
  },
  events: {
    ...pausableEvents,
    producerpause: 'object',
    producerresume: 'object',
    score: 'both',
    layerschange: 'both',
    trace: 'both',
    rtp: 'listened',
  },
  stateEvents: {
    paused: pausedEvents,
    producerPaused: ['producerpause', 'producerresume'],
    score: 'score',
    currentLayers: 'layerschange',
  },
  atOnce: { ...traceChecks, setPreferredLayers: mustBeLayers, setPriority: mustBePriority },
});

const dataStreamMembers = {
  ...streamMembers,
  type: 'fixed',
  sctpStreamParameters: 'fixed',
  label: 'fixed',
  protocol: 'fixed',
} as const;

const dataProducer = describeClass<DataProducer>()({
  parents: transportClasses,
  announcement: 'newdataproducer',
  closedByParent: 'transportclose',
  closedBy: [],
  members: { ...dataStreamMembers, send: 'send' },
  events: pausableEvents,
  stateEvents: { paused: pausedEvents },
  atOnce: { send: mustBeMessage },
});

const dataConsumer = describeClass<DataConsumer>()({
  parents: transportClasses,
  announcement: 'newdataconsumer',
  closedByParent: 'transportclose',
  closedBy: ['dataproducerclose'],
  members: {
    ...dataStreamMembers,
    dataProducerId: 'fixed',
    dataProducerPaused: 'changing',
    subchannels: 'changing',
    setBufferedAmountLowThreshold: 'call',
    getBufferedAmount: 'call',
    send: 'call',
    setSubchannels: 'call',
    addSubchannel: 'call',
    removeSubchannel: 'call',
  },
  events: {
    ...pausableEvents,
    dataproducerpause: 'object',
    dataproducerresume: 'object',
    message: 'listened',
    sctpsendbufferfull: 'object',
    bufferedamountlow: 'object',
  },
  stateEvents: { paused: pausedEvents, dataProducerPaused: ['dataproducerpause', 'dataproducerresume'] },
  atOnce: { send: mustBeMessage },
});

export const classes = {
  Worker: worker,
  SharedWorker: sharedWorker,
  WebRtcServer: webRtcServer,
  Router: router,
  WebRtcTransport: webRtcTransport,
  PlainTransport: plainTransport,
  PipeTransport: pipeTransport,
  DirectTransport: directTransport,
  ActiveSpeakerObserver: activeSpeakerObserver,
  AudioLevelObserver: audioLevelObserver,
  Producer: producer,
  Consumer: consumer,
  DataProducer: dataProducer,
  DataConsumer: dataConsumer,
};

export type ClassName = keyof typeof classes;

/** mediasoup's interfaces of the classes. */
export interface Interfaces {
  Worker: Worker;
  SharedWorker: Worker;
  WebRtcServer: WebRtcServer;
  Router: Router;
  WebRtcTransport: WebRtcTransport;
  PlainTransport: PlainTransport;
  PipeTransport: PipeTransport;
  DirectTransport: DirectTransport;
  ActiveSpeakerObserver: ActiveSpeakerObserver;
  AudioLevelObserver: AudioLevelObserver;
  Producer: Producer;
  Consumer: Consumer;
  DataProducer: DataProducer;
  DataConsumer: DataConsumer;
}

/** Events so frequent that only listeners get them, and that a client which is too slow for them does without. */
export const lossyEvents: ReadonlySet<string> = new Set(
  Object.values(classes).flatMap(description => [...listenedEventsOf(description)]),
);

export function descriptionOf(className: ClassName): ClassDescription {
  return classes[className];
}
