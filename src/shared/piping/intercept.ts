/**
 * Lets `consume()`, `consumeData()` and `addProducer()` of an object find streams that are elsewhere, and `produce()` notice
 * that an id is in use elsewhere. The object itself is given the new behaviour, rather than a wrapper around it, so that it stays the one object that everybody sees: in
 * the Maps, in the events of its Router's `observer`, in `===`.
 */
import * as ortc from 'mediasoup/ortc';
import type { ConsumerOptions, Producer, Router, RtpObserver, Transport } from 'mediasoup/types';
import type { StreamId } from './endpoint.ts';
import type { Streams } from './streams.ts';

/** Brings the stream, and answers with the id by which the object's Router knows it. */
type Find = (stream: StreamId) => Promise<string>;

/** Makes a stream known that may be elsewhere, if it isn't: before anything else, since what it is decides on the rest. */
type Seek = (id: string) => Promise<void>;

/** @param isHere whether what is in that Router can be consumed here without a pipe */
export function interceptTransport(transport: Transport, streams: Streams, find: Find, isHere: (router: Router) => boolean, seek?: Seek): void {
  const consume = transport.consume.bind(transport);
  const consumeData = transport.consumeData.bind(transport);
  const produce = transport.produce.bind(transport);
  const produceData = transport.produceData.bind(transport);
  transport.produce = options => streams.produce(options?.id, () => produce(options));
  transport.produceData = options => streams.produce(options?.id, () => produceData(options));
  transport.consume = async options => {
    if (isWellFormed(transport, options?.producerId, options)) {
      await seek?.(options.producerId);
      const places = streams.find(options.producerId);
      const producer = streams.producer(options.producerId);
      // Where no pipe is needed, mediasoup's own check comes early enough.
      if (producer && transport.type !== 'pipe' && !places.some(({ router }) => isHere(router))) assertConsumable(producer, options);
      return consume({ ...options, producerId: await find({ producerId: options.producerId }) });
    }
    return consume(options);
  };
  transport.consumeData = async options => {
    if (!isWellFormed(transport, options?.dataProducerId, options)) return consumeData(options);
    await seek?.(options.dataProducerId);
    return consumeData({ ...options, dataProducerId: await find({ dataProducerId: options.dataProducerId }) });
  };
}

export function interceptRtpObserver(rtpObserver: RtpObserver, find: Find, seek?: Seek): void {
  const addProducer = rtpObserver.addProducer.bind(rtpObserver);
  const removeProducer = rtpObserver.removeProducer.bind(rtpObserver);
  /** By the id that was asked for, where the Router knows the stream by another one. */
  const foundIds = new Map<string, string>();
  rtpObserver.addProducer = async options => {
    if (!isWellFormed(rtpObserver, options?.producerId, {})) return addProducer(options);
    await seek?.(options.producerId);
    const producerId = await find({ producerId: options.producerId });
    if (producerId === options.producerId) foundIds.delete(producerId);
    else foundIds.set(options.producerId, producerId);
    return addProducer({ ...options, producerId });
  };
  rtpObserver.removeProducer = async options => {
    const found = foundIds.get(options?.producerId);
    if (found === undefined) return removeProducer(options);
    await removeProducer({ ...options, producerId: found });
    foundIds.delete(options.producerId);
  };
}

/** Whatever is not, is left to mediasoup to refuse: nothing is piped for it. */
function isWellFormed(object: Transport | RtpObserver, id: unknown, options: { appData?: unknown; mid?: unknown }): boolean {
  const { appData, mid } = options;
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
  const remoteRtpCapabilities = structuredClone(rtpCapabilities);
  ortc.validateAndNormalizeRtpCapabilities(remoteRtpCapabilities);
  ortc.getConsumerRtpParameters({
    consumableRtpParameters: producer.consumableRtpParameters,
    remoteRtpCapabilities,
    pipe,
    enableRtx: enableRtx ?? producer.kind === 'video',
  });
}
