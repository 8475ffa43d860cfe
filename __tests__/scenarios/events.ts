/**
 * The events of mediasoup's objects that mediasoup's own tests leave out, on real media: they must come on every
 * implementation of the Mafalda API, also where the stream comes through a pipe.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type {
  Consumer,
  ConsumerTraceEventData,
  DirectTransport,
  ProducerTraceEventData,
  ProducerVideoOrientation,
  TransportTuple,
} from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import { DirectSender, numberOf, pictureLossIndication, RTCP, rtcpIn, type RtcpPacket } from '../helpers/directRtp.ts';
import { LayersSender } from '../helpers/layers.ts';
import { mediaCodecs, openPath, RtpReceiver, RtpSender } from '../helpers/rtp.ts';
import type { System } from '../helpers/systems.ts';
import { createInEveryPlace } from '../helpers/spread.ts';
import { until } from '../helpers/until.ts';
import { describeAudioObservers } from './audioObservers.ts';
import { describeDataBuffers } from './dataBuffers.ts';
import { describeDataBursts } from './dataBursts.ts';
import { describeEndings } from './endings.ts';
import { describeLostPaths } from './lostPaths.ts';
import { describeSleepingPipes } from './sleepingPipes.ts';

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;

/** What the scenarios of events are given. */
export interface Scene {
  /** How many Routers {@link createSpreadRouter} gives. */
  readonly places: number;
  /** A MafaldaRouter that uses every place there is: with this watermark each Worker is full from the beginning. */
  createSpreadRouter(): MafaldaRouter;
}

export function describeEvents(name: string, createSystem: () => Promise<System>): void {
  describe(`${name}: events`, () => {
    let system: System;
    const scene: Scene = {
      get places() {
        return system.places;
      },
      createSpreadRouter: () =>
        system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 }),
    };

    beforeAll(async () => {
      system = await createSystem();
    });

    afterAll(async () => {
      expect(await system.close()).toEqual([]);
    });

    describeDirectTransports(scene);
    describeStreams(scene);
    describePlainTransports(scene);
    describeAudioObservers(scene);
    describeDataBuffers(scene);
    describeDataBursts(scene);
    describeLostPaths(scene);
    describeSleepingPipes(scene);
    describeEndings(scene);
  });
}

function describeDirectTransports(scene: Scene): void {
  describe('of DirectTransports', () => {
    /** A consumer in each place and one more, each on a DirectTransport of its own. */
    async function createConsumers(
      mafaldaRouter: MafaldaRouter,
      producerId: string,
    ): Promise<{ transport: DirectTransport; consumer: Consumer }[]> {
      const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
      return createInEveryPlace(mafaldaRouter, scene.places, async () => {
        const transport = await mafaldaRouter.createDirectTransport();
        return { transport, consumer: await transport.consume({ producerId, rtpCapabilities }) };
      });
    }

    test.concurrent.each(['audio', 'video'] as const)(
      'rtp: what producer.send() is given reaches consumers everywhere (%s)',
      async kind => {
        const mafaldaRouter = scene.createSpreadRouter();
        const sender = await DirectSender.create(mafaldaRouter, kind);
        const consumers = await createConsumers(mafaldaRouter, sender.producer.id);
        expect(mafaldaRouter.routers.size).toBe(scene.places);
        const received = consumers.map(({ consumer }) => {
          const numbers: number[] = [];
          consumer.on('rtp', packet => numbers.push(numberOf(packet)));
          return numbers;
        });
        await until('all paths are open', () => {
          sender.send();
          return received.every(numbers => numbers.length > 0);
        });
        const sent = Array.from({ length: 50 }, () => sender.send());
        await until('everybody has every packet', () => received.every(numbers => numbers.includes(sent.at(-1)!)));
        for (const numbers of received) expect(numbers.slice(-sent.length)).toEqual(sent);
        await mafaldaRouter.close();
      },
    );

    test.concurrent('rtcp: what a consumer’s transport sends reaches the producer’s', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const sender = await DirectSender.create(mafaldaRouter, 'video');
      const consumers = await createConsumers(mafaldaRouter, sender.producer.id);
      const requests: number[] = [];
      sender.transport.on('rtcp', compound => {
        const isRequest = ({ type, format }: RtcpPacket): boolean =>
          type === RTCP.payloadFeedback && format === RTCP.pictureLoss;
        requests.push(
          ...rtcpIn(compound)
            .filter(isRequest)
            .map(({ mediaSsrc }) => mediaSsrc!),
        );
      });
      const open = Promise.all(consumers.map(({ consumer }) => once(consumer, 'rtp')));
      sender.start();
      await open;
      // mediasoup has asked for a first picture by itself.
      requests.length = 0;
      for (const { transport, consumer } of consumers)
        transport.sendRtcp(pictureLossIndication(consumer.rtpParameters.encodings![0]!.ssrc!));
      await until('mediasoup has counted it at each consumer', async () => {
        const stats = await Promise.all(consumers.map(({ consumer }) => consumer.getStats()));
        return stats.every(all => all.some(entry => entry.type === 'outbound-rtp' && entry.pliCount > 0));
      });
      await until('the producer is asked for a picture', () => requests.length > 0);
      expect(new Set(requests)).toEqual(new Set([sender.ssrc]));
      await mafaldaRouter.close();
    });

    test.concurrent('arguments that are none are refused at once', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const { transport, producer } = await DirectSender.create(mafaldaRouter, 'audio');
      const dataProducer = await transport.produceData();
      expect(() => producer.send('packet' as unknown as Buffer)).toThrow(TypeError);
      expect(() => transport.sendRtcp('packet' as unknown as Buffer)).toThrow(TypeError);
      expect(() => dataProducer.send(1 as unknown as string)).toThrow(TypeError);
      await mafaldaRouter.close();
    });
  });
}

