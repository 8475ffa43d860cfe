/** The shared fate of the two ends of a pipe, and of a link. */
import type { Consumer, DataConsumer, DataProducer, Producer, Transport } from 'mediasoup/types';
import { logger } from '../core/logger.ts';
import { onceClosed } from '../core/onceClosed.ts';

const log = logger('pipe');

const joinedStreams = new WeakMap<Consumer | DataConsumer, Producer | DataProducer>();

/**
 * Tells whether an end that has closed is only out of sight: then it may live, and others too may need the other end.
 */
export interface Losses {
  source: () => boolean;
  destination: () => boolean;
}

const noLosses: Losses = { source: () => false, destination: () => false };

/**
 * Makes the two ends of a pipe share their fate: a close of either end closes the other, and the pipe's Producer pauses
 * and resumes as the origin does. Works on mediasoup's objects and on mirrors of remote objects. The listeners live as
 * long as the objects, so that they need no removal.
 */
export function joinEnds(consumer: Consumer | DataConsumer, producer: Producer | DataProducer, lost = noLosses): void {
  if (joinedStreams.get(consumer) === producer) return;
  joinedStreams.set(consumer, producer);
  onceClosed(consumer, () => lost.source() || producer.close());
  onceClosed(producer, () => lost.destination() || consumer.close());
  const follow = (): void => {
    const paused = sourcePaused(consumer);
    if (producer.closed || producer.paused === paused) return;
    const following = paused ? producer.pause() : producer.resume();
    // The Producer may have closed in the meantime, or the Consumer may have changed once more.
    following
      .then(follow)
      .catch(error => producer.closed || log.warn('producer %s does not follow: %o', producer.id, error));
  };
  if ('kind' in consumer) consumer.on('producerpause', follow).on('producerresume', follow);
  else consumer.on('dataproducerpause', follow).on('dataproducerresume', follow);

  if (consumer.closed) producer.close();
  else if (producer.closed) consumer.close();
  else follow();
}

const joined = new WeakSet<Transport>();

/** Makes the two PipeTransports of a link close together. */
export function joinTransports(source: Transport, destination: Transport, lost = noLosses): void {
  if (source.closed) destination.close();
  if (destination.closed) source.close();
  if (joined.has(source) && joined.has(destination)) return;
  joined.add(source).add(destination);
  onceClosed(source, () => lost.source() || destination.close());
  onceClosed(destination, () => lost.destination() || source.close());
}

function sourcePaused(consumer: Consumer | DataConsumer): boolean {
  return 'kind' in consumer ? consumer.producerPaused : consumer.dataProducerPaused;
}
