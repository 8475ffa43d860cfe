/**
 * An RtpObserver watches what is in its own Router: of a speaker elsewhere the copy that a pipe has made. What it tells of is the
 * Producer that the application has made, so that `close()` and `pause()` reach the speaker, and `===` tells who it is.
 */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Producer, RtpObserver } from 'mediasoup/types';
import type { Streams } from './streams.ts';

interface Named {
  producer: Producer;
}

type Translate = (told: never, origin: (producer: Producer) => Producer) => unknown;

/** What the events that name Producers tell. */
const translations: Readonly<Record<string, Translate>> = {
  volumes: (volumes: Named[], origin) => volumes.map(volume => ({ ...volume, producer: origin(volume.producer) })),
  dominantspeaker: (speaker: Named, origin) => ({ ...speaker, producer: origin(speaker.producer) }),
  addproducer: (producer: Producer, origin) => origin(producer),
  removeproducer: (producer: Producer, origin) => origin(producer),
};

export function showOrigins(rtpObserver: RtpObserver, streams: Streams): void {
  // Where the origin is out of sight, its copy is the best that there is.
  const origin = (producer: Producer): Producer => {
    const found = streams.first(producer.id);
    return found && !found.piped && 'kind' in found.producer ? found.producer : producer;
  };
  for (const emitter of [rtpObserver, rtpObserver.observer] as unknown as EnhancedEventEmitter<Record<string, unknown[]>>[]) {
    const safeEmit = emitter.safeEmit.bind(emitter);
    emitter.safeEmit = (name, ...args) => {
      const translate = Object.hasOwn(translations, name) ? translations[name] : undefined;
      return safeEmit(name, ...(translate ? args.map(told => translate(told as never, origin)) : args));
    };
  }
}