function describeStreams(scene: Scene): void {
  describe('of streams', () => {
    test.concurrent('trace: as long as it is enabled, on the object and its observer', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const sender = await DirectSender.create(mafaldaRouter, 'video');
      const receivers = await Promise.all(
        Array.from({ length: scene.places }, () => RtpReceiver.create(mafaldaRouter, sender.producer.id)),
      );
      const { consumer } = receivers.at(-1)!;
      const traces: Record<'producer' | 'observed' | 'consumer', (ProducerTraceEventData | ConsumerTraceEventData)[]> =
        { producer: [], observed: [], consumer: [] };
      sender.producer.on('trace', trace => traces.producer.push(trace));
      sender.producer.observer.on('trace', trace => traces.observed.push(trace));
      consumer.on('trace', trace => traces.consumer.push(trace));
      await Promise.all([
        sender.producer.enableTraceEvent(['rtp', 'keyframe', 'pli']),
        consumer.enableTraceEvent(['rtp', 'keyframe']),
      ]);
      sender.start();
      for (const type of ['rtp', 'keyframe']) {
        await until(`${type} is traced at both ends`, () =>
          [traces.producer, traces.consumer].every(list => list.some(trace => trace.type === type)),
        );
      }
      await consumer.requestKeyFrame();
      await until('the request for a key frame is traced', () =>
        traces.producer.some(({ type, direction }) => type === 'pli' && direction === 'out'),
      );
      expect(traces.producer.find(({ type }) => type === 'rtp')).toMatchObject({
        direction: 'in',
        info: { rtpPacket: { ssrc: sender.ssrc, payloadType: 112, size: 60n } },
      });
      expect(traces.consumer.find(({ type }) => type === 'rtp')).toMatchObject({
        direction: 'out',
        info: { rtpPacket: { ssrc: consumer.rtpParameters.encodings![0]!.ssrc } },
      });
      expect(traces.observed).toEqual(traces.producer);

      const goesOn = async (): Promise<void> => {
        const { length } = traces.consumer;
        await until('the consumer’s goes on', () => traces.consumer.length > length + 5);
      };
      await sender.producer.enableTraceEvent();
      // mediasoup lets events wait for a moment, so that one from before may come after the answer.
      await goesOn();
      const { length } = traces.producer;
      await goesOn();
      expect(traces.producer).toHaveLength(length);
      await mafaldaRouter.close();
    });

    test.concurrent(
      'score and layerschange: when streams come and go, and when a consumer prefers others',
      async () => {
        const mafaldaRouter = scene.createSpreadRouter();
        const sender = await LayersSender.create(mafaldaRouter, 'simulcast');
        const producerScores: number[][] = [];
        sender.producer.on('score', scores => producerScores.push(scores.map(({ score }) => score)));
        const receivers = await Promise.all(
          Array.from({ length: scene.places + 1 }, () => RtpReceiver.create(mafaldaRouter, sender.producer.id)),
        );
        const told = receivers.map(({ consumer }) => {
          const seen = {
            scores: [] as number[],
            observedScores: [] as number[],
            layers: [] as unknown[],
            observedLayers: [] as unknown[],
          };
          consumer.on('score', ({ producerScore }) => seen.scores.push(producerScore));
          consumer.observer.on('score', ({ producerScore }) => seen.observedScores.push(producerScore));
          consumer.on('layerschange', layers => {
            expect(consumer.currentLayers).toEqual(layers);
            seen.layers.push(layers?.spatialLayer);
          });
          consumer.observer.on('layerschange', layers => seen.observedLayers.push(layers?.spatialLayer));
          return seen;
        });
        // It may have begun with any of them.
        for (const spatialLayer of [0, 2]) {
          await Promise.all(receivers.map(({ consumer }) => consumer.setPreferredLayers({ spatialLayer })));
          await until(`all have layer ${spatialLayer}`, () =>
            receivers.every(({ consumer }) => consumer.currentLayers?.spatialLayer === spatialLayer),
          );
        }
        expect(told.map(({ layers }) => layers.at(-1))).toEqual(told.map(() => 2));
        await until('the producer has its scores', () => producerScores.at(-1)?.join() === '10,10,10');
        expect(sender.producer.score.map(({ score }) => score)).toEqual([10, 10, 10]);
        await until('the consumers have theirs', () =>
          receivers.every(({ consumer }) => consumer.score.producerScore === 10),
        );

        sender.stop();
        await until('the producer’s scores are 0', () => producerScores.at(-1)?.join() === '0,0,0');
        await until('the consumers’ are too', () => told.every(({ scores }) => scores.at(-1) === 0));
        await until('no layer is left', () => told.every(({ layers }) => layers.at(-1) === undefined));
        expect(receivers.map(({ consumer }) => consumer.currentLayers)).toEqual(receivers.map(() => undefined));
        for (const { scores, observedScores, layers, observedLayers } of told) {
          expect(observedScores).toEqual(scores);
          expect(observedLayers).toEqual(layers);
        }
        await mafaldaRouter.close();
      },
    );

    test.concurrent('videoorientationchange: when the camera is turned', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const sender = await DirectSender.create(mafaldaRouter, 'video');
      const told: ProducerVideoOrientation[] = [];
      sender.producer.on('videoorientationchange', orientation => told.push(orientation));
      // The camera at the back, by a quarter turn (3GPP TS 26.114, section 7.4.5).
      for (const orientation of [0, 0b1001]) {
        sender.extension = orientation;
        const { length } = told;
        sender.start();
        await until('it is told', () => told.length > length);
      }
      expect(told).toEqual([
        { camera: false, flip: false, rotation: 0 },
        { camera: true, flip: false, rotation: expect.any(Number) },
      ]);
      expect(told[1]!.rotation % 360).not.toBe(0);
      await mafaldaRouter.close();
    });
  });
}

