/** The links of a MafaldaRouter's mediasoup Routers to other Routers, on this machine or elsewhere: see `piping/endpoint`. */
import { NotFoundError } from 'mediasoup/errors';
import type { PipeTransport, Router } from 'mediasoup/types';
import {
  linkAppData,
  StaleLinkError,
  streamKey,
  type ConnectRequest,
  type LinkEnd,
  type LinkRequest,
  type PipedStream,
  type PipeEndpoint,
  type PipeOffer,
  type StreamId,
} from '../shared/piping/endpoint.ts';
import { onceClosed } from '../shared/onceClosed.ts';
import type { Streams } from '../shared/piping/streams.ts';
import type { Aliases } from './aliases.ts';
import { untilSctpConnected } from './untilSctpConnected.ts';

interface Link {
  transport: Promise<PipeTransport>;
  /** To which end it is connected, and when that has happened. */
  connection?: { transportId: string; done: Promise<void> };
  /** What flows out of here. */
  offers: Map<string, Promise<PipedStream>>;
}

const LOOPBACK = { protocol: 'udp', ip: '127.0.0.1' } as const;

export class RouterLinks implements PipeEndpoint {
  readonly #routers: ReadonlyMap<string, Router>;
  readonly #streams: Streams;
  readonly #aliases: Aliases;
  readonly #links = new Map<string, Link>();

  constructor(routers: ReadonlyMap<string, Router>, streams: Streams, aliases: Aliases) {
    this.#routers = routers;
    this.#aliases = aliases;
    this.#streams = streams;
  }

  async openLink(request: LinkRequest): Promise<LinkEnd> {
    return toLinkEnd(this.#open(request));
  }

  async offerPipe({ stream, ...request }: LinkRequest & { stream: StreamId }): Promise<PipeOffer> {
    const link = this.#open(request);
    const { transport, offers } = link;
    const key = streamKey(stream);
    let offer = offers.get(key);
    if (!offer) {
      const forget = (): void => void offers.delete(key);
      offer = transport.then(opened => this.#consume(opened, request.routerId, stream, forget));
      offers.set(key, offer);
      offer.catch(forget);
    }
    return { stream: await offer, end: await toLinkEnd(link) };
  }

  async connectLink({ routerId, remoteRouterId, remote }: ConnectRequest): Promise<void> {
    const link = this.#links.get(linkKey(routerId, remoteRouterId));
    if (!link) throw new StaleLinkError(`the link of Router "${routerId}" to Router "${remoteRouterId}" has been closed`);
    await this.#connect(link, remote);
  }

  async acceptPipe({ stream, ...request }: ConnectRequest & { stream: PipedStream }): Promise<void> {
    const link = this.#links.get(linkKey(request.routerId, request.remoteRouterId));
    await this.connectLink(request);
    const transport = await link!.transport;
    const { id, appData, paused } = stream;
    if (stream.kind !== 'data') {
      await transport.produce({ id, kind: stream.kind, rtpParameters: stream.rtpParameters, paused, appData });
      return;
    }
    const { sctpStreamParameters, label, protocol } = stream;
    await transport.produceData({ id, sctpStreamParameters, label, protocol, paused, appData });
    // Unlike RTP, whose loss a consumer notices and mends, a message that is sent earlier would be lost silently.
    await untilSctpConnected(transport);
  }

  #open({ routerId, remoteRouterId, network, listenInfo }: LinkRequest): Link {
    const key = linkKey(routerId, remoteRouterId);
    const open = this.#links.get(key);
    if (open) return open;
    const router = this.#routers.get(routerId);
    if (!router) throw new NotFoundError(`Router with id "${routerId}" not found`);
    const transport = router.createPipeTransport({
      listenInfo: (network && listenInfo) || LOOPBACK,
      enableRtx: network,
      enableSrtp: network,
      enableSctp: true,
      appData: linkAppData(remoteRouterId),
    });
    const link: Link = { transport, offers: new Map() };
    this.#links.set(key, link);
    transport.then(
      opened => onceClosed(opened, () => this.#links.delete(key)),
      () => this.#links.delete(key),
    );
    return link;
  }

  async #connect(link: Link, remote: LinkEnd): Promise<void> {
    const transport = await link.transport;
    if (!link.connection) {
      const { ip, port, srtpParameters } = remote;
      const done = transport.connect({ ip, port, srtpParameters });
      link.connection = { transportId: remote.transportId, done };
      // The next one may know a better address.
      done.catch(() => (link.connection = undefined));
    } else if (link.connection.transportId !== remote.transportId) {
      transport.close();
      throw new StaleLinkError('the other end of the link is not the one that this end is connected to');
    }
    await link.connection?.done;
  }

  async #consume(transport: PipeTransport, routerId: string, stream: StreamId, onClosed: () => void): Promise<PipedStream> {
    const place = this.#streams.find(streamKey(stream)).find(({ router }) => router.id === routerId);
    const appData = place?.producer.appData ?? {};
    if (stream.producerId !== undefined) {
      const consumer = await transport.consume({ producerId: place ? this.#aliases.workerIdOf(place.producer) : stream.producerId });
      onceClosed(consumer, onClosed);
      const { kind, rtpParameters, producerPaused: paused } = consumer;
      return { id: stream.producerId, consumerId: consumer.id, kind, rtpParameters, paused, appData };
    }
    const dataProducerId = place ? this.#aliases.workerIdOf(place.producer) : stream.dataProducerId;
    const consumer = await transport.consumeData({ dataProducerId });
    onceClosed(consumer, onClosed);
    const { label, protocol, dataProducerPaused: paused } = consumer;
    // A DataConsumer of a PipeTransport always has them, since such a Transport knows no other kind of data.
    const sctpStreamParameters = consumer.sctpStreamParameters!;
    return { id: stream.dataProducerId, consumerId: consumer.id, kind: 'data', sctpStreamParameters, label, protocol, paused, appData };
  }
}

function linkKey(routerId: string, remoteRouterId: string): string {
  return `${routerId} ${remoteRouterId}`;
}

async function toLinkEnd(link: Link): Promise<LinkEnd> {
  const { id, tuple, srtpParameters } = await link.transport;
  return { transportId: id, ip: tuple.localAddress, port: tuple.localPort, srtpParameters, connectedTo: link.connection?.transportId };
}
