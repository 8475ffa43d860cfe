/**
 * Brings streams to their consumers' Routers: lazily, and once per stream and destination however many consumers ask.
 * The same logic serves the Workers of a machine and the servers of a cluster. They differ in the domains, whose
 * Routers share their streams already (a Router, or all Routers of a server), and in the endpoints that do the work.
 */
import { NotFoundError, UnsupportedError } from 'mediasoup/errors';
import type { Router } from 'mediasoup/types';
import { logger, type LogFacts } from '../core/logger.ts';
import type { PipeReason } from '../api/statistics.ts';
import type { Decisions } from '../core/decisions.ts';
import { askPlaces, type AskerOptions } from './delegation/askPlaces.ts';
import { FormerPaths } from './delegation/formerPaths.ts';
import type { Redirect } from './delegation/policy.ts';
import { describeStream, StaleLinkError, streamKey, type Asker, type StreamId } from './endpoint.ts';
import { commonFamily, familiesOf } from '../core/addresses/families.ts';
import { PipeMaker, type PipeMakerOptions } from './pipeMaker.ts';
import { deferred, firstOf, Stages } from './stages.ts';
import type { StreamInRouter } from './streams.ts';
import { isLoss, isTransient, MAX_ATTEMPTS, unreachable } from './transient.ts';

const log = logger('piper');

export interface PiperOptions extends PipeMakerOptions {
  /** Id of the MafaldaRouter. */
  room: string;
  /** Notes each pipe. */
  decisions: Decisions<PipeReason>;
  /** Returns the domain of a Router: its Routers get a stream by themselves as soon as one of them has it. */
  domainOf: (router: Router) => string;
  /** Chooses a pipe's source among the places of a stream; undefined if none of them reaches the destination. */
  chooseSource: (places: StreamInRouter[], destination: Router) => StreamInRouter | undefined;
  /** Knowledge by which this Piper goes where it is sent; default: the chosen sources must serve. */
  asker?: AskerOptions;
  /**
   * Brings a stream to another Router, which reaches the destination, where none of its places does.
   * @throws {Error} if there is no such Router
   */
  detour?: (stream: StreamId, places: StreamInRouter[], destination: Router) => Promise<void>;
}

/** Stages of a pipe that callers wait for. All of them reject with the pipe. */
interface Piping {
  /**
   * Resolves when the destination has been asked: a consume that is sent to it from now on waits there for the stream.
   */
  announced: Promise<void>;
  /** Resolves when the stream can be consumed at the destination, if that is in this process; else with `arrived`. */
  produced: Promise<void>;
  arrived: Promise<void>;
  /** Resolves as `arrived`, but rejects if what users may have been given of the pipe has closed again by then. */
  arrivedAsAnnounced: Promise<void>;
}

/** Pipe into a domain of this Piper's that another Piper is making. */
interface Arrival {
  domain: string;
  produced: Promise<void>;
  accepted: Promise<void>;
}

export class Piper {
  readonly #options: PiperOptions;
  /** Pipes that are being made from here, by stream and domain. */
  readonly #underway = new Map<string, Piping>();
  /** Streams that another Piper is bringing into a domain of this Piper's. */
  readonly #arrivals = new Map<string, Arrival>();

  readonly #maker: PipeMaker;
  /** Paths by which streams came into domains, by the keys of the pipes. */
  readonly #formerPaths = new FormerPaths();

  constructor(options: PiperOptions) {
    this.#options = options;
    this.#maker = new PipeMaker(options);
  }

  /** Sends the confirmations that wait. Existing pipes stay, as long as they are used. */
  close(): void {
    this.#maker.close();
  }

  /** Number of pipes that are being made. */
  get underway(): number {
    return this.#underway.size + this.#arrivals.size;
  }

  /** Returns whether another Piper is bringing the stream here, perhaps from a Router that is out of sight. */
  isArriving(id: string): boolean {
    return this.#arrivals.has(id);
  }

  /**
   * Resolves when the stream is in the Router's domain, or at once if no place of it is known: a consume then fails
   * with mediasoup's own error.
   */
  async bring(stream: StreamId, destination: Router): Promise<void> {
    await this.#accepted(stream);
    await this.#pipe(stream, destination)?.arrived;
  }

