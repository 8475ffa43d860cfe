/** What observers of audio tell of real audio levels (RFC 6464), wherever the speakers are. */
import { describe, expect, test } from '@jest/globals';
import type { ActiveSpeakerObserver, AudioLevelObserver, Producer } from 'mediasoup/types';
import { DirectSender } from '../helpers/directRtp.ts';
import { until } from '../helpers/until.ts';
import type { Scene } from './events.ts';

const INTERVAL_MS = 400;
const LOUD = 10;
const LOUDER = 3;
const SILENT = 127;

export function describeAudioObservers(scene: Scene): void {
  describe('of observers of audio', () => {
    test.concurrent('volumes and silence: of the loudest first, as long as somebody speaks', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const [loud, louder] = [
        await DirectSender.create(mafaldaRouter, 'audio'),
        await DirectSender.create(mafaldaRouter, 'audio'),
      ];
      const observers = await Promise.all(
        Array.from({ length: scene.places + 1 }, () =>
          mafaldaRouter.createAudioLevelObserver({ interval: INTERVAL_MS, maxEntries: 2, threshold: -80 }),
        ),
      );
      for (const observer of observers) {
        for (const { producer } of [loud, louder]) await observer.addProducer({ producerId: producer.id });
      }
      const told = observers.map(observer => new Told(observer));
      const heard = observers.map(observer => {
        const producers = new Set<Producer>();
        observer.on('volumes', volumes => volumes.forEach(({ producer }) => producers.add(producer)));
        return producers;
      });
      const both = [`${louder.producer.id} ${-LOUDER}`, `${loud.producer.id} ${-LOUD}`].join();
      loud.extension = LOUD;
      louder.extension = LOUDER;
      for (const speaker of [loud, louder]) speaker.start();
      await until('everybody hears both', () => told.every(({ last }) => last === both));
      // The application's own objects, wherever the observer is.
      for (const producers of heard)
        expect([...producers].every(producer => producer === loud.producer || producer === louder.producer)).toBe(true);
      louder.stop();
      await until('everybody hears one', () => told.every(({ last }) => last === `${loud.producer.id} ${-LOUD}`));
      loud.extension = SILENT;
      await until('nobody hears anybody', () => told.every(({ last }) => last === 'silence'));
      for (const { onObject, onObserver } of told) expect(onObserver).toEqual(onObject);
      await mafaldaRouter.close();
    });

    test.concurrent('dominantspeaker: who begins to speak while the other is silent', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const speakers = [
        await DirectSender.create(mafaldaRouter, 'audio'),
        await DirectSender.create(mafaldaRouter, 'audio'),
      ];
      const observers = await Promise.all(
        Array.from({ length: scene.places + 1 }, () => mafaldaRouter.createActiveSpeakerObserver({ interval: 100 })),
      );
      const told = observers.map(observer => new DominantSpeakers(observer));
      for (const observer of observers)
        for (const { producer } of speakers) await observer.addProducer({ producerId: producer.id });
      for (const speaker of speakers) speaker.start();
      for (const speaker of [...speakers, ...speakers]) {
        for (const other of speakers) other.extension = other === speaker ? LOUDER : SILENT;
        await until('everybody hears who speaks', () =>
          told.every(({ onObject }) => onObject.at(-1) === speaker.producer.id),
        );
      }
      for (const { onObject, onObserver, heard } of told) {
        expect(onObserver).toEqual(onObject);
        expect([...heard].every(producer => speakers.some(speaker => speaker.producer === producer))).toBe(true);
      }
      await mafaldaRouter.close();
    });

    test.concurrent('addproducer, removeproducer, pause and resume: told by the observer’s observer', async () => {
      const producerId = 'microphone';
      // Another MafaldaRouter has a producer of the same id in each Worker: that is no business of this one's.
      const other = scene.createSpreadRouter();
      await DirectSender.create(other, 'audio', producerId);
      for (let place = 0; place <= scene.places; ++place)
        await (await other.createAudioLevelObserver()).addProducer({ producerId });
      const mafaldaRouter = scene.createSpreadRouter();
      const { producer } = await DirectSender.create(mafaldaRouter, 'audio', producerId);
      const observers = await Promise.all(
        Array.from({ length: scene.places + 1 }, () => mafaldaRouter.createAudioLevelObserver()),
      );
      for (const observer of observers) {
        const events: string[] = [];
        const note = (name: string) => (observed: Producer) =>
          events.push(`${name} ${observed.id}${observed === producer ? '' : ', a copy'}`);
        observer.observer.on('addproducer', note('add')).on('removeproducer', note('remove'));
        observer.observer.on('pause', () => events.push('pause')).on('resume', () => events.push('resume'));
        await observer.addProducer({ producerId });
        await observer.pause();
        expect(observer.paused).toBe(true);
        await observer.resume();
        expect(observer.paused).toBe(false);
        await observer.removeProducer({ producerId });
        expect(events).toEqual([`add ${producerId}`, 'pause', 'resume', `remove ${producerId}`]);
      }
      await Promise.all([mafaldaRouter.close(), other.close()]);
    });
  });
}

/** What an AudioLevelObserver has told, in words. */
class Told {
  readonly onObject: string[] = [];
  readonly onObserver: string[] = [];

  constructor(observer: AudioLevelObserver) {
    for (const [emitter, list] of [[observer, this.onObject] as const, [observer.observer, this.onObserver] as const]) {
      emitter.on('volumes', volumes =>
        list.push(volumes.map(({ producer, volume }) => `${producer.id} ${volume}`).join()),
      );
      emitter.on('silence', () => list.push('silence'));
    }
  }

  get last(): string | undefined {
    return this.onObject.at(-1);
  }
}

class DominantSpeakers {
  readonly onObject: string[] = [];
  readonly onObserver: string[] = [];
  readonly heard = new Set<Producer>();

  constructor(observer: ActiveSpeakerObserver) {
    observer.on('dominantspeaker', ({ producer }) => {
      this.onObject.push(producer.id);
      this.heard.add(producer);
    });
    observer.observer.on('dominantspeaker', ({ producer }) => this.onObserver.push(producer.id));
  }
}
