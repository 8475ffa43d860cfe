/**
 * Makes a pipe between two Routers by requests to their endpoints: see `endpoint` for the ways. If one side fails, the
 * other is withdrawn, so that nothing half-made stays.
 */
import type { Consumer, DataConsumer, DataProducer, Producer, Router } from 'mediasoup/types';
import { commonFamily } from '../core/addresses/families.ts';
import type { ObjectTree } from '../core/objectTree.ts';
import { Confirmations } from './confirmations.ts';
import { inTime } from './delegation/askPlaces.ts';
import { pathOf, type Path } from './delegation/paths.ts';
import type { Redirect } from './delegation/policy.ts';
import {
  isRedirect,
  linkFor,
  StaleLinkError,
  streamKey,
  toPipedStream,
  type Asker,
  type ConnectRequest,
  type LinkEnd,
  type LinkRequest,
  type OfferRequest,
  type PipedStream,
  type PipeEndpoint,
  type PipeOffer,
  type PipeRedirect,
  type StreamId,
} from './endpoint.ts';
import { drawSsrcs, foretell, isAsForetold, isOnePipe } from './foretold.ts';
import { joinEnds, joinTransports, type Losses } from './joinEnds.ts';
import { KnownLinks } from './knownLinks.ts';
import type { Stages } from './stages.ts';
import type { Streams } from './streams.ts';
import { isStale } from './transient.ts';

const UNNOTICED = 'one end of the link has been closed without the other one knowing';

export interface PipeMakerOptions {
  tree: ObjectTree;
  streams: Streams;
  /** Whether pipes cross machines: then they are encrypted, and lost packets are sent again. */
  network: boolean;
  endpointOf: (router: Router) => PipeEndpoint;
  /** Returns whether the Router's objects have closed here only because they are out of sight. */
  isLost?: (router: Router) => boolean;
  /** Returns whether a pipe must sleep until a user at its destination is there. */
  startsAsleep: (streamId: string, destination: Router) => boolean;
  /** Called with the Consumer of a pipe that was asked for awake. */
  onAwake?: (consumer: Consumer | DataConsumer) => void;
}

/** Result of asking a source: the path of the pipe that was made, or where the asker is sent. */
export type Made = { path: Path } | { redirect: Redirect };

/** A pipe that is to be made, and the requests that both ways of making it have in common. */
interface Job {
  readonly stream: StreamId;
  readonly source: Router;
  readonly destination: Router;
  readonly stages: Stages;
  readonly asker: Asker | undefined;
  readonly from: PipeEndpoint;
  readonly to: PipeEndpoint;
  readonly outwards: Omit<ConnectRequest, 'remote'>;
  readonly inwards: Omit<ConnectRequest, 'remote'>;
  readonly how: Pick<LinkRequest, 'network' | 'family'>;
  readonly asleep: boolean;
}

/** The ends of the link through which a pipe leads, and what the source has answered. */
interface Offered {
  readonly near: LinkEnd;
  readonly far: LinkEnd;
  readonly consumer: Consumer | DataConsumer;
  readonly path: Path;
}

/** Knowledge of a pipe before its source is asked. */
interface Foretold {
  readonly near: LinkEnd;
  readonly far: LinkEnd;
  readonly ssrcs: NonNullable<OfferRequest['ssrcs']>;
  readonly piped: Extract<PipedStream, { kind: 'audio' | 'video' }>;
}

export class PipeMaker {
  readonly #options: PipeMakerOptions;
  /** Links that were opened from here. */
  readonly #links = new KnownLinks();
  readonly #confirmations = new Confirmations();
  /** Routers that have answered otherwise than was foretold: they send askers on, or have another mediasoup. */
  readonly #unpredictable = new WeakSet<Router>();

  constructor(options: PipeMakerOptions) {
    this.#options = options;
  }

  /** Sends the confirmations that wait. Existing pipes stay, as long as they are used. */
  close(): void {
    this.#confirmations.flush();
  }

  /** @param asker default: the source must serve */
  make(stream: StreamId, source: Router, destination: Router, stages: Stages, asker?: Asker): Promise<Made> {
    const { network, endpointOf, startsAsleep } = this.#options;
    const link = linkFor(stream);
    const job = {
      stream,
      source,
      destination,
      stages,
      asker,
      from: endpointOf(source),
      to: endpointOf(destination),
      outwards: { routerId: source.id, remoteRouterId: destination.id, link },
      inwards: { routerId: destination.id, remoteRouterId: source.id, link },
      how: { network, family: network ? commonFamily(source, destination) : undefined },
      asleep: startsAsleep(streamKey(stream), destination),
    };
    const foretold = this.#foretell(job);
    return foretold ? this.#makeForetold(job, foretold) : this.#makeInSteps(job);
  }

