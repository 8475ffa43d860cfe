/**
 * Links of a MafaldaRouter's mediasoup Routers to other Routers, on this machine or elsewhere: see `piping/endpoint`.
 */
import { isIP } from 'node:net';
import { NotFoundError } from 'mediasoup/errors';
import type { Consumer, DataConsumer, DataProducer, PipeTransport, Producer, Router } from 'mediasoup/types';
import {
  describeStream,
  linkAppData,
  StaleLinkError,
  streamKey,
  type ConfirmRequest,
  type ConnectRequest,
  type LinkEnd,
  type LinkKind,
  type LinkRequest,
  type OfferRequest,
  type PipedStream,
  type PipeEndpoint,
  type PipeOffer,
} from '../endpoint.ts';
import { emitChanged } from '../../core/changed.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import { asIPv6, familyOf, resolveHost, type Family } from '../../core/addresses/families.ts';
import { notePath, pathOf } from '../delegation/paths.ts';
import { assertSsrcs, withSsrcs } from '../foretold.ts';
import type { Streams } from '../streams.ts';
import { describeOffer, isCarriedInOrder, produce } from './carriedStream.ts';
import { consumeAsleep } from './consumeAsleep.ts';
import { HalfMade } from './halfMade.ts';
import type { IdlePipes, Release } from './idlePipes.ts';
import { closeWithAssociation, linkOptions } from './linkTransport.ts';

interface Link {
  readonly transport: Promise<PipeTransport>;
  readonly kind: LinkKind;
  /** Converts a host to an address in the notation that this end's socket needs. */
  readonly addressOf: (host: string) => Promise<string>;
  /** Whether the link has RTX, as links between machines have. */
  readonly network: boolean;
  /** The end that this end is connected to, or being connected to; `done` settles with the connecting. */
  connection?: { transportId: string; done: Promise<void> };
  /** Streams that flow out of this end, by their ids: several pipes of one stream while callers with SSRCs make them. */
  readonly offers: Map<string, Offer[]>;
}

interface Offer {
  /**
   * The offered stream's Producer: an id is free again as soon as its Producer is closed, and a later Producer with the
   * same id is another stream.
   */
  producer: Producer | DataProducer;
  /** First SSRC, if the caller has chosen it. */
  ssrc: number | undefined;
  consumer: Promise<Consumer | DataConsumer>;
}

/** Request for a pipe's Consumer. */
type Wanted = Pick<OfferRequest, 'stream' | 'asleep' | 'ssrcs'>;

/**
 * Maximum number of pipes of a stream through a link: controllers that bring it at once make one each, of which one stays.
 * A caller beyond that gets a pipe that is there, whatever its SSRCs.
 */
const MAX_RIVALS = 8;

const LOOPBACK = { protocol: 'udp', ip: '127.0.0.1' } as const;

/** Ids of streams in their Workers, where these differ from the application's ids. */
export interface WorkerIds {
  /** Returns the id of a Producer in its Worker. */
  workerIdOf(producer: Producer | DataProducer): string;
  /** Runs a call of mediasoup's that sends the Producer's id to the Worker before its first `await`. */
  withWorkerId<T>(workerId: string, call: () => T): T;
}

export class RouterLinks implements PipeEndpoint {
  readonly #routers: ReadonlyMap<string, Router>;
  readonly #streams: Streams;
  readonly #workerIds: WorkerIds;
  readonly #idlePipes: Pick<IdlePipes, 'hold'>;
  readonly #links = new Map<string, Link>();
  readonly #halfMade: HalfMade;

  /** @param completionTimeoutMs time after which a half-made pipe closes, since its maker must have gone */
  constructor(
    routers: ReadonlyMap<string, Router>,
    streams: Streams,
    workerIds: WorkerIds,
    idlePipes: Pick<IdlePipes, 'hold'>,
    completionTimeoutMs?: number,
  ) {
    this.#halfMade = new HalfMade(completionTimeoutMs);
    this.#routers = routers;
    this.#workerIds = workerIds;
    this.#streams = streams;
    this.#idlePipes = idlePipes;
  }

  async openLink(request: LinkRequest): Promise<LinkEnd> {
    return this.#whileHeld(request, undefined, () => toLinkEnd(this.#open(request)));
  }

