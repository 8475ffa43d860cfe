/**
 * Makes the events of an RtpObserver name origins. An RtpObserver watches Producers of its own Router: of a speaker
 * elsewhere, the copy that a pipe has made. Its events name the application's own Producer instead, so that `close()`
 * and `pause()` reach the speaker, and `===` identifies the speaker.
 */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Producer, RtpObserver } from 'mediasoup/types';
import type { Streams } from './streams.ts';

interface Named {
  producer: Producer;
}

type Translate = (argument: never, origin: (producer: Producer) => Producer) => unknown;

/** Translators of the events whose arguments name Producers. */
const translations: Readonly<Record<string, Translate>> = {
  volumes: (volumes: Named[], origin) => volumes.map(volume => ({ ...volume, producer: origin(volume.producer) })),
  dominantspeaker: (speaker: Named, origin) => ({ ...speaker, producer: origin(speaker.producer) }),
  addproducer: (producer: Producer, origin) => origin(producer),
  removeproducer: (producer: Producer, origin) => origin(producer),
};

export function showOrigins(rtpObserver: RtpObserver, streams: Streams): void {
  // A copy is named only where its origin is out of sight.
  const origin = (producer: Producer): Producer => {
    const found = streams.first(producer.id);
    return found && !found.piped && 'kind' in found.producer ? found.producer : producer;
  };
  for (const emitter of [rtpObserver, rtpObserver.observer] as unknown as EnhancedEventEmitter<
    Record<string, unknown[]>
  >[]) {
    const safeEmit = emitter.safeEmit.bind(emitter);
    emitter.safeEmit = (name, ...args) => {
      const translate = Object.hasOwn(translations, name) ? translations[name] : undefined;
      return safeEmit(name, ...(translate ? args.map(argument => translate(argument as never, origin)) : args));
    };
  }
}
