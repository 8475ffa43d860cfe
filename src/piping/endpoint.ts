/**
 * Requests by which a stream gets from a Router into another Router. Two Routers are joined by links: pairs of
 * PipeTransports, with an end in each Router, through which any number of Producers or DataProducers are piped in both
 * directions. Media and messages have a link each: a burst of messages costs no packet of media, and either link may
 * end and be made anew without the other. A caller that wants a pipe asks both sides at once, so that the first pipe
 * costs two round trips:
 *
 *     1. source.offerPipe()    ∥  destination.openLink()     each answers with the address of its end
 *     2. source.connectLink()  ∥  destination.acceptPipe()   each connects to the other end
 *
 * Over a known link, both sides are asked at once for media whose parameters can be foretold, in a single round trip:
 *
 *     1. source.offerPipe()    ∥  destination.acceptPipe()
 *
 * For anything else a single side is asked at a time: `offerPipe()`, then `acceptPipe()`. In all cases `confirmPipes()`
 * follows to the source a while later.
 *
 * Every MafaldaRouter is an endpoint for all of its Routers, and passes requests for another machine on to that
 * machine.
 */
import type {
  AppData,
  Consumer,
  DataConsumer,
  MediaKind,
  RtpParameters,
  SctpStreamParameters,
  SrtpParameters,
  TransportListenInfo,
} from 'mediasoup/types';
import type { Family } from '../core/addresses/families.ts';
import type { Asking, Redirect } from './delegation/policy.ts';
import type { Ssrcs } from './foretold.ts';

/** Id of the piped stream: of a Producer or a DataProducer. */
export type StreamId =
  { producerId: string; dataProducerId?: undefined } | { dataProducerId: string; producerId?: undefined };

/** Cargo of a link: media, or messages. */
export type LinkKind = 'media' | 'data';

export interface LinkRequest {
  /** Id of the Router whose end the request is for. */
  routerId: string;
  remoteRouterId: string;
  link: LinkKind;
  /**
   * Whether the link is between two machines: then it has SRTP and RTX, and listens on an address that the other
   * machine reaches. Else it listens on the loopback address.
   */
  network: boolean;
  /** Family of addresses, when `network`; default: the family that the asked server has first. */
  family?: Family;
  /** Listening address, when `network`; default: the loopback address. The asked server fills in its own. */
  listenInfo?: TransportListenInfo;
}

export interface OfferRequest extends LinkRequest {
  stream: StreamId;
  /** Whether the pipe flows only when its Consumer is resumed; default: false, it flows at once. */
  asleep?: boolean;
  /**
   * SSRCs with which the stream is let into the link, apart from pipes of the same stream that have others; default:
   * random ones, or those of a pipe that is there. Only for media.
   */
  ssrcs?: Ssrcs | undefined;
  /** Facts about an asker that goes where it is sent; default: the asked place must serve the stream. */
  asker?: Asker;
}

/** Asker of a stream, as it tells of itself. */
export interface Asker extends Asking {
  /** URL of the server to which the stream is to come, by which further askers reach it. */
  url?: string | undefined;
  /** Load of its machine, in percent. */
  load?: number | undefined;
}

/** End of a link, as the other end has to know it. */
export interface LinkEnd {
  transportId: string;
  /** Address, or a host name, which the other end resolves. */
  ip: string;
  port: number;
  srtpParameters?: SrtpParameters;
  /** The `transportId` of the end that this end is connected to already. */
  connectedTo?: string;
}

/** Stream as it comes out of the source's end of the link. */
export type PipedStream = { id: string; appData: AppData; paused: boolean; path?: readonly string[] } & (
  | { kind: MediaKind; rtpParameters: RtpParameters }
  | { kind: 'data'; sctpStreamParameters: SctpStreamParameters; label: string; protocol: string }
);

export interface PipeOffer {
  end: LinkEnd;
  /** Consumer that lets the stream into the link. */
  consumer: Consumer | DataConsumer;
  /** The stream's own appData. */
  appData: AppData;
  /** Parameters with which the other end produces a stream of messages; undefined for media. */
  sctpStreamParameters?: SctpStreamParameters;
  /** Ids of the Routers through which the stream comes to the other end, the origin's first. */
  path?: readonly string[];
}

/** Answer of a place that does not serve the asker, but sends it on. */
export interface PipeRedirect {
  redirect: Redirect;
}

export interface ConnectRequest {
  routerId: string;
  remoteRouterId: string;
  link: LinkKind;
  /** The other end of the link. */
  remote: LinkEnd;
}