function describePlainTransports(scene: Scene): void {
  test('tuple and rtcptuple: where a PlainTransport hears from first', async () => {
    const mafaldaRouter = scene.createSpreadRouter();
    const sender = await RtpSender.create(mafaldaRouter, 'audio');
    const tuples: TransportTuple[] = [];
    sender.transport.on('tuple', tuple => tuples.push(tuple));
    await openPath(sender, [await RtpReceiver.create(mafaldaRouter, sender.producer.id)]);
    // Media does not wait for what is told of it over a wire.
    await until('it is told', () => tuples.length > 0);
    expect(tuples).toEqual([sender.transport.tuple]);
    expect(tuples[0]).toMatchObject({ remoteIp: '127.0.0.1', protocol: 'udp' });

    const transport = await mafaldaRouter.createPlainTransport({ listenInfo, comedia: true, rtcpMux: false });
    const told = once(transport, 'rtcptuple') as Promise<[TransportTuple]>;
    const socket = createSocket('udp4');
    const emptyReport = Buffer.from([0x80, RTCP.receiverReport, 0, 1, 0, 0, 0, 1]);
    socket.send(emptyReport, transport.rtcpTuple!.localPort, '127.0.0.1');
    const [rtcpTuple] = await told;
    expect(rtcpTuple).toEqual(transport.rtcpTuple);
    expect(rtcpTuple.remotePort).toBe(socket.address().port);
    socket.close();
    await mafaldaRouter.close();
  });
}
