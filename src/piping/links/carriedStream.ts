/** Streams as links carry them: what the source tells of one, and how it is produced at the destination. */
import type {
  Consumer,
  DataConsumer,
  DataProducer,
  PipeTransport,
  Producer,
  SctpStreamParameters,
} from 'mediasoup/types';
import type { PipedStream, PipeOffer } from '../endpoint.ts';

/** Returns what the destination needs to produce the stream that the Consumer brings. */
export function describeOffer(
  producer: Producer | DataProducer,
  consumer: Consumer | DataConsumer,
): Omit<PipeOffer, 'end'> {
  const { appData } = producer;
  if ('kind' in consumer) return { consumer, appData };
  const original = 'sctpStreamParameters' in producer ? producer.sctpStreamParameters : undefined;
  // A DataConsumer of a PipeTransport always has them, since such a Transport knows no other kind of data.
  const { streamId } = consumer.sctpStreamParameters!;
  return { consumer, appData, sctpStreamParameters: { ordered: true, ...original, streamId } };
}

/**
 * Returns whether a stream's messages are ordered within the pipe. Streams with a packet lifetime stay unordered, since
 * the pipe's delay would come on top of their own. All others are ordered: a Worker sends unordered messages either at
 * once or never, and never again; only a lifetime lets them wait.
 */
export function isCarriedInOrder(original: SctpStreamParameters | undefined): boolean {
  return !original?.maxPacketLifeTime;
}

export async function produce(transport: PipeTransport, stream: PipedStream): Promise<Producer | DataProducer> {
  const { id, appData, paused } = stream;
  if (stream.kind !== 'data')
    return transport.produce({ id, kind: stream.kind, rtpParameters: stream.rtpParameters, paused, appData });
  const { sctpStreamParameters, label, protocol } = stream;
  return transport.produceData({ id, sctpStreamParameters, label, protocol, paused, appData });
}
