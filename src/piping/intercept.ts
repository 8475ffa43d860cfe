/**
 * Lets `consume()`, `consumeData()` and `addProducer()` of an object find streams that are elsewhere, and `produce()`
 * notice that an id is in use elsewhere. The methods of the object itself are replaced, without a wrapper, so that the
 * application sees the same object in the Maps, in the events of its Router's `observer`, and by `===`.
 */
import { NotFoundError } from 'mediasoup/errors';
import * as ortc from 'mediasoup/ortc';
import type {
  ConsumerOptions,
  DataProducer,
  Producer,
  Router,
  RtpCapabilities,
  RtpObserver,
  Transport,
} from 'mediasoup/types';
import { copyOf, readingUncopied } from '../core/copies.ts';
import { logRejections } from '../core/logRejections.ts';
import { describeStream, streamKey, type StreamId } from './endpoint.ts';
import type { Streams } from './streams.ts';
import { isTransient, unreachable } from './transient.ts';

/** Consumer or DataConsumer, or undefined where there is no object to close. */
type Used = { close(): void } | void;

/**
 * Maximum number of attempts: a stream that ends in the moment in which it is wanted is brought again; more often in a
 * row is a defect.
 */
const MAX_ATTEMPTS = 3;

export interface FoundStream {
  /** Id of the stream in the object's Router. */
  id: string;
  /** Settles with the stream's pipe, while that is still being made. */
  arrived?: Promise<void>;
}

/** Access to the streams of a MafaldaRouter from one of its Routers. */
export interface StreamAccess {
  readonly streams: Streams;
  /**
   * Brings the stream; resolves with undefined if it has gone by then.
   * @param untilArrived whether to wait until the stream has arrived, rather than until the Router knows that it comes
   */
  readonly find: (stream: StreamId, untilArrived: boolean) => Promise<FoundStream | undefined>;
  /** Returns whether streams of that Router can be consumed here without a pipe. */
  readonly isHere: (router: Router) => boolean;
  /** Returns whether another Piper is bringing the stream here, perhaps from a Router that is out of sight. */
  readonly isArriving: (id: string) => boolean;
  /**
   * Looks elsewhere for a stream that is not known here. Comes first, since the other steps depend on the stream's
   * kind.
   */
  readonly seek?: (id: string) => Promise<void>;
  /**
   * Counts a user of the stream that is being made.
   * @returns to be called when the user exists or its creation has failed
   */
  readonly hold?: (id: string) => () => void;
}

export function interceptTransport(transport: Transport, router: Router, access: StreamAccess): void {
  const { streams } = access;
  /** Looks in this Router first: most consumers of a stream in many places are in a Router that has it. */
  const isHere = (id: string): boolean =>
    streams.inRouter(id, router) !== undefined || streams.find(id).some(place => access.isHere(place.router));
  const consume = transport.consume.bind(transport);
  const consumeData = transport.consumeData.bind(transport);
  const produce = transport.produce.bind(transport);
  const produceData = transport.produceData.bind(transport);
  transport.produce = options => streams.produce('Producer', options?.id, () => produce(options));
  transport.produceData = options => streams.produce('DataProducer', options?.id, () => produceData(options));
  transport.consume = async options => {
    if (!isWellFormed(transport, options?.producerId, options)) return consume(options);
    return reach(
      transport,
      access,
      { producerId: options.producerId },
      id => consume({ ...options, producerId: id }),
      () => {
        const producer = streams.producer(options.producerId);
        // If no pipe is needed, mediasoup's own check comes early enough.
        if (!producer) assertWellFormed(options.rtpCapabilities);
        else if (transport.type !== 'pipe' && !isHere(options.producerId)) assertConsumable(producer, options);
      },
    );
  };
  transport.consumeData = async options => {
    if (!isWellFormed(transport, options?.dataProducerId, options)) return consumeData(options);
    return reach(transport, access, { dataProducerId: options.dataProducerId }, id =>
      consumeData({ ...options, dataProducerId: id }),
    );
  };
  logRejections(transport, ['produce', 'produceData', 'consume', 'consumeData']);
}

export function interceptRtpObserver(rtpObserver: RtpObserver, access: StreamAccess): void {
  const addProducer = rtpObserver.addProducer.bind(rtpObserver);
  const removeProducer = rtpObserver.removeProducer.bind(rtpObserver);
  /** Ids of streams in the Router, by the requested ids, where these differ. */
  const foundIds = new Map<string, string>();
  rtpObserver.addProducer = async options => {
    if (!isWellFormed(rtpObserver, options?.producerId, {})) return addProducer(options);
    return reach(rtpObserver, access, { producerId: options.producerId }, async producerId => {
      if (producerId === options.producerId) foundIds.delete(producerId);
      else foundIds.set(options.producerId, producerId);
      return addProducer({ ...options, producerId });
    });
  };
  rtpObserver.removeProducer = async options => {
    const found = foundIds.get(options?.producerId);
    if (found === undefined) return removeProducer(options);
    await removeProducer({ ...options, producerId: found });
    foundIds.delete(options.producerId);
  };
  logRejections(rtpObserver, ['addProducer', 'removeProducer']);
}

