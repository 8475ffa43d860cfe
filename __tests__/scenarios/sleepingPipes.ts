/** Pipes flow while somebody wants what they carry, and only then; and nobody who does can tell that they have slept. */
import { describe, expect, test } from '@jest/globals';
import type { Consumer, RtpStreamRecvStats, RtpStreamSendStats } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import { Camera } from '../helpers/camera.ts';
import { DirectSender, pictureLossIndication, RTCP, rtcpIn, type RtcpPacket } from '../helpers/directRtp.ts';
import { LayersSender } from '../helpers/layers.ts';
import { allSee, carried, copiesOf, pauseAll, pipesOf, resumeAll } from '../helpers/pipes.ts';
import { RtpReceiver } from '../helpers/rtp.ts';
import { createInEveryPlace } from '../helpers/spread.ts';
import { until } from '../helpers/until.ts';
import type { Scene } from './events.ts';

/** So many packets of a camera are as good as a look at whether anything flows. */
const FRAMES = 20;
const KEY_FRAME_PAUSE_MS = 400;
const VIEWERS = 4;

export function describeSleepingPipes(scene: Scene): void {
  describe('pipes that nobody watches', () => {
    test.concurrent.each([
      ['paused at first', true],
      ['not paused', false],
    ])(
      'each first viewer, %s, gets the key frame that is sent for it, on links that are new and on those that are there',
      async (_, paused) => {
        const mafaldaRouter = scene.createSpreadRouter();
        // The links of the second one are those that the first one has opened.
        for (const camera of [await Camera.create(mafaldaRouter), await Camera.create(mafaldaRouter)]) {
          const { producer } = camera;
          await until('the camera is on', () => camera.sent > 0);
          for (let count = 0; count < VIEWERS; ++count) {
            // A viewer that comes in its own time is not served by what the last one has asked for.
            await new Promise(resolve => setTimeout(resolve, KEY_FRAME_PAUSE_MS));
            const before = camera.keyFrames.length;
            const viewer = await RtpReceiver.create(mafaldaRouter, producer.id, {}, paused);
            if (paused) {
              const { sent } = camera;
              await until('some frames have been sent', () => camera.sent > sent + FRAMES);
              expect(camera.keyFrames).toHaveLength(before);
              await viewer.consumer.resume();
            }
            await until('the viewer sees something', () => viewer.received.size > 0);
            expect(camera.keyFrames).toHaveLength(before + 1);
            expect(Math.min(...viewer.received)).toBeGreaterThanOrEqual(camera.keyFrames[before]!);
          }
        }
        await mafaldaRouter.close();
      },
    );

    test.concurrent('carry nothing, until somebody does', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const camera = await Camera.create(mafaldaRouter);
      const viewers = await viewersEverywhere(scene, mafaldaRouter, camera.producer.id);
      const told: string[] = [];
      for (const { consumer } of viewers)
        consumer.on('producerpause', () => told.push('pause')).on('producerresume', () => told.push('resume'));
      await until('everybody sees something', () => allSee(viewers));
      for (const round of [1, 2]) {
        await pauseAll(viewers);
        await untilSilent(mafaldaRouter, camera);
        for (const { received } of viewers) received.clear();
        await resumeAll(viewers);
        await until(`everybody sees something, round ${round}`, () => allSee(viewers));
      }
      expect(told).toEqual([]);
      expect(viewers.every(({ consumer }) => !consumer.producerPaused && !consumer.paused)).toBe(true);
      // In their grace time they need not flow either.
      const pipes = pipesOf(mafaldaRouter, camera.producer.id);
      for (const { transport } of viewers) transport.close();
      await until('all pipes sleep', () => pipes.every(({ paused }) => paused));
      await mafaldaRouter.close();
    });

    test('change nothing of the scores and layers that viewers are told of', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const sender = await LayersSender.create(mafaldaRouter, 'simulcast');
      const { id } = sender.producer;
      const viewers = await viewersEverywhere(scene, mafaldaRouter, sender.producer.id);
      await Promise.all(viewers.map(({ consumer }) => consumer.setPreferredLayers({ spatialLayer: 2 })));
      await until('all have the highest layer', () =>
        viewers.every(({ consumer }) => consumer.currentLayers?.spatialLayer === 2),
      );
      await until('all scores are there', () =>
        viewers.every(({ consumer }) => consumer.score.producerScores.join() === '10,10,10'),
      );
      await pauseAll(viewers);
      await until('all pipes sleep', () => pipesOf(mafaldaRouter, id).every(pipe => pipe.paused));
      const latecomer = await RtpReceiver.create(mafaldaRouter, id, {}, true);
      const told = [...viewers, latecomer].map(({ consumer }) => {
        const seen = { scores: [] as string[], observed: [] as string[], layers: [] as unknown[] };
        consumer.on('score', ({ producerScores }) => seen.scores.push(producerScores.join()));
        consumer.observer.on('score', ({ producerScores }) => seen.observed.push(producerScores.join()));
        consumer.on('layerschange', layers => seen.layers.push(layers?.spatialLayer));
        return seen;
      });
      await until('the Workers miss what does not come', () =>
        copiesOf(mafaldaRouter, id).every(({ score }) => score.every(layer => layer.score === 0)),
      );
      for (const { consumer } of [...viewers, latecomer]) {
        expect(consumer.score).toEqual({
          score: 10,
          producerScore: consumer === latecomer.consumer ? 0 : 10,
          producerScores: [10, 10, 10],
        });
      }
      expect(told.flatMap(({ scores }) => scores)).toEqual([]);

      await resumeAll(viewers);
      await until('all have the highest layer again', () =>
        viewers.every(({ consumer }) => consumer.currentLayers?.spatialLayer === 2),
      );
      await until('their scores say so', () => viewers.every(({ consumer }) => consumer.score.producerScore === 10));
      await until('nothing is missed any more', () =>
        copiesOf(mafaldaRouter, id).every(({ score }) => score.every(layer => layer.score === 10)),
      );
      expect(told.flatMap(({ scores }) => scores).filter(scores => scores !== '10,10,10')).toEqual([]);
      expect(told.filter(({ layers }) => layers.length > 0).map(({ layers }) => layers.at(-1))).toEqual(
        viewers.map(() => 2),
      );

      await pauseAll(viewers);
      await until('all pipes sleep again', () => pipesOf(mafaldaRouter, id).every(pipe => pipe.paused));
      sender.stop();
      await until('who is paused hears that the publisher has stopped', () =>
        told.every(({ scores }) => scores.at(-1) === '0,0,0'),
      );
      for (const { scores, observed } of told) expect(observed).toEqual(scores);
      await mafaldaRouter.close();
    });

    test.concurrent('begin and end to flow with the publisher all the same', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const camera = await Camera.create(mafaldaRouter);
      const viewers = await viewersEverywhere(scene, mafaldaRouter, camera.producer.id);
      await pauseAll(viewers);
      await untilSilent(mafaldaRouter, camera);
      await camera.producer.pause();
      await until('everybody knows', () => viewers.every(({ consumer }) => consumer.producerPaused));
      // Of this mediasoup tells nobody by an event.
      await resumeAll(viewers);
      for (const { received } of viewers) received.clear();
      await new Promise(resolve => setTimeout(resolve, KEY_FRAME_PAUSE_MS));
      const before = camera.keyFrames.length;
      await camera.producer.resume();
      await until('everybody sees something', () => allSee(viewers));
      for (const { received } of viewers) expect(Math.min(...received)).toBe(camera.keyFrames[before]);
      // Media does not wait for the word of it.
      await until('everybody knows that it flows', () => viewers.every(({ consumer }) => !consumer.producerPaused));
      await mafaldaRouter.close();
    });

    test.concurrent(
      'of a stream that comes from another MafaldaRouter sleep and wake as its own, on both sides',
      async () => {
        const [from, to] = [scene.createSpreadRouter(), scene.createSpreadRouter()];
        const camera = await Camera.create(from);
        await until('the camera is on', () => camera.sent > 0);
        const { id } = camera.producer;
        const { pipeConsumer, pipeProducer } = await from.pipeToMafaldaRouter({ producerId: id, mafaldaRouter: to });
        const viewers = (
          await Promise.all([from, to].map(mafaldaRouter => viewersEverywhere(scene, mafaldaRouter, id, true)))
        ).flat();
        for (const round of [1, 2]) {
          await until('all pipes sleep', () =>
            [from, to].every(each => pipesOf(each, id).every(({ paused }) => paused)),
          );
          // The one that the application has made is its own business.
          expect([pipeConsumer!.paused, pipeProducer!.paused]).toEqual([false, false]);
          for (const { received } of viewers) received.clear();
          await resumeAll(viewers);
          await until(`everybody sees something, round ${round}`, () => allSee(viewers));
          await pauseAll(viewers);
        }
        await camera.producer.pause();
        await until('everybody knows', () => viewers.every(({ consumer }) => consumer.producerPaused));
        await camera.producer.resume();
        await until('everybody knows again', () => viewers.every(({ consumer }) => !consumer.producerPaused));
        camera.producer.close();
        await until('all have closed', () => viewers.every(({ consumer }) => consumer.closed));
        await Promise.all([from.close(), to.close()]);
      },
    );

    test.concurrent(
      'change nothing of traces, statistics and RTCP, beside those who are where the stream is',
      async () => {
        const mafaldaRouter = scene.createSpreadRouter();
        const sender = await DirectSender.create(mafaldaRouter, 'video');
        const { id } = sender.producer;
        const [asked, requests] = [new Set<string>(), new Set<number>()];
        await sender.producer.enableTraceEvent(['pli']);
        sender.producer.on('trace', ({ type, direction }) => asked.add(`${type} ${direction}`));
        const isRequest = ({ type, format }: RtcpPacket): boolean =>
          type === RTCP.payloadFeedback && format === RTCP.pictureLoss;
        sender.transport.on('rtcp', compound => {
          for (const packet of rtcpIn(compound)) if (isRequest(packet)) requests.add(packet.mediaSsrc!);
        });
        const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
        const viewers = await createInEveryPlace(mafaldaRouter, scene.places, async () => {
          const transport = await mafaldaRouter.createDirectTransport();
          const consumer = await transport.consume({ producerId: id, rtpCapabilities, paused: true });
          await consumer.enableTraceEvent(['rtp', 'keyframe', 'pli']);
          const seen = { packets: 0, traced: new Set<string>() };
          consumer.on('rtp', () => ++seen.packets);
          consumer.on('trace', ({ type, direction }) => seen.traced.add(`${type} ${direction}`));
          return { transport, consumer, seen };
        });
        sender.start();
        // Nobody is asked for a picture of what has not begun.
        await until('the stream is there', async () => (await sender.producer.getStats()).length > 0);
        for (const round of [1, 2]) {
          await until('all pipes sleep', () => pipesOf(mafaldaRouter, id).every(({ paused }) => paused));
          for (const told of [asked, requests]) told.clear();
          for (const { seen } of viewers) seen.traced.clear();
          await Promise.all(viewers.map(({ consumer }) => consumer.resume()));
          await until(`media is traced, round ${round}`, () =>
            viewers.every(({ seen: { traced } }) => traced.has('rtp out') && traced.has('keyframe out')),
          );
          await until('a key frame was asked for', () => asked.has('pli out') && requests.has(sender.ssrc));
          requests.clear();
          for (const { transport, consumer } of viewers)
            transport.sendRtcp(pictureLossIndication(consumer.rtpParameters.encodings![0]!.ssrc!));
          await until('who asks for one is traced', () =>
            viewers.every(({ seen: { traced } }) => traced.has('pli in')),
          );
          await until('its publisher hears of it', () => requests.has(sender.ssrc));
          await Promise.all(viewers.map(({ consumer }) => consumer.pause()));
        }
        sender.stop();
        for (const { consumer, seen } of viewers) {
          await until(
            'what has been sent is counted',
            async () => (await statsOf(consumer, 'outbound-rtp'))?.packetCount === seen.packets,
          );
          expect(await statsOf(consumer, 'outbound-rtp')).toMatchObject({
            kind: 'video',
            packetsLost: 0,
            nackCount: 0,
            score: 10,
          });
          // Nothing was missed by those who got less than all.
          expect(await statsOf(consumer, 'inbound-rtp')).toMatchObject({ kind: 'video', packetsLost: 0, nackCount: 0 });
        }
        await mafaldaRouter.close();
      },
    );

    test.concurrent('of audio flow for those who observe it, and for nobody else', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const [heard, unheard] = [
        await DirectSender.create(mafaldaRouter, 'audio'),
        await DirectSender.create(mafaldaRouter, 'audio'),
      ];
      heard.extension = 10;
      const observers = await createInEveryPlace(mafaldaRouter, scene.places, () =>
        mafaldaRouter.createAudioLevelObserver({ interval: 250 }),
      );
      for (const observer of observers) await observer.addProducer({ producerId: heard.producer.id });
      const listeners = await Promise.all(
        [heard, unheard].flatMap(({ producer }) =>
          Array.from({ length: scene.places + 2 }, () => RtpReceiver.create(mafaldaRouter, producer.id, {}, true)),
        ),
      );
      heard.start();
      unheard.start();
      await until('only one is carried', async () => {
        const look = (): Promise<number[]> =>
          Promise.all([heard, unheard].map(({ producer }) => carried(mafaldaRouter, producer.id)));
        const before = await look();
        await new Promise(resolve => setTimeout(resolve, 200));
        const after = await look();
        return after[0]! > before[0]! && after[1] === before[1];
      });
      const volumes = new Set<number>();
      for (const [index, observer] of observers.entries()) observer.on('volumes', () => volumes.add(index));
      await until('every observer hears the speaker', () => volumes.size === observers.length);
      await resumeAll(listeners);
      await until('everybody hears both', () => allSee(listeners));
      await mafaldaRouter.close();
    });

    test.concurrent('of data lose nothing of what is sent after somebody is there', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const source = await mafaldaRouter.createDirectTransport();
      const producer = await source.produceData({ label: 'chat' });
      const transports = await createInEveryPlace(mafaldaRouter, scene.places, () =>
        mafaldaRouter.createDirectTransport(),
      );
      const consumers = await Promise.all(
        transports.map(transport => transport.consumeData({ dataProducerId: producer.id, paused: true })),
      );
      const received = consumers.map(consumer => {
        const messages: string[] = [];
        consumer.on('message', message => messages.push(message.toString()));
        return messages;
      });
      producer.send('unheard');
      for (const round of [1, 2, 3]) {
        await until('all pipes sleep', () => pipesOf(mafaldaRouter, producer.id).every(pipe => pipe.paused));
        await Promise.all(consumers.map(consumer => consumer.resume()));
        producer.send(`round ${round}`);
        await until('everybody has it', () => received.every(messages => messages.at(-1) === `round ${round}`));
        await Promise.all(consumers.map(consumer => consumer.pause()));
      }
      expect(received).toEqual(received.map(() => ['round 1', 'round 2', 'round 3']));
      await mafaldaRouter.close();
    });
  });
}

async function statsOf(
  consumer: Consumer,
  type: 'outbound-rtp' | 'inbound-rtp',
): Promise<RtpStreamSendStats | RtpStreamRecvStats | undefined> {
  return (await consumer.getStats()).find(
    (entry): entry is RtpStreamSendStats | RtpStreamRecvStats => entry.type === type,
  );
}

function viewersEverywhere(
  { places }: Scene,
  mafaldaRouter: MafaldaRouter,
  producerId: string,
  paused = false,
): Promise<RtpReceiver[]> {
  return createInEveryPlace(mafaldaRouter, places, () => RtpReceiver.create(mafaldaRouter, producerId, {}, paused));
}

async function untilSilent(mafaldaRouter: MafaldaRouter, camera: Camera): Promise<void> {
  expect(pipesOf(mafaldaRouter, camera.producer.id)).not.toEqual([]);
  await until('no pipe carries anything', async () => {
    const before = await carried(mafaldaRouter, camera.producer.id);
    const { sent } = camera;
    await until('some frames have been sent', () => camera.sent > sent + FRAMES);
    return (await carried(mafaldaRouter, camera.producer.id)) === before;
  });
}
