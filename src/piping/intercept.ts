/**
 * Lets `consume()`, `consumeData()` and `addProducer()` of an object find streams that are elsewhere, and `produce()` notice
 * that an id is in use elsewhere. The object itself is given the new behaviour, rather than a wrapper around it, so that it stays the one object that everybody sees: in
 * the Maps, in the events of its Router's `observer`, in `===`.
 */
import { NotFoundError } from 'mediasoup/errors';
import * as ortc from 'mediasoup/ortc';
import type { ConsumerOptions, DataProducer, Producer, Router, RtpObserver, Transport } from 'mediasoup/types';
import { copyOf } from '../core/copies.ts';
import { mayForgetCalls } from '../core/mayForget.ts';
import { describeStream, streamKey, type StreamId } from './endpoint.ts';
import { isPassing, unreachable } from './piper.ts';
import type { Streams } from './streams.ts';

/** A Consumer, a DataConsumer, or nothing that could be closed. */
type Used = { close(): void } | void;

/** A stream that ends in the moment in which it is wanted is wanted again; more often in a row is a defect. */
const MAX_ATTEMPTS = 3;

export interface FoundStream {
  /** By which the object's Router knows it. */
  id: string;
  /** Settles with its pipe, while that is still being made. */
  arrived?: Promise<void>;
}

/** How the streams of a MafaldaRouter are reached from one of its Routers. */
export interface StreamAccess {
  readonly streams: Streams;
  /**
   * Brings the stream, or answers with undefined if it has gone by then.
   * @param surely whether to wait until it is there, rather than until the Router knows that it comes
   */
  readonly find: (stream: StreamId, surely: boolean) => Promise<FoundStream | undefined>;
  /** Whether what is in that Router can be consumed here without a pipe. */
  readonly isHere: (router: Router) => boolean;
  /** Whether somebody is just bringing the stream from where it can't be seen here. */
  readonly isComing: (id: string) => boolean;
  /** Makes a stream known that may be elsewhere, if it isn't: before anything else, since what it is decides on the rest. */
  readonly seek?: (id: string) => Promise<void>;
  /** Counts somebody as a user of the stream who is still being made. @returns what ends that */
  readonly hold?: (id: string) => () => void;
}

export function interceptTransport(transport: Transport, router: Router, access: StreamAccess): void {
  const { streams } = access;
  /** Of a stream that is in many places most consumers are where it is. */
  const isHere = (id: string): boolean => streams.inRouter(id, router) !== undefined || streams.find(id).some(place => access.isHere(place.router));
  const consume = transport.consume.bind(transport);
  const consumeData = transport.consumeData.bind(transport);
  const produce = transport.produce.bind(transport);
  const produceData = transport.produceData.bind(transport);
  transport.produce = options => streams.produce(options?.id, () => produce(options));
  transport.produceData = options => streams.produce(options?.id, () => produceData(options));
  transport.consume = async options => {
    if (!isWellFormed(transport, options?.producerId, options)) return consume(options);
    return reach(transport, access, { producerId: options.producerId }, id => consume({ ...options, producerId: id }), () => {
      const producer = streams.producer(options.producerId);
      // Where no pipe is needed, mediasoup's own check comes early enough.
      if (!producer) ortc.validateAndNormalizeRtpCapabilities(copyOf(options.rtpCapabilities));
      else if (transport.type !== 'pipe' && !isHere(options.producerId)) assertConsumable(producer, options);
    });
  };
  transport.consumeData = async options => {
    if (!isWellFormed(transport, options?.dataProducerId, options)) return consumeData(options);
    return reach(transport, access, { dataProducerId: options.dataProducerId }, id => consumeData({ ...options, dataProducerId: id }));
  };
  mayForgetCalls(transport, ['produce', 'produceData', 'consume', 'consumeData']);
}

export function interceptRtpObserver(rtpObserver: RtpObserver, access: StreamAccess): void {
  const addProducer = rtpObserver.addProducer.bind(rtpObserver);
  const removeProducer = rtpObserver.removeProducer.bind(rtpObserver);
  /** By the id that was asked for, where the Router knows the stream by another one. */
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
  mayForgetCalls(rtpObserver, ['addProducer', 'removeProducer']);
}

/** Lets what the application closes be gone everywhere at once. */
export function interceptClose(object: Transport | Producer | DataProducer, streams: Streams): void {
  const close = object.close.bind(object);
  object.close = () => streams.endingHere(close);
}

/**
 * Brings a stream to where it is used. What ends in the same moment, since it was idle, or of which word has not reached
 * everybody yet, is brought anew.
 * @param check throws where the use would be refused anyway, before anything is brought
 */
async function reach<T extends Used>(
  user: Transport | RtpObserver,
  { streams, find, seek, hold, isComing }: StreamAccess,
  stream: StreamId,
  use: (id: string) => Promise<T>,
  check?: () => void,
): Promise<T> {
  const id = streamKey(stream);
  const notFound = (): NotFoundError => new NotFoundError(`${describeStream(stream)} not found`);
  // At once: from here on nothing that is needed may end because nobody uses it.
  const release = hold?.(id);
  try {
    await seek?.(id);
    check?.();
    for (let attempt = 1; ; ++attempt) {
      const isThere = streams.first(id) !== undefined;
      if (!isThere && !isComing(id)) throw notFound();
      const found = await find(stream, attempt > 1);
      try {
        if (found === undefined) throw notFound();
        return await useArriving(found, use);
      } catch (error) {
        if (!isPassing(error) || user.closed || !isThere) throw error;
        if (attempt === MAX_ATTEMPTS) throw streams.first(id) ? unreachable(stream, error) : error;
      }
    }
  } finally {
    release?.();
  }
}

/** Uses a stream beside its arrival. What has been made is of no use where the pipe fails in the end, and closes. */
async function useArriving<T extends Used>({ id, arrived }: FoundStream, use: (id: string) => Promise<T>): Promise<T> {
  const using = use(id);
  try {
    return (await Promise.all([using, arrived]))[0];
  } catch (error) {
    void using.then(used => used?.close(), () => undefined);
    throw error;
  }
}

/** Whatever is not, is left to mediasoup to refuse: nothing is piped for it. */
function isWellFormed(object: Transport | RtpObserver, id: unknown, options: { appData?: unknown; mid?: unknown } | undefined): boolean {
  const { appData, mid } = options ?? {};
  return (
    !object.closed &&
    typeof id === 'string' &&
    id !== '' &&
    (!appData || typeof appData === 'object') &&
    (!mid || typeof mid === 'string')
  );
}

/** Throws what mediasoup will throw for these RTP capabilities, before anything is piped. */
function assertConsumable(producer: Producer, { rtpCapabilities, enableRtx, pipe = false }: ConsumerOptions): void {
  const remoteRtpCapabilities = copyOf(rtpCapabilities);
  ortc.validateAndNormalizeRtpCapabilities(remoteRtpCapabilities);
  ortc.getConsumerRtpParameters({
    consumableRtpParameters: producer.consumableRtpParameters,
    remoteRtpCapabilities,
    pipe,
    enableRtx: enableRtx ?? producer.kind === 'video',
  });
}
