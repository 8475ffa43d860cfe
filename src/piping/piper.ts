/**
 * Brings streams to where they are consumed: lazily, once per stream and destination however many ask. The same logic
 * serves the Workers of a machine and the servers of a cluster. What differs is which Routers share their streams
 * already (a *domain*: one Router, or all Routers of a server), and the endpoints that do the work.
 */
import { NotFoundError, UnsupportedError } from 'mediasoup/errors';
import type { Consumer, DataConsumer, DataProducer, Producer, Router } from 'mediasoup/types';
import { logger } from '../core/logger.ts';
import type { ObjectTree } from '../core/objectTree.ts';
import { Confirmations } from './confirmations.ts';
import { describeStream, linkFor, StaleLinkError, streamKey, toPipedStream, type LinkEnd, type PipeEndpoint, type StreamId } from './endpoint.ts';
import { commonFamily, familiesOf } from '../core/addresses/families.ts';
import { joinEnds, joinTransports, type Losses } from './joinEnds.ts';
import { KnownLinks } from './knownLinks.ts';
import { firstOf, moment } from './moments.ts';
import type { StreamInRouter, Streams } from './streams.ts';

const log = logger('piper');

/** What is used just while it ends, since it was idle, is made anew; more than twice in a row is a defect. */
const MAX_ATTEMPTS = 3;

export interface PiperOptions {
  tree: ObjectTree;
  streams: Streams;
  /** Whether pipes cross machines: then they are encrypted and ask again for lost packets. */
  network: boolean;
  /** Which Routers get a stream by themselves as soon as one of them has it. */
  domainOf: (router: Router) => string;
  endpointOf: (router: Router) => PipeEndpoint;
  /** Whether what is in the Router is out of our sight, and has closed here for that reason only. */
  isLost?: (router: Router) => boolean;
  /** Whether a pipe is to sleep until somebody at its destination is there. */
  startsAsleep: (streamId: string, destination: Router) => boolean;
  /** To be told of the Consumer of a pipe that has been asked for awake. */
  onAwake?: (consumer: Consumer | DataConsumer) => void;
  /** Chooses where a pipe starts among the places of a stream; undefined if none of them reaches the destination. */
  chooseSource: (places: StreamInRouter[], destination: Router) => StreamInRouter | undefined;
  /**
   * Brings a stream that none of its places can send to the destination to another Router, which can.
   * @throws {Error} if there is none
   */
  detour?: (stream: StreamId, places: StreamInRouter[], destination: Router) => Promise<void>;
}

/** The moments of a pipe that others wait for. All of them reject with it. */
interface Piping {
  /** The destination has been told: a consume that is sent to it now will wait there for the stream. */
  announced: Promise<void>;
  /** The stream can be consumed there, if that is in this process; else as `arrived`. */
  produced: Promise<void>;
  arrived: Promise<void>;
}

/** To be called at these moments. */
interface Moments {
  announce: () => void;
  produce: () => void;
}

/** A pipe that somebody else is making into one of our domains. */
interface Accepting {
  domain: string;
  produced: Promise<void>;
  accepted: Promise<void>;
}

export class Piper {
  readonly #options: PiperOptions;
  /** Pipes that are being made from here, by stream and domain. */
  readonly #underway = new Map<string, Piping>();
  /** Streams that somebody else is piping into one of our domains. */
  readonly #accepting = new Map<string, Accepting>();

  /** Links that were opened from here. */
  readonly #links = new KnownLinks();
  readonly #confirmations = new Confirmations();

  constructor(options: PiperOptions) {
    this.#options = options;
  }

  /** Pipes that are there stay, if anybody uses them. */
  close(): void {
    this.#confirmations.flush();
  }

  /** How many pipes are being made at present. */
  get underway(): number {
    return this.#underway.size + this.#accepting.size;
  }

  /** Whether somebody else is just bringing the stream here, from where this one may not see. */
  isAccepting(id: string): boolean {
    return this.#accepting.has(id);
  }

  /**
   * Resolves when the stream is in the Router's domain, or at once if nobody has it: whoever goes on to consume it then
   * gets mediasoup's own error.
   */
  async bring(stream: StreamId, destination: Router): Promise<void> {
    await this.#accepted(stream);
    await this.#pipe(stream, destination)?.arrived;
  }

