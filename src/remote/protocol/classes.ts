/**
 * The one table that says which members and events of mediasoup's classes cross the wire. The server follows and obeys
 * it, the client's mirrors are made from it, and nothing that is not in it can be called.
 */
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
  WebRtcTransport,
  Worker,
} from 'mediasoup/types';
import { describeClass, type ClassDescription } from './describe.ts';

const closable = { closed: 'local', appData: 'local', observer: 'local', close: 'local' } as const;
const identified = { ...closable, id: 'fixed', dump: 'call' } as const;
const pausable = { paused: 'changing', pause: 'call', resume: 'call' } as const;

const worker = describeClass<Worker>()({
  announcement: 'newworker',
  closedByParent: 'died',
  closedBy: ['died'],
  members: {
    ...closable,
    pid: 'fixed',
    died: 'local',
    subprocessClosed: 'changing',
    dump: 'call',
    getResourceUsage: 'call',
    updateSettings: 'call',
    createWebRtcServer: 'local',
    createRouter: 'local',
  },
  events: { subprocessclose: 'object' },
});

const router = describeClass<Router>()({
  announcement: 'newrouter',
  closedByParent: 'workerclose',
  closedBy: [],
  members: {
    ...identified,
    rtpCapabilities: 'changing',
    workerClosed: 'ending',
    canConsume: 'local',
    updateMediaCodecs: 'send',
    createWebRtcTransport: 'call',
    createPlainTransport: 'call',
    createPipeTransport: 'call',
    createDirectTransport: 'call',
    createActiveSpeakerObserver: 'call',
    createAudioLevelObserver: 'call',
    pipeToRouter: 'call',
  },
  events: {},
});

const transportDescription = { announcement: 'newtransport', closedByParent: 'routerclose', closedBy: ['listenserverclose'] };

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
  produce: 'call',
  consume: 'call',
  produceData: 'call',
  consumeData: 'call',
  enableTraceEvent: 'call',
} as const;

const sctpMembers = { sctpParameters: 'fixed', sctpState: 'changing', sctpNegotiatedCapabilities: 'changing' } as const;

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
  events: { trace: 'both', icestatechange: 'both', iceselectedtuplechange: 'both', dtlsstatechange: 'both', sctpstatechange: 'both' },
});

const plainTransport = describeClass<PlainTransport>()({
  ...transportDescription,
  members: { ...transportMembers, ...sctpMembers, tuple: 'changing', rtcpTuple: 'changing', srtpParameters: 'changing' },
  events: { trace: 'both', tuple: 'both', rtcptuple: 'both', sctpstatechange: 'both' },
});

const pipeTransport = describeClass<PipeTransport>()({
  ...transportDescription,
  members: { ...transportMembers, ...sctpMembers, tuple: 'changing', srtpParameters: 'changing' },
  events: { trace: 'both', sctpstatechange: 'both' },
});

const directTransport = describeClass<DirectTransport>()({
  ...transportDescription,
  members: { ...transportMembers, sendRtcp: 'send' },
  events: { trace: 'both', rtcp: 'object' },
});

const rtpObserverDescription = { announcement: 'newrtpobserver', closedByParent: 'routerclose', closedBy: [] };

const rtpObserverMembers = {
  ...closable,
  ...pausable,
  id: 'fixed',
  type: 'fixed',
  routerClosed: 'ending',
  addProducer: 'call',
  removeProducer: 'call',
} as const;

const rtpObserverEvents = { pause: 'observer', resume: 'observer', addproducer: 'observer', removeproducer: 'observer' } as const;

const activeSpeakerObserver = describeClass<ActiveSpeakerObserver>()({
  ...rtpObserverDescription,
  members: rtpObserverMembers,
  events: { ...rtpObserverEvents, dominantspeaker: 'both' },
});

const audioLevelObserver = describeClass<AudioLevelObserver>()({
  ...rtpObserverDescription,
  members: rtpObserverMembers,
  events: { ...rtpObserverEvents, volumes: 'both', silence: 'both' },
});

const streamMembers = { ...identified, ...pausable, transportClosed: 'ending', getStats: 'call' } as const;
const pausableEvents = { pause: 'observer', resume: 'observer' } as const;

const producer = describeClass<Producer>()({
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
});

const consumer = describeClass<Consumer>()({
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
    rtp: 'object',
  },
});

const dataStreamMembers = { ...streamMembers, type: 'fixed', sctpStreamParameters: 'fixed', label: 'fixed', protocol: 'fixed' } as const;

const dataProducer = describeClass<DataProducer>()({
  announcement: 'newdataproducer',
  closedByParent: 'transportclose',
  closedBy: [],
  members: { ...dataStreamMembers, send: 'send' },
  events: pausableEvents,
});

const dataConsumer = describeClass<DataConsumer>()({
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
    message: 'object',
    sctpsendbufferfull: 'object',
    bufferedamountlow: 'object',
  },
});

export const classes = {
  Worker: worker,
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

export function descriptionOf(className: ClassName): ClassDescription {
  return classes[className];
}

/** What can be called on a MafaldaRouter, beside `close`. */
export const mafaldaRouterCalls = [
  'attach',
  'getRtpCapabilities',
  'createWebRtcTransport',
  'createPlainTransport',
  'createPipeTransport',
  'createDirectTransport',
  'createActiveSpeakerObserver',
  'createAudioLevelObserver',
  'getResourceUsages',
  'dump',
  'openLink',
  'offerPipe',
  'connectLink',
  'acceptPipe',
] as const;
