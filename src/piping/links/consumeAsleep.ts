/**
 * Lets a stream into a link without its flowing: see docs/decisions/sleeping-pipes.md. mediasoup's
 * `PipeTransport.consume()` has no option `paused`, and asks for a key frame within the call if the link is connected.
 * The method of its base class, which it overrides, has that option, and `pipe` too.
 */
import * as ortc from 'mediasoup/ortc';
import type {
  Consumer,
  ConsumerOptions,
  PipeTransport,
  Producer,
  RtpCapabilities,
  RtpParameters,
} from 'mediasoup/types';
import { copyingFast, readingUncopied } from '../../core/copies.ts';
import { logger } from '../../core/logger.ts';

const log = logger('pipe');

/**
 * Minimum interval between key frames: browsers ignore a request for a key frame that follows an answered request
 * sooner than this.
 */
const KEY_FRAME_INTERVAL_MS = 330;

type Consume = (options: ConsumerOptions) => Promise<Consumer>;

/** Base class methods that have turned out to behave otherwise than expected. */
const unsuitable = new WeakSet<Consume>();

/**
 * Consumes a Producer into a pipe that sleeps at first.
 * @param enableRtx whether the PipeTransport was made with it
 * @param isConnected returns whether the PipeTransport is connected by now
 * @param withWorkerId makes mediasoup's call, which sends the Producer's id to the Worker before its first `await`
 */
export async function consumeAsleep(
  transport: PipeTransport,
  producer: Producer,
  enableRtx: boolean,
  isConnected: () => boolean,
  withWorkerId: <T>(call: (producerId: string) => T) => T,
): Promise<Consumer> {
  const consume = consumeOfBaseClass(transport);
  if (consume && !unsuitable.has(consume)) {
    const wanted = copyingFast(() =>
      ortc.getPipeConsumerRtpParameters({ consumableRtpParameters: producer.consumableRtpParameters, enableRtx }),
    );
    const consumer = await withWorkerId(producerId =>
      consumeWith(consume.bind(transport), producer, wanted, enableRtx, producerId),
    );
    if (isAsWanted(consumer, wanted)) return consumer;
    log.warn('mediasoup consumes otherwise than expected, so that pipes wait for their first key frame');
    unsuitable.add(consume);
    consumer.close();
  }
  return consumeAndPause(transport, withWorkerId, isConnected);
}

/** Calls the base class's method with RTP capabilities that match the pipe's parameters exactly. */
function consumeWith(
  consume: Consume,
  producer: Producer,
  wanted: RtpParameters,
  enableRtx: boolean,
  producerId: string,
): Promise<Consumer> {
  const { kind } = producer;
  const consumableRtpParameters = readingUncopied(() => producer.consumableRtpParameters);
  const headerExtensions = wanted.headerExtensions ?? [];
  const rtpCapabilities: RtpCapabilities = {
    codecs: wanted.codecs.map(({ payloadType, ...codec }) => ({ ...codec, kind, preferredPayloadType: payloadType })),
    headerExtensions: headerExtensions.map(({ uri, id, encrypt = false }) => ({
      kind,
      uri,
      preferredId: id,
      preferredEncrypt: encrypt,
    })),
  };
  // Pipes carry a header extension that the Producer doesn't offer to others. mediasoup reads the extensions before its
  // first `await`.
  Object.defineProperty(producer, 'consumableRtpParameters', {
    configurable: true,
    value: { ...consumableRtpParameters, headerExtensions },
  });
  try {
    return copyingFast(() => consume({ producerId, rtpCapabilities, enableRtx, pipe: true, paused: true }));
  } finally {
    delete (producer as { consumableRtpParameters?: RtpParameters }).consumableRtpParameters;
  }
}

/**
 * Returns whether the Consumer is as `PipeTransport.consume()` would have made it, but for the SSRCs, which are random.
 */
function isAsWanted(consumer: Consumer, wanted: RtpParameters): boolean {
  const shape = readingUncopied(() => JSON.stringify(shapeOf(consumer.rtpParameters)));
  return consumer.type === 'pipe' && consumer.paused && shape === JSON.stringify(shapeOf(wanted));
}

function shapeOf({ codecs, headerExtensions, encodings }: RtpParameters): unknown {
  const hasRtx = codecs.some(({ mimeType }) => mimeType.endsWith('/rtx'));
  return {
    codecs: codecs.map(({ mimeType, payloadType, clockRate, channels, rtcpFeedback }) => [
      mimeType,
      payloadType,
      clockRate,
      channels,
      rtcpFeedback,
    ]),
    headerExtensions: headerExtensions?.map(({ uri, id }) => [uri, id]),
    // Audio has no RTX; an RTX SSRC in a pipe's encodings means nothing then.
    encodings: encodings?.map(({ rtx, scalabilityMode, rid }) => [hasRtx && rtx !== undefined, scalabilityMode, rid]),
  };
}

/** Returns the base class's method; undefined in other implementations of mediasoup's API, which may lack it. */
function consumeOfBaseClass(transport: PipeTransport): Consume | undefined {
  const ownClass = Object.getPrototypeOf(transport) as PipeTransport;
  const baseClass = Object.getPrototypeOf(ownClass) as Partial<PipeTransport> | null;
  const consume = baseClass?.consume as Consume | undefined;
  return typeof consume === 'function' &&
    Object.hasOwn(ownClass, 'consume') &&
    consume !== (ownClass.consume as Consume)
    ? consume
    : undefined;
}

/**
 * Consumes, and pauses afterwards. On a connected link that has asked for a key frame already: the request on which a
 * viewer depends must not follow it too soon.
 */
async function consumeAndPause(
  transport: PipeTransport,
  withWorkerId: <T>(call: (producerId: string) => T) => T,
  isConnected: () => boolean,
): Promise<Consumer> {
  const consumer = await withWorkerId(producerId => transport.consume({ producerId }));
  const earliest = isConnected() && consumer.kind === 'video' ? Date.now() + KEY_FRAME_INTERVAL_MS : 0;
  await consumer.pause();
  const resume = consumer.resume.bind(consumer);
  consumer.resume = async () => {
    const wait = earliest - Date.now();
    if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait));
    if (!consumer.closed) await resume();
  };
  return consumer;
}
