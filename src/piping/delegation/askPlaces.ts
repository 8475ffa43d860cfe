/** Asks for a stream on behalf of a destination: first the place that was chosen, then those to which it sends the asker. */
import { NotFoundError } from 'mediasoup/errors';
import type { Router } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import { within } from '../../core/within.ts';
import {
  describeStream,
  isRedirect,
  type Asker,
  type PipeOffer,
  type PipeRedirect,
  type StreamId,
} from '../endpoint.ts';
import type { StreamInRouter } from '../streams.ts';
import { checkedPath, checkedRedirect } from './checkedAnswers.ts';
import { followRedirects, type Followed } from './followRedirects.ts';
import type { Candidate, Redirect } from './policy.ts';

const log = logger('delegation');

/** Limit for the offer of a place to which an asker was sent, in ms: there are others. */
const OFFER_TIMEOUT_MS = 3000;

/** Knowledge that an asker needs to go where it is sent. */
export interface AskerOptions {
  /** Load, in percent, below which a place has room. */
  watermark: number;
  /** Returns what is told of the destination. */
  describe: (destination: Router) => Pick<Asker, 'routers' | 'url' | 'load'>;
  /** Returns the load of a place, in percent; Infinity if the stream can't come from there. */
  loadOf: (candidate: Candidate, destination: Router) => number;
  /**
   * Returns the Router of a place, after connecting to its server if necessary; undefined if it can't be had.
   * @throws {Error} if its server can't be connected to
   */
  routerOf: (candidate: Candidate, destination: Router) => Promise<Router | undefined>;
}

/**
 * Asks for a stream until a place serves it.
 * @param places all places of the stream that are known, the origin first
 * @param make asks a Router, and makes the pipe if it serves
 * @throws {NotFoundError} if all places that may be asked are full
 * @throws {Error} as the first place
 */
export async function askPlaces(
  stream: StreamId,
  source: Router,
  places: readonly StreamInRouter[],
  destination: Router,
  { watermark, describe, loadOf, routerOf }: AskerOptions,
  make: (from: Router, asker: Asker) => Promise<Redirect | undefined>,
): Promise<Followed> {
  const first = { routerId: source.id, depth: 0, load: 0 };
  const others = places
    .filter(({ router }) => router !== source)
    .map(({ router, piped }) => ({ routerId: router.id, depth: Number(piped), load: 0 }));
  let cause: unknown;
  const followed = await followRedirects(first, {
    watermark,
    others,
    loadOf: candidate => (candidate === first ? 0 : loadOf(candidate, destination)),
    ask: async (candidate, question) => {
      const from = candidate === first ? source : await routerOf(candidate, destination);
      if (!from) throw new NotFoundError(`Router with id "${candidate.routerId}" not found`);
      return make(from, { ...describe(destination), ...question });
    },
    onFailed: ({ routerId }, error) => {
      cause = error;
      log.warn('%s from router %s: %o', describeStream(stream), routerId, error);
    },
  });
  if (followed.source) return followed;
  const reason = cause instanceof Error ? `, or could not be asked (${cause.message})` : '';
  const message = `${describeStream(stream)} not found: all places that have it and were asked are full${reason}`;
  throw Object.assign(new NotFoundError(message), { cause });
}

/**
 * Resolves with an offer, or with where the asker is sent. A place to which it was sent has less time than the first.
 * @throws {Error} if the stream would come from the destination itself, or not in time
 */
export async function inTime(
  offering: Promise<PipeOffer | PipeRedirect>,
  { asked, routers }: Asker,
): Promise<PipeOffer | { redirect: Redirect }> {
  const late = (): Error => new Error(`no answer within ${OFFER_TIMEOUT_MS} ms`);
  const answer = asked.length === 0 ? await offering : await limited(offering, late);
  if (isRedirect(answer)) return { redirect: checkedRedirect(answer.redirect) };
  const path = checkedPath(answer.path);
  if (!path?.some(id => routers.includes(id))) return { ...answer, path };
  answer.consumer.close();
  throw new NotFoundError('the stream would come from its own destination');
}

async function limited(
  offering: Promise<PipeOffer | PipeRedirect>,
  late: () => Error,
): Promise<PipeOffer | PipeRedirect> {
  let answer: PipeOffer | PipeRedirect | undefined;
  await within(
    offering.then(given => (answer = given)),
    OFFER_TIMEOUT_MS,
  );
  if (answer) return answer;
  // A pipe that is offered later is not made.
  offering.then(given => isRedirect(given) || given.consumer.close()).catch(() => undefined);
  throw late();
}
