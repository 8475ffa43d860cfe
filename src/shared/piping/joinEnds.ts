import type { Consumer, DataConsumer, DataProducer, Producer, Transport } from 'mediasoup/types';
import { logger } from '../logger.ts';
import { onceClosed } from '../onceClosed.ts';

const log = logger('pipe');

const joinedStreams = new WeakMap<Consumer | DataConsumer, Producer | DataProducer>();

/**
 * Makes the two ends of a pipe share their fate: whichever closes closes the other, and the pipe's Producer pauses and
 * resumes as the original one does. Works on mediasoup's objects and on mirrors of remote ones; nothing has to be undone,
 * since the listeners go with the objects.
 */
export function joinEnds(consumer: Consumer | DataConsumer, producer: Producer | DataProducer): void {
  if (joinedStreams.get(consumer) === producer) return;
  joinedStreams.set(consumer, producer);
  onceClosed(consumer, () => producer.close());
  onceClosed(producer, () => consumer.close());
  const follow = (): void => {
    const paused = sourcePaused(consumer);
    if (producer.closed || producer.paused === paused) return;
    const following = paused ? producer.pause() : producer.resume();
    // It may have been told to close in the meantime, and it may have been told the contrary.
    following.then(follow).catch(error => producer.closed || log('producer %s does not follow: %o', producer.id, error));
  };
  if ('kind' in consumer) consumer.on('producerpause', follow).on('producerresume', follow);
  else consumer.on('dataproducerpause', follow).on('dataproducerresume', follow);

  if (consumer.closed) producer.close();
  else if (producer.closed) consumer.close();
  else follow();
}

const joined = new WeakSet<Transport>();

/** The same for the two PipeTransports of a link. */
export function joinTransports(a: Transport, b: Transport): void {
  if (a.closed) b.close();
  if (b.closed) a.close();
  if (joined.has(a) && joined.has(b)) return;
  joined.add(a).add(b);
  onceClosed(a, () => b.close());
  onceClosed(b, () => a.close());
}

function sourcePaused(consumer: Consumer | DataConsumer): boolean {
  return 'kind' in consumer ? consumer.producerPaused : consumer.dataProducerPaused;
}