  /**
   * Resolves when the destination knows that the stream is on its way, with the stream's arrival; else as {@link
   * bring}.
   */
  async announce(stream: StreamId, destination: Router): Promise<{ arrived?: Promise<void> }> {
    if (this.#arrivals.get(streamKey(stream))?.domain === this.#options.domainOf(destination)) return {};
    await this.#accepted(stream);
    const piping = this.#pipe(stream, destination);
    await piping?.announced;
    return { arrived: piping?.arrivedAsAnnounced };
  }

  /**
   * Resolves when the stream can be consumed in the Router, with the stream's arrival; else as {@link bring}. A
   * consumer made before the arrival is of no use if that fails.
   */
  async begin(stream: StreamId, destination: Router): Promise<{ arrived?: Promise<void> }> {
    const arrival = this.#arrivals.get(streamKey(stream));
    if (arrival?.domain === this.#options.domainOf(destination)) return this.#beginAccepted(stream, arrival);
    await this.#accepted(stream);
    const piping = this.#pipe(stream, destination);
    await piping?.produced;
    return { arrived: piping?.arrivedAsAnnounced };
  }

  /**
   * Runs the arrival of a pipe that another Piper makes; from now on consumers of the stream wait for it. Does nothing
   * if the stream is here.
   * @param arrive gets a callback for the moment when the stream can be consumed, if that is known before its arrival
   */
  accept(stream: StreamId, domain: string, arrive: (onProduced: () => void) => Promise<void>): Promise<void> {
    const key = streamKey(stream);
    const arrival = this.#arrivals.get(key);
    if (arrival) return arrival.accepted;
    if (this.#options.streams.first(key)) return Promise.resolve();
    const [production, produce] = deferred();
    const accepted = arrive(produce).finally(() => this.#arrivals.delete(key));
    this.#arrivals.set(key, { domain, produced: firstOf(production, accepted), accepted });
    return accepted;
  }

  async #beginAccepted(stream: StreamId, { produced, accepted }: Arrival): Promise<{ arrived?: Promise<void> }> {
    // An application knows nothing of links: if a link ends during the arrival, the stream is not found.
    const asNotFound = (error: unknown): never => {
      throw isTransient(error) ? new NotFoundError(`${describeStream(stream)} not found`) : error;
    };
    const arrived = accepted.catch(asNotFound);
    arrived.catch(() => undefined);
    await produced.catch(asNotFound);
    return { arrived };
  }

  async #accepted(stream: StreamId): Promise<void> {
    try {
      await this.#arrivals.get(streamKey(stream))?.accepted;
    } catch (error) {
      // The Piper that makes the pipe tries again by itself.
      if (!isTransient(error)) throw error;
    }
  }

  #pipe(stream: StreamId, destination: Router): Piping | undefined {
    const { streams, domainOf } = this.#options;
    const domain = domainOf(destination);
    const key = pipeKey(stream, domain);
    const underway = this.#underway.get(key);
    if (underway) return underway;
    // Mostly the stream is here: this lookup avoids a walk through its many places.
    if (streams.inRouter(streamKey(stream), destination)) return undefined;
    const places = streams.find(streamKey(stream));
    if (places.length === 0 || places.some(({ router }) => domainOf(router) === domain)) return undefined;

    const stages = new Stages();
    const startedAt = performance.now();
    const arrived = this.#attempt(stream, destination, stages).finally(() => this.#underway.delete(key));
    // The arrival may have no waiter; callers that wait for another stage see a failure there.
    arrived.catch((error: Error) => {
      log.warn('pipe of %s to router %s failed: %o', streamKey(stream), destination.id, error);
      const ms = Math.round(performance.now() - startedAt);
      this.#note('failed', stream, { to: domain, ms, error: error.message });
    });
    const arrivedAsAnnounced = arrived.then(() => {
      if (stages.isWithdrawn) throw new StaleLinkError('the pipe had to be made anew');
    });
    arrivedAsAnnounced.catch(() => undefined);
    const { announced, produced } = stages;
    const piping = {
      announced: firstOf(announced, arrived),
      produced: firstOf(produced, arrived),
      arrived,
      arrivedAsAnnounced,
    };
    this.#underway.set(key, piping);
    return piping;
  }

  async #attempt(stream: StreamId, destination: Router, stages: Stages): Promise<void> {
    const { streams, domainOf, detour } = this.#options;
    const domain = domainOf(destination);
    const startedAt = performance.now();
    for (let attempt = 1; ; ++attempt) {
      const places = streams.find(streamKey(stream));
      // The stream may have closed in the meantime, which the following consume reports; or another Piper has brought
      // it.
      if (places.length === 0 || places.some(({ router }) => domainOf(router) === domain)) return;
      const source = this.#choose(stream, places, destination);
      try {
        if (source) {
          const redirects = await this.#take(stream, source.router, places, destination, stages);
          const ms = Math.round(performance.now() - startedAt);
          const facts = { from: domainOf(source.router), to: domain, ms };
          if (redirects > 0) this.#note('copy', stream, { ...facts, redirects });
          else this.#note(source.piped ? 'copy' : 'origin', stream, facts);
          return;
        }
        await detour?.(stream, places, destination);
      } catch (error) {
        // A source whose machine is lost in the meantime is no source any more: others may be, or the stream has ended.
        const hasLostSource = source && isLoss(error) && !streams.inRouter(streamKey(stream), source.router);
        if (!isTransient(error) && !hasLostSource) throw error;
        if (attempt === MAX_ATTEMPTS) throw unreachable(stream, error);
      }
      if (attempt === MAX_ATTEMPTS) throw unreachable(stream, new Error('no other Router reaches it'));
    }
  }