  /** Like {@link bring}, but resolves already when the destination knows that the stream is on its way, with its arrival. */
  async announce(stream: StreamId, destination: Router): Promise<{ arrived?: Promise<void> }> {
    if (this.#accepting.get(streamKey(stream))?.domain === this.#options.domainOf(destination)) return {};
    await this.#accepted(stream);
    const piping = this.#pipe(stream, destination);
    await piping?.announced;
    return { arrived: piping?.arrived };
  }

  /**
   * Like {@link bring}, but resolves already when the stream can be consumed in the Router, with its arrival: what has been made of it by then is of
   * no use if that fails.
   */
  async begin(stream: StreamId, destination: Router): Promise<{ arrived?: Promise<void> }> {
    const accepting = this.#accepting.get(streamKey(stream));
    if (accepting?.domain === this.#options.domainOf(destination)) return this.#beginAccepted(stream, accepting);
    await this.#accepted(stream);
    const piping = this.#pipe(stream, destination);
    await piping?.produced;
    return { arrived: piping?.arrived };
  }

  /**
   * Runs a pipe's arrival from outside; from now on those who want the stream wait for it. Does nothing if it is there.
   * @param arrive is given what is to be called when the stream can be consumed, where that is known before it has arrived
   */
  accept(stream: StreamId, domain: string, arrive: (onProduced: () => void) => Promise<void>): Promise<void> {
    const key = streamKey(stream);
    const accepting = this.#accepting.get(key);
    if (accepting) return accepting.accepted;
    if (this.#options.streams.first(key)) return Promise.resolve();
    const [production, produce] = moment();
    const accepted = arrive(produce).finally(() => this.#accepting.delete(key));
    this.#accepting.set(key, { domain, produced: firstOf(production, accepted), accepted });
    return accepted;
  }

  async #beginAccepted(stream: StreamId, { produced, accepted }: Accepting): Promise<{ arrived?: Promise<void> }> {
    // Links are nothing that an application knows: where one ends in this moment, the stream has not come.
    const asTold = (error: unknown): never => {
      throw isPassing(error) ? new NotFoundError(`${describeStream(stream)} not found`) : error;
    };
    const arrived = accepted.catch(asTold);
    arrived.catch(() => undefined);
    await produced.catch(asTold);
    return { arrived };
  }

  async #accepted(stream: StreamId): Promise<void> {
    try {
      await this.#accepting.get(streamKey(stream))?.accepted;
    } catch (error) {
      // Who has begun it tries again by himself.
      if (!isPassing(error)) throw error;
    }
  }

  #pipe(stream: StreamId, destination: Router): Piping | undefined {
    const { streams, domainOf } = this.#options;
    const domain = domainOf(destination);
    const key = `${streamKey(stream)} ${domain}`;
    const underway = this.#underway.get(key);
    if (underway) return underway;
    // It may be in many places, and in most cases it is here.
    if (streams.inRouter(streamKey(stream), destination)) return undefined;
    const places = streams.find(streamKey(stream));
    if (places.length === 0 || places.some(({ router }) => domainOf(router) === domain)) return undefined;

    const [[announcement, announce], [production, produce]] = [moment(), moment()];
    const arrived = this.#attempt(stream, destination, { announce, produce }).finally(() => this.#underway.delete(key));
    // Nobody may be waiting for it; those who wait for another moment hear of a failure there.
    arrived.catch(error => log('pipe of %s to router %s failed: %o', streamKey(stream), destination.id, error));
    const piping = { announced: firstOf(announcement, arrived), produced: firstOf(production, arrived), arrived };
    this.#underway.set(key, piping);
    return piping;
  }

  async #attempt(stream: StreamId, destination: Router, moments: Moments): Promise<void> {
    const { streams, domainOf, chooseSource, detour } = this.#options;
    const domain = domainOf(destination);
    for (let attempt = 1; ; ++attempt) {
      const places = streams.find(streamKey(stream));
      // It may have closed in the meantime, which the consume that follows tells; or somebody else has brought it.
      if (places.length === 0 || places.some(({ router }) => domainOf(router) === domain)) return;
      try {
        const source = chooseSource(this.#reachable(places, destination), destination);
        if (source) return await this.#make(stream, source.router, destination, moments);
        await detour?.(stream, places, destination);
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (attempt === MAX_ATTEMPTS) throw unreachable(stream, error);
      }
      if (attempt === MAX_ATTEMPTS) throw unreachable(stream, new Error('no other Router reaches it'));
    }
  }

  /** @throws {UnsupportedError} if there is none, before anything is made that would be silent */
  #reachable(places: StreamInRouter[], destination: Router): StreamInRouter[] {
    if (!this.#options.network) return places;
    const reachable = places.filter(({ router }) => commonFamily(router, destination) !== undefined);
    if (reachable.length > 0) return reachable;
    const [from, to] = [places[0]!.router, destination].map(router => familiesOf(router).map(family => `IPv${family}`).join(' and '));
    throw new UnsupportedError(
      `no pipe can lead from Router "${places[0]!.router.id}", which is reached over ${from}, to Router "${destination.id}", which is reached over ${to}: give their servers listenInfos, or a pipeListenInfo, of the same family`,
    );
  }

  async #make(stream: StreamId, source: Router, destination: Router, { announce, produce }: Moments): Promise<void> {
    const { network, endpointOf, startsAsleep, onAwake, tree } = this.#options;
    const [from, to] = [endpointOf(source), endpointOf(destination)];
    const link = linkFor(stream);
    const outwards = { routerId: source.id, remoteRouterId: destination.id, link };
    const inwards = { routerId: destination.id, remoteRouterId: source.id, link };
    const family = network ? commonFamily(source, destination) : undefined;
    const asleep = startsAsleep(streamKey(stream), destination);

    const knownEnd = this.#links.farEnd(source.id, destination.id, link);

    const [offered, opened] = await Promise.allSettled([
      from.offerPipe({ ...outwards, network, family, stream, asleep }),
      knownEnd ?? to.openLink({ ...inwards, network, family }),
    ]);
    if (offered.status === 'rejected') throw offered.reason;
    const { end: near, consumer } = offered.value;
    if (!asleep) onAwake?.(consumer);
    if (opened.status === 'rejected') {
      consumer.close();
      throw opened.reason;
    }
    const far = opened.value;
    try {
      // Before anybody consumes what would then have to be closed.
      if (leadsElsewhere(near, far) || leadsElsewhere(far, near)) {
        throw new StaleLinkError('one end of the link has been closed without the other one knowing');
      }
      const connecting = Promise.allSettled([
        ...(knownEnd ? [] : [from.connectLink({ ...outwards, remote: far })]),
        to.acceptPipe({ ...inwards, remote: near, stream: toPipedStream(stream, offered.value) }, ...(network ? [] : [produce])),
      ]);
      announce();
      for (const result of await connecting) if (result.status === 'rejected') throw result.reason;
    } catch (error) {
      // The source must not send what nobody receives, and what was produced of it must not pretend to be the stream.
      consumer.close();
      this.#producerOf(stream, source, destination)?.close();
      // The end that is not stale is connected to one that is: the next attempt needs two new ones.
      if (isStale(error)) for (const { transportId } of [near, far]) tree.transports.get(transportId)?.close();
      throw error;
    }
    const isLost = this.#options.isLost ?? (() => false);
    const losses: Losses = { source: () => isLost(source), destination: () => isLost(destination) };
    const [nearTransport, farTransport] = [tree.transports.get(near.transportId), tree.transports.get(far.transportId)];
    if (nearTransport && farTransport) {
      joinTransports(nearTransport, farTransport, losses);
      this.#links.add(link, { routerId: source.id, end: near, transport: nearTransport }, { routerId: destination.id, end: far, transport: farTransport });
    }
    this.#confirmations.add(from, outwards, consumer.id);
    this.#joinEnds(consumer, this.#producerOf(stream, source, destination), losses);
  }

