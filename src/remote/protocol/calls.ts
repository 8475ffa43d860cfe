/**
 * Calls on anything else than an object of mediasoup's (these are in `classes.ts`): on the server's Mafalda, on its
 * mediasoup module, and on MafaldaRouters.
 */
import type { ClassName } from './classes.ts';

/** Methods that can be called on the server's Mafalda. */
export const mafaldaCalls = [
  'createMafaldaRouter',
  'findMafaldaRouter',
  'listMafaldaRouters',
  'closeUnconfirmed',
  'getResourceUsages',
  'drain',
  'undrain',
] as const;
export type MafaldaCall = (typeof mafaldaCalls)[number];

/** Methods that can be called on the mediasoup module behind it. */
export const mediasoupCalls = ['createWorker'] as const;
export type MediasoupCall = (typeof mediasoupCalls)[number];

/** Methods that create an object in a MafaldaRouter. */
export const mafaldaRouterCreates = [
  'createWebRtcTransport',
  'createPlainTransport',
  'createPipeTransport',
  'createDirectTransport',
  'createActiveSpeakerObserver',
  'createAudioLevelObserver',
] as const;

/** Classes of the objects that methods create, by the method; only methods that create a single object. */
export const created: ReadonlyMap<string, ClassName> = new Map([
  ['createWorker', 'Worker'],
  ['createWebRtcServer', 'WebRtcServer'],
  ['createRouter', 'Router'],
  ['createWebRtcTransport', 'WebRtcTransport'],
  ['createPlainTransport', 'PlainTransport'],
  ['createPipeTransport', 'PipeTransport'],
  ['createDirectTransport', 'DirectTransport'],
  ['createActiveSpeakerObserver', 'ActiveSpeakerObserver'],
  ['createAudioLevelObserver', 'AudioLevelObserver'],
  ['produce', 'Producer'],
  ['consume', 'Consumer'],
  ['produceData', 'DataProducer'],
  ['consumeData', 'DataConsumer'],
]);

/** Methods that create the ends of links and pipes in a MafaldaRouter. */
export const mafaldaRouterPipes = ['openLink', 'offerPipe', 'acceptPipe'] as const;

/** Methods that can be called on a MafaldaRouter, beside `mafaldaRouterMemberCalls`. */
export const mafaldaRouterCalls = [
  ...mafaldaRouterCreates,
  'attach',
  'getRtpCapabilities',
  'getResourceUsages',
  'dump',
  'openLink',
  'offerPipe',
  'connectLink',
  'acceptPipe',
  'confirmPipes',
  'leaveLinks',
] as const;

/** Methods of a MafaldaRouter that concern what the calling client has there. */
export const mafaldaRouterMemberCalls = ['adopt', 'close', 'leave'] as const;
export type MafaldaRouterCall = (typeof mafaldaRouterCalls)[number] | (typeof mafaldaRouterMemberCalls)[number];
