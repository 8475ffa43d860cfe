/** Shapes of mediasoup's options: of Workers, Routers, Transports, streams and observers. */
import type {
  ActiveSpeakerObserverOptions,
  AudioLevelObserverOptions,
  ConsumerLayers,
  ConsumerOptions,
  DataConsumerOptions,
  DataProducerOptions,
  DirectTransportOptions,
  DtlsFingerprint,
  DtlsParameters,
  PipeConsumerOptions,
  PipeToRouterOptions,
  PipeTransportOptions,
  PlainTransportOptions,
  ProducerOptions,
  RouterOptions,
  TransportListenInfo,
  TransportListenIp,
  TransportPortRange,
  TransportSocketFlags,
  WebRtcServerOptions,
  WebRtcTransportOptions,
  WorkerSettings,
  WorkerUpdateableSettings,
} from 'mediasoup/types';
import { mediaCodecs, rtpCapabilities, rtpParameters, sctpStreamParameters } from './rtp.ts';
import {
  anything,
  either,
  flag,
  integer,
  list,
  name,
  number,
  numbers,
  object,
  reference,
  text,
  texts,
} from './shape.ts';

export const listenInfo = object<TransportListenInfo>()({
  protocol: text,
  ip: text,
  announcedIp: text,
  announcedAddress: text,
  exposeInternalIp: flag,
  port: number,
  portRange: object<TransportPortRange>()({ min: number, max: number }),
  flags: object<TransportSocketFlags>()({ ipv6Only: flag, udpReusePort: flag }),
  sendBufferSize: number,
  recvBufferSize: number,
});
const listenInfos = list(listenInfo, 'objects');

const listenIp = either('a string or an object', text, object<TransportListenIp>()({ ip: text, announcedIp: text }));

const sctp = {
  enableSctp: flag,
  maxSendMessageSize: number,
  maxReceiveMessageSize: number,
  sctpSendBufferSize: number,
  sctpPerStreamSendQueueLimit: number,
  sctpMaxReceiverWindowBufferSize: number,
  sctpDefaultStreamBufferedAmountLowThreshold: number,
} as const;

export const webRtcTransportOptions = object<WebRtcTransportOptions>()({
  ...sctp,
  webRtcServer: reference('WebRtcServer'),
  listenInfos,
  listenIps: list(listenIp, 'strings or objects'),
  port: number,
  enableUdp: flag,
  enableTcp: flag,
  preferUdp: flag,
  preferTcp: flag,
  iceConsentTimeout: number,
  initialAvailableOutgoingBitrate: integer,
  appData: anything,
});

export const plainTransportOptions = object<PlainTransportOptions>()({
  ...sctp,
  listenInfo,
  rtcpListenInfo: listenInfo,
  listenIp,
  port: number,
  rtcpMux: flag,
  comedia: flag,
  enableSrtp: flag,
  srtpCryptoSuite: text,
  appData: anything,
});

export const pipeTransportOptions = object<PipeTransportOptions>()({
  ...sctp,
  listenInfo,
  listenIp,
  port: number,
  enableRtx: flag,
  enableSrtp: flag,
  appData: anything,
});

export const directTransportOptions = object<DirectTransportOptions>()({
  maxSendMessageSize: number,
  maxReceiveMessageSize: number,
  appData: anything,
});

export const activeSpeakerObserverOptions = object<ActiveSpeakerObserverOptions>()({
  interval: number,
  appData: anything,
});

export const audioLevelObserverOptions = object<AudioLevelObserverOptions>()({
  maxEntries: number,
  threshold: number,
  interval: number,
  appData: anything,
});

export const pipeToRouterOptions = object<PipeToRouterOptions>()({
  ...sctp,
  producerId: text,
  dataProducerId: text,
  router: reference('Router'),
  keepId: flag,
  listenInfo,
  listenIp,
  enableRtx: flag,
  enableSrtp: flag,
});

export const routerOptions = object<RouterOptions>()({ mediaCodecs, appData: anything });

export const webRtcServerOptions = object<WebRtcServerOptions>()({ listenInfos, appData: anything });

export const workerUpdateableSettings = object<WorkerUpdateableSettings>()({ logLevel: text, logTags: texts });

export const workerSettings = object<WorkerSettings>()({
  logLevel: text,
  logTags: texts,
  rtcMinPort: number,
  rtcMaxPort: number,
  dtlsCertificateFile: text,
  dtlsPrivateKeyFile: text,
  workerBin: text,
  libwebrtcFieldTrials: text,
  appData: anything,
});

export const dtlsParameters = object<DtlsParameters>()({
  role: text,
  fingerprints: list(object<DtlsFingerprint>()({ algorithm: text, value: text }), 'objects'),
});

export const producerOptions = object<ProducerOptions>()({
  id: name,
  kind: text,
  rtpParameters,
  paused: flag,
  keyFrameRequestDelay: number,
  enableMediasoupPacketIdHeaderExtension: flag,
  appData: anything,
});

export const consumerLayers = object<ConsumerLayers>()({ spatialLayer: number, temporalLayer: number });

export const consumerOptions = object<ConsumerOptions>()({
  producerId: text,
  rtpCapabilities,
  paused: flag,
  mid: text,
  preferredLayers: consumerLayers,
  enableRtx: flag,
  ignoreDtx: flag,
  pipe: flag,
  appData: anything,
});

export const pipeConsumerOptions = object<PipeConsumerOptions>()({ producerId: text, appData: anything });

export const dataProducerOptions = object<DataProducerOptions>()({
  id: name,
  sctpStreamParameters,
  label: text,
  protocol: text,
  paused: flag,
  appData: anything,
});

export const dataConsumerOptions = object<DataConsumerOptions>()({
  dataProducerId: text,
  ordered: flag,
  maxPacketLifeTime: number,
  maxRetransmits: number,
  paused: flag,
  subchannels: numbers,
  appData: anything,
});
