/** Implements `pipeToMafaldaRouter()`, which is to MafaldaRouters as mediasoup's `pipeToRouter()` is to Routers. */
import { NotFoundError } from 'mediasoup/errors';
import type { PipeToRouterResult, PipeTransport, PipeTransportOptions, Router } from 'mediasoup/types';
import type { MafaldaRouter, PipeToMafaldaRouterOptions } from '../api/types.ts';
import { resolveHost } from '../core/addresses/families.ts';
import { joinEnds, joinTransports } from './joinEnds.ts';
import type { Streams } from './streams.ts';

const LOOPBACK = { protocol: 'udp', ip: '127.0.0.1' } as const;

/** Destination of a pipe: a MafaldaRouter, or a Router. */
type Destination = Pick<MafaldaRouter, 'createPipeTransport'>;

interface Link {
  near: PipeTransport;
  far: PipeTransport;
}

/** Links from a MafaldaRouter to others, each shared by all streams that are piped that way. */
export class ExternalPipes {
  readonly #streams: Streams;
  readonly #network: boolean;
  readonly #links = new WeakMap<Router, WeakMap<object, Promise<Link>>>();

  /** @param network whether SRTP and RTX are on unless the caller says otherwise */
  constructor(streams: Streams, network: boolean) {
    this.#streams = streams;
    this.#network = network;
  }

  /** @param from the caller's source: a MafaldaRouter, or the Router whose streams are piped */
  async pipe(from: object, options: PipeToMafaldaRouterOptions<Destination>): Promise<PipeToRouterResult> {
    const { producerId, dataProducerId, mafaldaRouter, keepId = true, ...transportOptions } = options;
    if (!producerId && !dataProducerId) throw new TypeError('missing producerId or dataProducerId');
    if (producerId && dataProducerId) throw new TypeError('just producerId or dataProducerId can be given');
    if (transportOptions.listenInfo && transportOptions.listenIp)
      throw new TypeError('only one of listenInfo and listenIp must be given');
    if (typeof mafaldaRouter?.createPipeTransport !== 'function') throw new TypeError('missing mafaldaRouter');
    if (mafaldaRouter === from) throw new TypeError('cannot use this MafaldaRouter as destination');
    const places = this.#streams.find(producerId ?? dataProducerId!);
    const place = places.find(({ router }) => router === from) ?? places.find(({ piped }) => !piped) ?? places[0];
    if (!place) throw new NotFoundError(producerId ? 'Producer not found' : 'DataProducer not found');
    const { near, far } = await this.#link(place.router, mafaldaRouter, transportOptions);

    if (producerId) {
      const pipeConsumer = await near.consume({ producerId });
      const { kind, rtpParameters, producerPaused: paused } = pipeConsumer;
      const { appData } = place.producer;
      const pipeProducer = await orClose(
        pipeConsumer,
        far.produce({ id: keepId ? producerId : undefined, kind, rtpParameters, paused, appData }),
      );
      joinEnds(pipeConsumer, pipeProducer);
      return { pipeConsumer, pipeProducer };
    }
    const pipeDataConsumer = await near.consumeData({ dataProducerId: dataProducerId! });
    const { label, protocol, sctpStreamParameters, dataProducerPaused: paused } = pipeDataConsumer;
    const id = keepId ? dataProducerId : undefined;
    const { appData } = place.producer;
    const pipeDataProducer = await orClose(
      pipeDataConsumer,
      far.produceData({ id, sctpStreamParameters, label, protocol, paused, appData }),
    );
    joinEnds(pipeDataConsumer, pipeDataProducer);
    return { pipeDataConsumer, pipeDataProducer };
  }

  #link(router: Router, to: Destination, options: object): Promise<Link> {
    const links = this.#links.get(router) ?? new WeakMap<object, Promise<Link>>();
    this.#links.set(router, links);
    const existing = links.get(to);
    if (existing) return existing;
    const link = this.#open(router, to, options);
    links.set(to, link);
    const forget = (): void => void links.delete(to);
    link.then(({ near }) => near.observer.once('close', forget), forget);
    return link;
  }

  /**
   * Creates both ends. Servers use addresses of their own if the options have none; a server without addresses shares
   * its machine with the other end, as do MafaldaRouters without servers.
   */
  async #create(router: Router, to: Destination, options: Partial<PipeTransportOptions>): Promise<Link> {
    if (options.listenInfo || options.listenIp) return createBoth(router, to, options);
    try {
      if (this.#network) return await createBoth(router, to, options);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    return createBoth(router, to, { ...options, listenInfo: LOOPBACK });
  }

  async #open(router: Router, to: Destination, options: object): Promise<Link> {
    const given: Partial<PipeTransportOptions> = {
      enableSctp: true,
      enableRtx: this.#network,
      enableSrtp: this.#network,
      ...options,
    };
    const { near, far } = await this.#create(router, to, given);
    joinTransports(near, far);
    try {
      const [toNear, toFar] = await Promise.all([addressOf(near), addressOf(far)]);
      await Promise.all([near.connect(toFar), far.connect(toNear)]);
    } catch (error) {
      near.close();
      throw error;
    }
    return { near, far };
  }
}

/** Creates both Transports, or neither. */
async function createBoth(router: Router, to: Destination, options: object): Promise<Link> {
  const all = options as PipeTransportOptions;
  const [near, far] = await Promise.allSettled([router.createPipeTransport(all), to.createPipeTransport(all)]);
  if (near.status === 'fulfilled' && far.status === 'fulfilled') return { near: near.value, far: far.value };
  for (const result of [near, far]) if (result.status === 'fulfilled') result.value.close();
  throw near.status === 'rejected' ? near.reason : (far as PromiseRejectedResult).reason;
}

/** Closes the Consumer if the other end can't be made, so that it does not go on sending. */
async function orClose<T>(consumer: { close(): void }, producing: Promise<T>): Promise<T> {
  try {
    return await producing;
  } catch (error) {
    consumer.close();
    throw error;
  }
}

/**
 * Returns the address at which the other end reaches this end. A wildcard stands for this machine's loopback address;
 * for other machines the end would have to announce an address.
 */
async function addressOf({ tuple, srtpParameters }: PipeTransport): Promise<Parameters<PipeTransport['connect']>[0]> {
  const { localAddress, localPort: port } = tuple;
  const ip = localAddress === '0.0.0.0' ? '127.0.0.1' : localAddress === '::' ? '::1' : await resolveHost(localAddress);
  return { ip, port, srtpParameters };
}