  /** Returns what can be foretold; undefined if the source has to be asked first. */
  #foretell({ stream, source, destination, stages, asker, outwards }: Job): Foretold | undefined {
    // After a failure that users may have noticed, nothing is taken for granted any more.
    if (stages.isAnnounced || this.#unpredictable.has(source) || (asker && asker.asked.length > 0)) return undefined;
    const ends = this.#links.between(source.id, destination.id, outwards.link);
    const { producer, piped } = this.#options.streams.inRouter(streamKey(stream), source) ?? {};
    // The path of a copy on another machine is known there only.
    if (!ends || !producer || !('kind' in producer) || (piped && this.#options.network)) return undefined;
    const { id, kind, paused, appData } = producer;
    const ssrcs = drawSsrcs();
    const rtpParameters = foretell(producer, ssrcs, this.#options.network);
    const path = [...pathOf(source, id), source.id];
    return { ...ends, ssrcs, piped: { id, kind, rtpParameters, paused, appData, path } };
  }

  /** Asks both sides at once. */
  async #makeForetold(job: Job, { near, far, ssrcs, piped }: Foretold): Promise<Made> {
    const { source, stages } = job;
    const asking = Promise.allSettled([this.#offer(job, ssrcs), this.#accept(job, near, piped)]);
    stages.announce();
    const [offered, accepted] = await asking;
    if (offered.status === 'rejected') {
      this.#withdraw(job, piped);
      throw offered.reason;
    }
    const answer = offered.value;
    if (isRedirect(answer)) {
      this.#unpredictable.add(source);
      this.#withdraw(job, piped);
      return answer;
    }
    const { end, consumer, path = [source.id] } = answer;
    if (!('kind' in consumer) || !isAsForetold(consumer, piped.rtpParameters)) {
      this.#unpredictable.add(source);
      this.#withdraw(job, piped);
      return this.#makeInSteps(job);
    }
    try {
      if (accepted.status === 'rejected') throw accepted.reason;
      if (end.transportId !== near.transportId) throw new StaleLinkError(UNNOTICED);
    } catch (error) {
      consumer.close();
      this.#withdraw(job, piped);
      if (isStale(error)) this.#closeLink(near, end, far);
      throw error;
    }
    return this.#finish(job, { near: end, far, consumer, path });
  }

  /** Asks the source first. */
  async #makeInSteps(job: Job): Promise<Made> {
    const { source, destination, stages, from, to, outwards, inwards, how, stream } = job;
    const known = this.#links.between(source.id, destination.id, outwards.link);
    const [offered, opened] = await Promise.allSettled([
      this.#offer(job),
      known?.far ?? to.openLink({ ...inwards, ...how }),
    ]);
    if (offered.status === 'rejected') throw offered.reason;
    if (isRedirect(offered.value)) return offered.value;
    const { end: near, consumer, path = [source.id] } = offered.value;
    if (opened.status === 'rejected') {
      consumer.close();
      throw opened.reason;
    }
    const far = opened.value;
    try {
      // The check comes before the pipe is announced: its consumers would have to be closed.
      if (leadsElsewhere(near, far) || leadsElsewhere(far, near)) throw new StaleLinkError(UNNOTICED);
      const connecting = Promise.allSettled([
        ...(known ? [] : [from.connectLink({ ...outwards, remote: far })]),
        this.#accept(job, near, toPipedStream(stream, offered.value)),
      ]);
      stages.announce();
      for (const result of await connecting) if (result.status === 'rejected') throw result.reason;
    } catch (error) {
      // The source must not send packets that no end receives, and a leftover at the destination must not pass for the
      // stream.
      consumer.close();
      const producer = this.#producerOf(job);
      if (producer && isOnePipe(consumer, producer)) producer.close();
      // The end that is not stale is connected to a stale end: the next attempt needs two new ends.
      if (isStale(error)) this.#closeLink(near, far);
      throw error;
    }
    return this.#finish(job, { near, far, consumer, path });
  }

  async #offer(job: Job, ssrcs?: OfferRequest['ssrcs']): Promise<PipeOffer | PipeRedirect> {
    const { stream, from, outwards, how, asleep, asker } = job;
    const offering = from.offerPipe({ ...outwards, ...how, stream, asleep, ssrcs, asker });
    const answer = await (asker ? inTime(offering, asker) : offering);
    if (!asleep && !isRedirect(answer)) this.#options.onAwake?.(answer.consumer);
    return answer;
  }

  #accept({ to, inwards, stages }: Job, remote: LinkEnd, stream: PipedStream): Promise<void> {
    return to.acceptPipe({ ...inwards, remote, stream }, ...(this.#options.network ? [] : [stages.produce]));
  }

  /** Closes the copy that was foretold, which users may have been given, unless another pipe has been faster. */
  #withdraw(job: Job, { rtpParameters }: Foretold['piped']): void {
    job.stages.withdraw();
    const producer = this.#producerOf(job);
    if (producer && 'kind' in producer && isAsForetold(producer, rtpParameters)) producer.close();
  }

  #closeLink(...ends: LinkEnd[]): void {
    for (const { transportId } of ends) this.#options.tree.transports.get(transportId)?.close();
  }

  #finish(job: Job, { near, far, consumer, path }: Offered): Made {
    const { source, destination, from, outwards } = job;
    const { tree, isLost = () => false } = this.#options;
    const losses: Losses = { source: () => isLost(source), destination: () => isLost(destination) };
    const [nearTransport, farTransport] = [tree.transports.get(near.transportId), tree.transports.get(far.transportId)];
    if (nearTransport && farTransport) {
      joinTransports(nearTransport, farTransport, losses);
      this.#links.add(
        outwards.link,
        { routerId: source.id, end: near, transport: nearTransport },
        { routerId: destination.id, end: far, transport: farTransport },
      );
    }
    this.#confirmations.add(from, outwards, consumer.id);
    const producer = this.#producerOf(job);
    // The Producer is missing, or another pipe's, if it has closed already, or if another controller was faster.
    if (producer && isOnePipe(consumer, producer)) joinEnds(consumer, producer, losses);
    else consumer.close();
    return { path };
  }

  /**
   * Returns the copy that this pipe has made: another controller may have brought the stream there at the same time,
   * from another Router.
   */
  #producerOf({ stream, source, destination }: Job): Producer | DataProducer | undefined {
    return this.#options.streams.findPiped(streamKey(stream), destination, source.id)?.producer;
  }
}

function leadsElsewhere({ connectedTo }: LinkEnd, { transportId }: LinkEnd): boolean {
  return connectedTo !== undefined && connectedTo !== transportId;
}