  #note(reason: PipeReason, stream: StreamId, facts: LogFacts): void {
    const { room, decisions } = this.#options;
    decisions.note(reason, { room, stream: streamKey(stream), ...facts });
  }

  /** Chooses a source: one on the former path, if that is lost, else by the given choice. */
  #choose(stream: StreamId, places: StreamInRouter[], destination: Router): StreamInRouter | undefined {
    const { chooseSource, domainOf } = this.#options;
    const reachable = this.#reachable(places, destination);
    for (const place of this.#formerPaths.left(pipeKey(stream, domainOf(destination)), reachable)) {
      const former = chooseSource([place], destination);
      if (former) return former;
    }
    return chooseSource(reachable, destination);
  }

  /**
   * Makes a pipe from the source, or from where the source sends the asker.
   * @returns the number of times that the asker was sent on
   */
  async #take(
    stream: StreamId,
    source: Router,
    places: StreamInRouter[],
    destination: Router,
    stages: Stages,
  ): Promise<number> {
    const { asker } = this.#options;
    if (asker) {
      const make = (from: Router, as: Asker): Promise<Redirect | undefined> =>
        this.#make(stream, from, destination, stages, as);
      return (await askPlaces(stream, source, places, destination, asker, make)).redirects;
    }
    await this.#make(stream, source, destination, stages);
    return 0;
  }

  /**
   * Returns the places that share a family of addresses with the destination.
   * @throws {UnsupportedError} if there are none, before a pipe is made that would be silent
   */
  #reachable(places: StreamInRouter[], destination: Router): StreamInRouter[] {
    if (!this.#options.network) return places;
    const reachable = places.filter(({ router }) => commonFamily(router, destination) !== undefined);
    if (reachable.length > 0) return reachable;
    const [from, to] = [places[0]!.router, destination].map(router =>
      familiesOf(router)
        .map(family => `IPv${family}`)
        .join(' and '),
    );
    throw new UnsupportedError(
      `no pipe can lead from Router "${places[0]!.router.id}", which is reached over ${from}, to Router "${destination.id}", which is reached over ${to}: give their servers listenInfos, or a pipeListenInfo, of the same family`,
    );
  }

  /** @returns where the asker is sent, if the source does not serve it */
  async #make(
    stream: StreamId,
    source: Router,
    destination: Router,
    stages: Stages,
    asker?: Asker,
  ): Promise<Redirect | undefined> {
    const made = await this.#maker.make(stream, source, destination, stages, asker);
    if ('redirect' in made) return made.redirect;
    this.#formerPaths.note(pipeKey(stream, this.#options.domainOf(destination)), made.path);
    return undefined;
  }
}

/** Returns the key of a stream's pipe into a domain. */
function pipeKey(stream: StreamId, domain: string): string {
  return `${streamKey(stream)} ${domain}`;
}
