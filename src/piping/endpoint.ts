/**
 * How a stream gets from a Router into another one. Two Routers are joined by links: pairs of PipeTransports, one in
 * each, through which any number of Producers or DataProducers are piped in both directions. Media and messages have a
 * link each: a burst of messages costs no packet of media, and one of the two may end and be made anew without the other.
 * A caller that wants a pipe speaks to both sides at once, so that it costs two round trips the first time:
 *
 *     1. source.offerPipe()    ∥  destination.openLink()     each says where its end listens
 *     2. source.connectLink()  ∥  destination.acceptPipe()   each connects to the other
 *
 * Over a link that it knows, the caller speaks to one side at a time: `offerPipe()`, and then `acceptPipe()`. In both cases it tells the source by
 * `confirmPipes()` a while later.
 *
 * Every MafaldaRouter is an endpoint for all of its Routers, and passes what is for another machine on to that one.
 */
import type { AppData, Consumer, DataConsumer, MediaKind, RtpParameters, SctpStreamParameters, SrtpParameters, TransportListenInfo } from 'mediasoup/types';
import type { Family } from '../core/addresses/families.ts';

/** What is piped: a Producer or a DataProducer. */
export type StreamId = { producerId: string; dataProducerId?: undefined } | { dataProducerId: string; producerId?: undefined };

/** What a link carries. */
export type LinkKind = 'media' | 'data';

export interface LinkRequest {
  /** The Router that is asked. */
  routerId: string;
  remoteRouterId: string;
  link: LinkKind;
  /** Between two machines: with SRTP and RTX, on an address that the other machine reaches. Else on the loopback address. */
  network: boolean;
  /** Over which kind of addresses, when `network`; default: what the server that is asked has first. */
  family?: Family;
  /** Where to listen when `network`; default: the loopback address. The server that is asked fills in its own. */
  listenInfo?: TransportListenInfo;
}

export interface OfferRequest extends LinkRequest {
  stream: StreamId;
  /** Whether it flows only when the Consumer that is made for the pipe is resumed. Without it, at once. */
  asleep?: boolean;
}

/** One end of a link, as the other end has to know it. */
export interface LinkEnd {
  transportId: string;
  /** May be a name: the other end finds out whose. */
  ip: string;
  port: number;
  srtpParameters?: SrtpParameters;
  /** The `transportId` of the end that it is connected to already. */
  connectedTo?: string;
}

/** A stream as it comes out of its source's end of the link. */
export type PipedStream = { id: string; appData: AppData; paused: boolean } & (
  | { kind: MediaKind; rtpParameters: RtpParameters }
  | { kind: 'data'; sctpStreamParameters: SctpStreamParameters; label: string; protocol: string }
);

export interface PipeOffer {
  end: LinkEnd;
  /** Lets the stream into the link. */
  consumer: Consumer | DataConsumer;
  /** The stream's own. */
  appData: AppData;
  /** Of messages: what is to be produced of them at the other end. */
  sctpStreamParameters?: SctpStreamParameters;
}

export interface ConnectRequest {
  routerId: string;
  remoteRouterId: string;
  link: LinkKind;
  /** The other end. */
  remote: LinkEnd;
}

export interface ConfirmRequest {
  routerId: string;
  remoteRouterId: string;
  link: LinkKind;
  /** Of the pipes that flow out of here, and that their destination has accepted. */
  consumerIds: string[];
}

export interface LeaveRequest {
  routerId: string;
  remoteRouterId: string;
  /** Consumers and DataConsumers there that the caller gives up: its own, behind that Router. */
  consumerIds: string[];
  /** Whether everybody who uses the MafaldaRouter has said the same. The server that is asked knows better than its client. */
  isLast?: boolean;
}

export interface PipeEndpoint {
  /** Opens this side of the link, or answers with what is open already. */
  openLink(request: LinkRequest): Promise<LinkEnd>;
  /** Opens this side of the link and lets the stream into it. Once per stream and link, however often it is asked. */
  offerPipe(request: OfferRequest): Promise<PipeOffer>;
  /** @throws {StaleLinkError} if it is connected to an end that is gone by now: then it is closed and can be opened anew. */
  connectLink(request: ConnectRequest): Promise<void>;
  /**
   * Connects this side of the link, and produces the stream with its own id. From the moment of this call on, a consume of
   * the stream waits for it.
   * @param onProduced called as soon as the stream can be consumed there, by an endpoint in this process that knows
   */
  acceptPipe(request: ConnectRequest & { stream: PipedStream }, onProduced?: () => void): Promise<void>;
  /** Tells the source of pipes that they are whole: until then it may take their maker for gone. What has closed by then may be among them. */
  confirmPipes(request: ConfirmRequest): Promise<void>;
}

/** The two ends of a link don't belong together any more, since one of them was closed and opened again. Try again. */
export class StaleLinkError extends Error {
  override name = 'StaleLinkError';
}

const linkMark = 'mafaldaLink';

/** The appData by which everybody recognises a PipeTransport that is the end of a link. */
export function linkAppData(remoteRouterId: string): AppData {
  return { [linkMark]: { remoteRouterId } };
}

/** The Router at the other end, if the Transport is the end of a link. */
export function linkedRouterId({ type, appData }: { type: string; appData: AppData }): string | undefined {
  const mark = appData[linkMark] as { remoteRouterId: string } | undefined;
  return type === 'pipe' ? mark?.remoteRouterId : undefined;
}

export function isLinkTransport(transport: { type: string; appData: AppData }): boolean {
  return linkedRouterId(transport) !== undefined;
}

/** What is offered, as its destination has to know it. */
export function toPipedStream(stream: StreamId, { consumer, appData, sctpStreamParameters }: PipeOffer): PipedStream {
  const id = streamKey(stream);
  if ('kind' in consumer) return { id, kind: consumer.kind, rtpParameters: consumer.rtpParameters, paused: consumer.producerPaused, appData };
  const { label, protocol, dataProducerPaused: paused } = consumer;
  if (!sctpStreamParameters) throw new TypeError(`the offer of ${describeStream(stream)} has no sctpStreamParameters`);
  return { id, kind: 'data', sctpStreamParameters, label, protocol, paused, appData };
}

export function linkFor(stream: StreamId): LinkKind {
  return stream.producerId === undefined ? 'data' : 'media';
}

export function streamKey(stream: StreamId): string {
  return stream.producerId ?? stream.dataProducerId;
}

/** As mediasoup says it. */
export function describeStream(stream: StreamId): string {
  return `${stream.producerId === undefined ? 'DataProducer' : 'Producer'} with id "${streamKey(stream)}"`;
}