  /** The Producer can be gone already, or another pipe was faster. */
  #joinEnds(consumer: Consumer | DataConsumer, producer: Producer | DataProducer | undefined, losses: Losses): void {
    if (producer) joinEnds(consumer, producer, losses);
    else consumer.close();
  }

  /** Another controller may have brought the stream there at the same time, from somewhere else. */
  #producerOf(stream: StreamId, source: Router, destination: Router): Producer | DataProducer | undefined {
    return this.#options.streams.findPiped(streamKey(stream), destination, source.id)?.producer;
  }
}

function leadsElsewhere({ connectedTo }: LinkEnd, { transportId }: LinkEnd): boolean {
  return connectedTo !== undefined && connectedTo !== transportId;
}

/**
 * Whether to try again can help: what was asked for was just ending, and is gone by now; or one who has asked before word of the
 * end has reached him knows it now.
 */
export function isPassing(error: unknown): boolean {
  return isStale(error) || (error instanceof Error && error.name === 'NotFoundError');
}

/** The end of all attempts, in mediasoup's words for what can't be had. */
export function unreachable(stream: StreamId, cause: unknown): NotFoundError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new NotFoundError(`${describeStream(stream)} not found: it exists, but could not be brought in ${MAX_ATTEMPTS} attempts (${reason})`);
  return Object.assign(error, { cause });
}

/** It may have come over a wire, or from another copy of this module. */
function isStale(error: unknown): boolean {
  return error instanceof Error && error.name === 'StaleLinkError';
}