  async offerPipe({ stream, asleep, ssrcs, ...request }: OfferRequest): Promise<PipeOffer> {
    if (ssrcs) assertSsrcs(ssrcs);
    return this.#whileHeld(request, streamKey(stream), async () => {
      const link = this.#open(request);
      const offered = this.#useTransport(link, transport =>
        this.#offer(link, transport, request.routerId, { stream, asleep, ssrcs }),
      );
      return { ...(await offered), end: await toLinkEnd(link) };
    });
  }

  async connectLink(request: ConnectRequest): Promise<void> {
    await this.#whileHeld(request, undefined, () => this.#connect(this.#linkOrThrow(request), request.remote));
  }

  async confirmPipes({ consumerIds }: ConfirmRequest): Promise<void> {
    for (const id of consumerIds) this.#halfMade.accepted(id);
  }

  async acceptPipe(
    { stream, ...request }: ConnectRequest & { stream: PipedStream },
    onProduced?: () => void,
  ): Promise<void> {
    return this.#whileHeld(request, stream.id, async () => {
      const link = this.#linkOrThrow(request);
      await this.#assertLeadsTo(link, request.remote);
      // The address is resolved first, so that a stream that can't arrive is never visible.
      if (!link.connection) await link.addressOf(request.remote.ip);
      await this.#useTransport(link, async transport => {
        const producing = this.#produce(transport, request, stream);
        producing.then(onProduced, () => undefined);
        // The Worker handles these two requests in order, and both before any request that follows the answer to the
        // first. So the stream exists before packets can arrive, such as messages that have waited at the other end for
        // the link; and a consumer of the stream need not wait for the second answer.
        const [produced, connected] = await Promise.allSettled([producing, this.#connect(link, request.remote)]);
        if (produced.status === 'rejected') throw produced.reason;
        if (connected.status === 'fulfilled') return;
        produced.value.close();
        throw connected.reason;
      });
    });
  }

  /**
   * Holds the link and the stream while they are being made: neither is idle then, and afterwards both have time until
   * they are asked for.
   */
  async #whileHeld<T>(
    { routerId, remoteRouterId }: LinkRequest | ConnectRequest,
    streamId: string | undefined,
    act: () => Promise<T>,
  ): Promise<T> {
    const releases: Release[] = [remoteRouterId, ...(streamId === undefined ? [] : [streamId])].map(id =>
      this.#idlePipes.hold(routerId, id),
    );
    try {
      return await act();
    } finally {
      for (const release of releases) release(true);
    }
  }

  /**
   * Runs a call on the link's Transport.
   * @throws {StaleLinkError} if the link has closed in the meantime: mediasoup has different words for that, or does
   * not notice
   */
  async #useTransport<T>(link: Link, act: (transport: PipeTransport) => Promise<T>): Promise<T> {
    const transport = await link.transport;
    try {
      const result = await act(transport);
      if (!transport.closed) return result;
    } catch (error) {
      if (!transport.closed) throw error;
    }
    throw new StaleLinkError('the link was closed while it was being used');
  }

  #linkOrThrow(request: ConnectRequest): Link {
    const link = this.#links.get(linkKey(request));
    if (!link)
      throw new StaleLinkError(
        `the link of Router "${request.routerId}" to Router "${request.remoteRouterId}" has been closed`,
      );
    return link;
  }

  #open(request: LinkRequest): Link {
    const { routerId, remoteRouterId, link: kind, network } = request;
    const key = linkKey(request);
    const open = this.#links.get(key);
    if (open) {
      if (!open.connection)
        void open.transport.then(
          transport => open.connection ?? this.#halfMade.connectionResumed(transport),
          () => undefined,
        );
      return open;
    }
    const router = this.#routers.get(routerId);
    if (!router) throw new NotFoundError(`Router with id "${routerId}" not found`);
    const listenInfo = (network && request.listenInfo) || LOOPBACK;
    const transport = router.createPipeTransport({
      ...linkOptions(kind, network, listenInfo),
      appData: linkAppData(remoteRouterId),
    });
    const family = request.family ?? familyOf(listenInfo);
    const link: Link = {
      transport,
      kind,
      network,
      addressOf: host => addressFor(listenInfo.ip, host, family),
      offers: new Map(),
    };
    this.#links.set(key, link);
    // Another link with this key may have been opened by then.
    const forget = (): void => void (this.#links.get(key) === link && this.#links.delete(key));
    transport.then(opened => {
      if (opened.closed) return forget();
      onceClosed(opened, forget);
      if (!link.connection) this.#halfMade.expectConnection(opened);
    }, forget);
    return link;
  }

  /** Produces the stream. Its path is known before it is: others may ask for it as soon as it is there. */
  async #produce(
    transport: PipeTransport,
    { routerId, remoteRouterId }: ConnectRequest,
    stream: PipedStream,
  ): Promise<Producer | DataProducer> {
    const router = this.#routers.get(routerId);
    const forget = router && notePath(router, stream.id, stream.path ?? [remoteRouterId]);
    try {
      const producer = await produce(transport, stream);
      if (forget) onceClosed(producer, forget);
      return producer;
    } catch (error) {
      forget?.();
      throw error;
    }
  }

  async #assertLeadsTo({ transport, connection }: Link, { transportId }: LinkEnd): Promise<void> {
    if (!connection || connection.transportId === transportId) return;
    (await transport).close();
    throw new StaleLinkError('the other end of the link is not the one that this end is connected to');
  }

  async #connect(link: Link, remote: LinkEnd): Promise<void> {
    await this.#assertLeadsTo(link, remote);
    if (!link.connection) {
      const done = this.#useTransport(link, transport => this.#connectTransport(transport, link, remote));
      link.connection = { transportId: remote.transportId, done };
      // Forgets the failed connect, so that the next connectLink() can try again, perhaps with a better address.
      done.catch(() => (link.connection = undefined));
    }
    await link.connection.done;
    this.#halfMade.connected(await link.transport);
  }

  async #connectTransport(
    transport: PipeTransport,
    { kind, addressOf }: Link,
    { ip, port, srtpParameters }: LinkEnd,
  ): Promise<void> {
    await transport.connect({ ip: await addressOf(ip), port, srtpParameters });
    emitChanged(transport);
    if (kind === 'data') closeWithAssociation(transport);
  }

  async #offer(
    link: Link,
    transport: PipeTransport,
    routerId: string,
    wanted: Wanted,
  ): Promise<Omit<PipeOffer, 'end'>> {
    const { stream, ssrcs } = wanted;
    const key = streamKey(stream);
    const place = this.#streams.find(key).find(({ router }) => router.id === routerId);
    const { producer, router } = place ?? {};
    if (!producer || !router) throw new NotFoundError(`${describeStream(stream)} not found`);
    const offers = (link.offers.get(key) ?? []).filter(offer => offer.producer === producer);
    const own = ssrcs && offers.find(({ ssrc }) => ssrc === ssrcs.media);
    const open = own ?? (ssrcs && offers.length < MAX_RIVALS ? undefined : offers[0]);
    void open?.consumer.then(
      ({ id }) => this.#halfMade.offeredAgain(id),
      () => undefined,
    );
    const offer = open ?? this.#begin(link, transport, producer, wanted);
    const path = [...pathOf(router, key), routerId];
    return { ...describeOffer(producer, await offer.consumer), path };
  }

  #begin(link: Link, transport: PipeTransport, producer: Offer['producer'], wanted: Wanted): Offer {
    const { offers } = link;
    const key = streamKey(wanted.stream);
    const consumer = this.#consume(link, transport, producer, wanted);
    const offer: Offer = { producer, ssrc: wanted.ssrcs?.media, consumer };
    offers.set(key, [...(offers.get(key) ?? []), offer]);
    const forget = (): void => {
      const others = (offers.get(key) ?? []).filter(other => other !== offer);
      if (others.length > 0) offers.set(key, others);
      else offers.delete(key);
    };
    consumer.then(made => onceClosed(made, forget), forget);
    return offer;
  }

  async #consume(
    link: Link,
    transport: PipeTransport,
    producer: Offer['producer'],
    wanted: Wanted,
  ): Promise<Consumer | DataConsumer> {
    const consumer = await this.#consumeIn(link, transport, producer, wanted);
    this.#halfMade.expectAcceptance(consumer);
    return consumer;
  }

  async #consumeIn(
    link: Link,
    transport: PipeTransport,
    producer: Offer['producer'],
    { stream, asleep = false, ssrcs }: Wanted,
  ): Promise<Consumer | DataConsumer> {
    const workerId = this.#workerIds.workerIdOf(producer);
    if (stream.producerId === undefined) {
      const ordered =
        isCarriedInOrder('sctpStreamParameters' in producer ? producer.sctpStreamParameters : undefined) || undefined;
      return transport.consumeData({ dataProducerId: workerId, ordered, paused: asleep });
    }
    const choosing = <T>(consume: () => T): T => (ssrcs ? withSsrcs(ssrcs, consume) : consume());
    if (!asleep || !('kind' in producer)) return choosing(() => transport.consume({ producerId: workerId }));
    return consumeAsleep(
      transport,
      producer,
      link.network,
      () => link.connection !== undefined,
      consume => this.#workerIds.withWorkerId(workerId, () => choosing(() => consume(workerId))),
    );
  }
}

async function addressFor(listenIp: string, host: string, family: Family): Promise<string> {
  const address = await resolveHost(host, family);
  return isIP(listenIp) === 6 ? asIPv6(address) : address;
}

function linkKey({
  routerId,
  remoteRouterId,
  link,
}: {
  routerId: string;
  remoteRouterId: string;
  link: LinkKind;
}): string {
  return `${routerId} ${remoteRouterId} ${link}`;
}

async function toLinkEnd(link: Link): Promise<LinkEnd> {
  const { id, tuple, srtpParameters } = await link.transport;
  return {
    transportId: id,
    ip: tuple.localAddress,
    port: tuple.localPort,
    srtpParameters,
    connectedTo: link.connection?.transportId,
  };
}