export interface ConfirmRequest {
  routerId: string;
  remoteRouterId: string;
  link: LinkKind;
  /** Ids of the Consumers of pipes that leave this Router, and that their destination has accepted. */
  consumerIds: string[];
}

export interface LeaveRequest {
  routerId: string;
  remoteRouterId: string;
  /**
   * Ids of Consumers and DataConsumers in this Router that the caller gives up: its own, whose streams come from the
   * remote Router.
   */
  consumerIds: string[];
  /** Whether all users of the MafaldaRouter have left the link. The asked server knows that better than its client. */
  isLast?: boolean;
  /**
   * Whether the remote Router is dead by the judgement of the asked machine itself, or of all users that are heard: then
   * what has come from it closes, whoever uses it. The asked server knows that better than its client.
   */
  isDead?: boolean;
}

export interface PipeEndpoint {
  /** Opens this end of the link, or answers with the open end. */
  openLink(request: LinkRequest): Promise<LinkEnd>;
  /**
   * Opens this end of the link, and lets the stream into it; or sends the asker on, if it is one that can be sent.
   * Idempotent: a stream is let into a link once, or once for each caller with SSRCs of its own, up to a limit.
   */
  offerPipe(request: OfferRequest): Promise<PipeOffer | PipeRedirect>;
  /**
   * Connects this end of the link to the other end.
   * @throws {StaleLinkError} if this end is connected to an end that is gone by now: then it is closed and can be
   * opened anew
   */
  connectLink(request: ConnectRequest): Promise<void>;
  /**
   * Connects this end of the link, and produces the stream with its own id. From the moment of this call on, a consume
   * of the stream waits for it.
   * @param onProduced called as soon as the stream can be consumed there, by an endpoint in this process that knows
   */
  acceptPipe(request: ConnectRequest & { stream: PipedStream }, onProduced?: () => void): Promise<void>;
  /**
   * Tells the source that pipes are whole: until then it may take their maker for gone. Consumers that have closed by
   * then may be among them.
   */
  confirmPipes(request: ConfirmRequest): Promise<void>;
}

/**
 * Thrown when the two ends of a link don't belong together any more, since one of them was closed and opened again.
 * Another attempt opens both anew.
 */
export class StaleLinkError extends Error {
  override name = 'StaleLinkError';
}

const linkMark = 'mafaldaLink';

/** Returns the appData that marks a PipeTransport as the end of a link. */
export function linkAppData(remoteRouterId: string): AppData {
  return { [linkMark]: { remoteRouterId } };
}

/** Returns the id of the Router at the other end, if the Transport is the end of a link. */
export function linkedRouterId({ type, appData }: { type: string; appData: AppData }): string | undefined {
  const mark = appData[linkMark] as { remoteRouterId: string } | undefined;
  return type === 'pipe' ? mark?.remoteRouterId : undefined;
}

export function isLinkTransport(transport: { type: string; appData: AppData }): boolean {
  return linkedRouterId(transport) !== undefined;
}

/** Returns the offered stream, as its destination has to know it. */
export function toPipedStream(
  stream: StreamId,
  { consumer, appData, sctpStreamParameters, path }: PipeOffer,
): PipedStream {
  const id = streamKey(stream);
  if ('kind' in consumer) {
    const { kind, rtpParameters, producerPaused: paused } = consumer;
    return { id, kind, rtpParameters, paused, appData, path };
  }
  const { label, protocol, dataProducerPaused: paused } = consumer;
  if (!sctpStreamParameters) throw new TypeError(`the offer of ${describeStream(stream)} has no sctpStreamParameters`);
  return { id, kind: 'data', sctpStreamParameters, label, protocol, paused, appData, path };
}

/** Returns the answer to a request without an `asker`, which is never sent on. */
export function offerOf(answer: PipeOffer | PipeRedirect): PipeOffer {
  if (isRedirect(answer)) throw new Error('the asker was sent on, and has not said that it can be');
  return answer;
}

/** Returns whether the asker is sent on. */
export function isRedirect(answer: PipeOffer | PipeRedirect): answer is PipeRedirect {
  return 'redirect' in answer;
}

export function linkFor(stream: StreamId): LinkKind {
  return stream.producerId === undefined ? 'data' : 'media';
}

export function streamKey(stream: StreamId): string {
  return stream.producerId ?? stream.dataProducerId;
}

/** Describes the stream in mediasoup's words. */
export function describeStream(stream: StreamId): string {
  return `${stream.producerId === undefined ? 'DataProducer' : 'Producer'} with id "${streamKey(stream)}"`;
}