/** Makes a close by the application end the object's streams everywhere at once. */
export function interceptClose(object: Transport | Producer | DataProducer, streams: Streams): void {
  const close = object.close.bind(object);
  object.close = () => streams.endingHere(close);
}

/**
 * Brings a stream to its user. A stream or link that ends in the same moment, since it was idle, or of whose end word
 * is still on its way, is brought anew.
 * @param check throws where the use would be refused anyway, before the stream is brought
 */
async function reach<T extends Used>(
  user: Transport | RtpObserver,
  { streams, find, seek, hold, isArriving }: StreamAccess,
  stream: StreamId,
  use: (id: string) => Promise<T>,
  check?: () => void,
): Promise<T> {
  const id = streamKey(stream);
  const notFound = (): NotFoundError => new NotFoundError(`${describeStream(stream)} not found`);
  // The hold begins at once: from here on an idle timer must not close the stream.
  const release = hold?.(id);
  try {
    await seek?.(id);
    check?.();
    for (let attempt = 1; ; ++attempt) {
      const isThere = streams.first(id) !== undefined;
      if (!isThere && !isArriving(id)) throw notFound();
      const found = await find(stream, attempt > 1);
      try {
        if (found === undefined) throw notFound();
        return await useArriving(found, use);
      } catch (error) {
        if (!isTransient(error) || user.closed || !isThere) throw error;
        if (attempt === MAX_ATTEMPTS) throw streams.first(id) ? unreachable(stream, error) : error;
      }
    }
  } finally {
    release?.();
  }
}

/** Uses a stream while it arrives. If its pipe fails in the end, the new object is of no use, and closes. */
async function useArriving<T extends Used>({ id, arrived }: FoundStream, use: (id: string) => Promise<T>): Promise<T> {
  const using = use(id);
  try {
    return (await Promise.all([using, arrived]))[0];
  } catch (error) {
    void using.then(
      used => used?.close(),
      () => undefined,
    );
    throw error;
  }
}

/**
 * Returns whether the options are well formed. Malformed options are left to mediasoup to refuse: no stream is piped
 * for them.
 */
function isWellFormed(
  object: Transport | RtpObserver,
  id: unknown,
  options: { appData?: unknown; mid?: unknown } | undefined,
): boolean {
  const { appData, mid } = options ?? {};
  return (
    !object.closed &&
    typeof id === 'string' &&
    id !== '' &&
    (!appData || typeof appData === 'object') &&
    (!mid || typeof mid === 'string')
  );
}

/** RTP capabilities that were found well formed: an application uses the same ones again and again. */
const wellFormed = new WeakSet<object>();
/** Codecs, as text, that were found consumable with RTP capabilities. */
const consumable = new WeakMap<object, Set<string>>();
/** Number of different codecs that are remembered for RTP capabilities. */
const MAX_CONSUMABLE = 100;

/**
 * Throws the error that mediasoup would throw for malformed RTP capabilities, before the stream is piped. Capabilities
 * that an application has changed since are refused when the stream is there.
 */
function assertWellFormed(rtpCapabilities: RtpCapabilities): void {
  if (wellFormed.has(rtpCapabilities)) return;
  ortc.validateAndNormalizeRtpCapabilities(copyOf(rtpCapabilities));
  wellFormed.add(rtpCapabilities);
}

/** Throws the error that mediasoup would throw for these RTP capabilities, before the stream is piped; as above. */
function assertConsumable(producer: Producer, { rtpCapabilities, enableRtx, pipe = false }: ConsumerOptions): void {
  const { kind } = producer;
  const consumableRtpParameters = readingUncopied(() => producer.consumableRtpParameters);
  const text = JSON.stringify([kind, pipe, enableRtx, consumableRtpParameters.codecs]);
  const found = consumable.get(rtpCapabilities) ?? new Set();
  if (found.has(text)) return;
  const remoteRtpCapabilities = copyOf(rtpCapabilities);
  ortc.validateAndNormalizeRtpCapabilities(remoteRtpCapabilities);
  ortc.getConsumerRtpParameters({
    consumableRtpParameters,
    remoteRtpCapabilities,
    pipe,
    enableRtx: enableRtx ?? kind === 'video',
  });
  if (found.size < MAX_CONSUMABLE) consumable.set(rtpCapabilities, found.add(text));
}
