/**
 * Pipes that are foretold: whoever makes one knows the RTP parameters with which the stream will leave its source, and
 * asks both sides at once. mediasoup derives these parameters from the stream's own; only the SSRCs are random, and
 * those the maker draws. So a stream comes over a known link in a single round trip.
 */
import crypto from 'node:crypto';
import * as ortc from 'mediasoup/ortc';
import type { Consumer, DataConsumer, DataProducer, Producer, RtpParameters } from 'mediasoup/types';
import { copyingFast, readingUncopied } from '../core/copies.ts';

/** First SSRC of a pipe's encodings, and first SSRC of their RTX streams; further encodings count on from there. */
export interface Ssrcs {
  media: number;
  rtx: number;
}

/** Range from which mediasoup draws SSRCs. */
const [MIN_SSRC, MAX_SSRC] = [100_000_000, 999_999_999];

/** Draws SSRCs as mediasoup does. They are never used again: SRTP may remember the packets that had them. */
export function drawSsrcs(): Ssrcs {
  return { media: crypto.randomInt(MIN_SSRC, MAX_SSRC), rtx: crypto.randomInt(MIN_SSRC, MAX_SSRC) };
}

/** @throws {TypeError} for what mediasoup would not have drawn */
export function assertSsrcs({ media, rtx }: Ssrcs): void {
  for (const ssrc of [media, rtx])
    if (!Number.isInteger(ssrc) || ssrc < MIN_SSRC || ssrc > MAX_SSRC)
      throw new TypeError(`ssrcs must be integers from ${MIN_SSRC} to ${MAX_SSRC}`);
}

/**
 * Makes mediasoup choose these SSRCs for a Consumer of a pipe.
 * @param call draws them before its first `await`, the media's first
 */
export function withSsrcs<T>({ media, rtx }: Ssrcs, call: () => T): T {
  const draw = crypto.randomInt;
  const chosen = [media, rtx];
  const choose = (min: number, max: number): number => chosen.shift() ?? draw(min, max);
  crypto.randomInt = choose as typeof draw;
  try {
    return call();
  } finally {
    crypto.randomInt = draw;
  }
}

let knowsExtensions = false;

/** Returns the parameters with which a stream of media leaves its source over a pipe. */
export function foretell(producer: Producer, ssrcs: Ssrcs, enableRtx: boolean): RtpParameters {
  // mediasoup learns the header extension that pipes add when it makes the first capabilities of a process.
  if (!knowsExtensions) ortc.generateRouterRtpCapabilities([]);
  knowsExtensions = true;
  const { consumableRtpParameters } = producer;
  return copyingFast(() =>
    withSsrcs(ssrcs, () => ortc.getPipeConsumerRtpParameters({ consumableRtpParameters, enableRtx })),
  );
}

/** Returns whether an end of a pipe is what was foretold. */
export function isAsForetold(end: Consumer | Producer, foretold: RtpParameters): boolean {
  return readingUncopied(() => JSON.stringify(shapeOf(end.rtpParameters)) === JSON.stringify(shapeOf(foretold)));
}

/** Returns what the other end of a pipe has to know: an RTX SSRC means nothing where no codec has RTX. */
function shapeOf({ codecs, headerExtensions, encodings }: RtpParameters): unknown {
  const hasRtx = codecs.some(({ mimeType }) => mimeType.endsWith('/rtx'));
  return {
    codecs: codecs.map(({ mimeType, payloadType }) => [mimeType, payloadType]),
    headerExtensions: headerExtensions?.map(({ uri, id }) => [uri, id]),
    encodings: encodings?.map(({ ssrc, rtx }) => [ssrc, hasRtx && rtx?.ssrc]),
  };
}

/**
 * Returns whether a Consumer and a Producer are the two ends of one pipe. Two controllers that bring the same stream to
 * the same Router at the same time may each have made another end first.
 */
export function isOnePipe(consumer: Consumer | DataConsumer, producer: Producer | DataProducer): boolean {
  if (!('kind' in consumer) || !('kind' in producer)) return !('kind' in consumer) && !('kind' in producer);
  return readingUncopied(() => firstSsrc(consumer.rtpParameters) === firstSsrc(producer.rtpParameters));
}

function firstSsrc({ encodings }: RtpParameters): number | undefined {
  return encodings?.[0]?.ssrc;
}
