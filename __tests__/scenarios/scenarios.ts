/**
 * Behaviour that every implementation of the Mafalda API must have, in the same words for all of them. Tests that mostly wait, and each in a MafaldaRouter of its own,
 * run at once.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { NotFoundError, UnsupportedError } from 'mediasoup/errors';
import type {
  DataConsumer,
  DirectTransport,
  PipeTransport,
  Producer,
  RtpCapabilities,
  Transport,
  Worker,
} from 'mediasoup/types';
import type { MafaldaRouter, WorkerLoad } from '../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import { DirectSender } from '../helpers/directRtp.ts';
import { LayersSender } from '../helpers/layers.ts';
import { rebuild, shapeOf } from '../helpers/rebuild.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../helpers/rtp.ts';
import { createInEveryPlace } from '../helpers/spread.ts';
import type { System } from '../helpers/systems.ts';
import { until } from '../helpers/until.ts';

const PACKETS = 50;

export function describeScenarios(name: string, createSystem: () => Promise<System>): void {
  describe(name, () => {
    let system: System;

    beforeAll(async () => {
      system = await createSystem();
    });

    afterAll(async () => {
      expect(await system.close()).toEqual([]);
    });

    /** A MafaldaRouter that uses every place there is: with this watermark each Worker is full from the beginning. */
    function createSpreadRouter(): MafaldaRouter {
      return system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 });
    }

    /** More receivers than there are places, so that there is one at least in each. */
    async function createReceivers(mafaldaRouter: MafaldaRouter, producerId: string): Promise<RtpReceiver[]> {
      return createInEveryPlace(mafaldaRouter, system.places, () => RtpReceiver.create(mafaldaRouter, producerId));
    }

    describe('media', () => {
      test.concurrent.each(['audio', 'video'] as const)(
        '%s reaches consumers everywhere, each packet once',
        async kind => {
          const mafaldaRouter = createSpreadRouter();
          const sender = await RtpSender.create(mafaldaRouter, kind);
          const receivers = await createReceivers(mafaldaRouter, sender.producer.id);
          expect(mafaldaRouter.routers.size).toBe(system.places);
          await openPath(sender, receivers);
          expect(await countPackets(sender, receivers, PACKETS)).toEqual(receivers.map(() => PACKETS));
          await mafaldaRouter.close();
        },
      );

      test.concurrent.each(['simulcast', 'svc'] as const)(
        '%s keeps its layers: each consumer has the ones that it prefers',
        async layering => {
          const mafaldaRouter = createSpreadRouter();
          const sender = await LayersSender.create(mafaldaRouter, layering);
          const receivers = await createReceivers(mafaldaRouter, sender.producer.id);
          expect(receivers.map(({ consumer }) => consumer.type)).toEqual(receivers.map(() => layering));
          for (const spatialLayer of [0, 2, 1]) {
            await Promise.all(
              receivers.map(({ consumer }) => consumer.setPreferredLayers({ spatialLayer, temporalLayer: 0 })),
            );
            expect(receivers.map(({ consumer }) => consumer.preferredLayers?.spatialLayer)).toEqual(
              receivers.map(() => spatialLayer),
            );
            await until(`all consumers are told of layer ${spatialLayer}`, () =>
              receivers.every(({ consumer }) => consumer.currentLayers?.spatialLayer === spatialLayer),
            );
            // Packets that were on their way may still arrive: after them come these layers alone.
            const expected = sender.layersOf(spatialLayer).join();
            await until(`layers ${expected} arrive, and no others`, async () => {
              for (const { received } of receivers) received.clear();
              await new Promise(resolve => setTimeout(resolve, 100));
              return receivers.every(({ received }) => [...received].sort().join() === expected);
            });
          }
          await mafaldaRouter.close();
        },
      );

      test.concurrent('data messages reach consumers everywhere, in order', async () => {
        const mafaldaRouter = createSpreadRouter();
        const source = await mafaldaRouter.createDirectTransport();
        const producer = await source.produceData({ label: 'chat', protocol: 'json', appData: { from: 'Mafalda' } });
        const transports = await createInEveryPlace(mafaldaRouter, system.places, () =>
          mafaldaRouter.createDirectTransport(),
        );
        const consumers = await Promise.all(
          transports.map(transport => transport.consumeData({ dataProducerId: producer.id })),
        );
        expect(mafaldaRouter.routers.size).toBe(system.places);
        const messages = Array.from({ length: 20 }, (_, index) => `message ${index}`);
        const received = consumers.map(consumer => receive(consumer, messages.length));
        for (const message of messages) producer.send(message);
        for (const list of await Promise.all(received)) expect(list).toEqual(messages);
        for (const { label, protocol } of consumers) expect([label, protocol]).toEqual(['chat', 'json']);
        await mafaldaRouter.close();
      });

      test.concurrent('two MafaldaRouters don’t hear each other', async () => {
        const [one, other] = [createSpreadRouter(), createSpreadRouter()];
        const sender = await RtpSender.create(one, 'audio');
        await expect(RtpReceiver.create(other, sender.producer.id)).rejects.toThrow(NotFoundError);
        await Promise.all([one.close(), other.close()]);
      });
    });

    describe('pipes', () => {
      test.concurrent('consumers that come at once share one pipe per place', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const { places } = system;
        const receivers = await createInEveryPlace(
          mafaldaRouter,
          places,
          () => RtpReceiver.create(mafaldaRouter, sender.producer.id),
          3 * places,
        );
        await openPath(sender, receivers);
        expect(await countPiped(mafaldaRouter)).toEqual({ producers: places - 1, consumers: places - 1 });
        await mafaldaRouter.close();
      });

      test.concurrent('go away when nobody needs them any more, and come back', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const receivers = await createReceivers(mafaldaRouter, sender.producer.id);
        for (const { transport } of receivers) transport.close();
        const pipes = (): boolean => [...mafaldaRouter.transports.values()].some(({ type }) => type === 'pipe');
        expect(pipes()).toBe(true);
        await until('all pipes have gone', () => !pipes());

        const again = await createReceivers(mafaldaRouter, sender.producer.id);
        await openPath(sender, again);
        expect(await countPackets(sender, again, PACKETS)).toEqual(again.map(() => PACKETS));
        await mafaldaRouter.close();
      });

      test.concurrent('nothing is piped for a consume that is refused', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'video');
        const transports = await Promise.all(
          Array.from({ length: system.places + 1 }, () => mafaldaRouter.createDirectTransport()),
        );
        const rtpCapabilities: RtpCapabilities = { codecs: [] };
        for (const transport of transports) {
          await expect(transport.consume({ producerId: sender.producer.id, rtpCapabilities })).rejects.toThrow(
            UnsupportedError,
          );
        }
        expect(await countPiped(mafaldaRouter)).toEqual({ producers: 0, consumers: 0 });
        await mafaldaRouter.close();
      });

      test.concurrent('observers of audio take producers from everywhere', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const observers = await createInEveryPlace(mafaldaRouter, system.places, () =>
          mafaldaRouter.createAudioLevelObserver(),
        );
        for (const observer of observers) {
          const added = once(observer.observer, 'addproducer');
          await observer.addProducer({ producerId: sender.producer.id });
          const [producer] = (await added) as [{ id: string }];
          expect(producer.id).toBe(sender.producer.id);
        }
        const { workers } = await mafaldaRouter.dump();
        const routers = workers.flatMap(worker => worker.routers);
        const observing = routers.filter(
          ({ rtpObservers, transports }) =>
            rtpObservers.length > 0 && !transports.some(({ id }) => id === sender.transport.id),
        );
        expect(observing.length > 0).toBe(system.places > 1);
        expect(await countPiped(mafaldaRouter)).toMatchObject({ producers: observing.length });
        await mafaldaRouter.close();
      });
    });

    describe('between two MafaldaRouters', () => {
      const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;

      test.concurrent(
        'a stream that is piped is the same everywhere in the other one, though they share their Workers',
        async () => {
          const [from, to] = [createSpreadRouter(), createSpreadRouter()];
          const senders = [await RtpSender.create(from, 'video'), await RtpSender.create(from, 'audio')];
          for (const sender of senders) {
            const { id } = sender.producer;
            const { pipeConsumer, pipeProducer } = await from.pipeToMafaldaRouter({
              producerId: id,
              mafaldaRouter: to,
            });
            expect([pipeConsumer?.producerId, pipeProducer?.id]).toEqual([id, id]);
            const receivers = [...(await createReceivers(to, id)), ...(await createReceivers(from, id))];
            expect(new Set(receivers.map(({ consumer }) => consumer.producerId))).toEqual(new Set([id]));
            await openPath(sender, receivers);
            expect(await countPackets(sender, receivers, PACKETS)).toEqual(receivers.map(() => PACKETS));
            const paused = Promise.all(receivers.map(({ consumer }) => once(consumer, 'producerpause')));
            await sender.producer.pause();
            await paused;
            const closed = Promise.all(receivers.map(({ consumer }) => once(consumer, 'producerclose')));
            sender.producer.close();
            await closed;
            expect(pipeProducer?.closed).toBe(true);
            // The id is free again.
            await expect(RtpReceiver.create(to, id)).rejects.toThrow(NotFoundError);
          }
          await Promise.all([from.close(), to.close()]);
        },
      );

      test.concurrent('data is piped as well, with an id of its own if so wished', async () => {
        const [from, to] = [createSpreadRouter(), createSpreadRouter()];
        const source = await from.createDirectTransport();
        const producer = await source.produceData({ label: 'chat' });
        const { pipeDataProducer } = await from.pipeToMafaldaRouter({
          dataProducerId: producer.id,
          mafaldaRouter: to,
          keepId: false,
          listenInfo,
        });
        expect(pipeDataProducer!.id).not.toBe(producer.id);
        const sink = await to.createDirectTransport();
        const consumer = await sink.consumeData({ dataProducerId: pipeDataProducer!.id });
        const received = receive(consumer, 1);
        await until('the pipe’s SCTP association is there', () => {
          producer.send('hello');
          return Promise.race([
            received.then(() => true),
            new Promise<boolean>(resolve => setTimeout(resolve, 50, false)),
          ]);
        });
        expect(await received).toEqual(['hello']);
        await Promise.all([from.close(), to.close()]);
      });

      test.concurrent('each may have a producer of the same id', async () => {
        const mafaldaRouters = Array.from({ length: 3 }, createSpreadRouter);
        for (const mafaldaRouter of mafaldaRouters) {
          const sender = await RtpSender.create(mafaldaRouter, 'audio', 'microphone');
          const receivers = await createReceivers(mafaldaRouter, 'microphone');
          await openPath(sender, receivers);
          expect(await countPackets(sender, receivers, 20)).toEqual(receivers.map(() => 20));
          await expect(RtpSender.create(mafaldaRouter, 'audio', 'microphone')).rejects.toThrow(TypeError);
        }
        await Promise.all(mafaldaRouters.map(mafaldaRouter => mafaldaRouter.close()));
      });

      test.concurrent('mistakes are refused as mediasoup does', async () => {
        const [from, to] = [createSpreadRouter(), createSpreadRouter()];
        const producerId = 'nobody';
        await expect(from.pipeToMafaldaRouter({ producerId, mafaldaRouter: to })).rejects.toThrow(NotFoundError);
        await expect(from.pipeToMafaldaRouter({ producerId, mafaldaRouter: from })).rejects.toThrow(TypeError);
        await expect(from.pipeToMafaldaRouter({ mafaldaRouter: to })).rejects.toThrow(
          /missing producerId or dataProducerId/,
        );
        await expect(from.pipeToMafaldaRouter({ producerId, dataProducerId: 'x', mafaldaRouter: to })).rejects.toThrow(
          TypeError,
        );
        await Promise.all([from.close(), to.close()]);
      });
    });

    describe('pause, resume and close', () => {
      test.concurrent('of a producer reach its consumers everywhere', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const receivers = await createReceivers(mafaldaRouter, sender.producer.id);
        const consumers = receivers.map(({ consumer }) => consumer);
        await openPath(sender, receivers);

        const paused = Promise.all(consumers.map(consumer => once(consumer, 'producerpause')));
        await sender.producer.pause();
        expect(sender.producer.paused).toBe(true);
        await paused;
        expect(consumers.every(({ producerPaused }) => producerPaused)).toBe(true);
        expect(await countPackets(sender, receivers, 20)).toEqual(receivers.map(() => 0));

        const resumed = Promise.all(consumers.map(consumer => once(consumer, 'producerresume')));
        await sender.producer.resume();
        await resumed;
        expect(await countPackets(sender, receivers, PACKETS)).toEqual(receivers.map(() => PACKETS));

        const closed = Promise.all(consumers.map(consumer => once(consumer, 'producerclose')));
        sender.producer.close();
        expect(sender.producer.closed).toBe(true);
        await closed;
        expect(consumers.every(consumer => consumer.closed)).toBe(true);
        await mafaldaRouter.close();
      });

      test.concurrent('of a consumer are its own business', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const [first, ...others] = await createReceivers(mafaldaRouter, sender.producer.id);
        await openPath(sender, [first!, ...others]);

        await first!.consumer.pause();
        expect(first!.consumer.paused).toBe(true);
        expect(await countPackets(sender, [first!, ...others], 20)).toEqual([0, ...others.map(() => 20)]);
        await first!.consumer.resume();
        expect(await countPackets(sender, [first!], 20)).toEqual([20]);

        first!.consumer.close();
        expect(first!.consumer.closed).toBe(true);
        expect(await countPackets(sender, others, 20)).toEqual(others.map(() => 20));
        expect(sender.producer.closed).toBe(false);
        await mafaldaRouter.close();
      });

      test.concurrent('of a data producer reach its consumers everywhere', async () => {
        const mafaldaRouter = createSpreadRouter();
        const transports = await Promise.all(
          Array.from({ length: system.places + 1 }, () => mafaldaRouter.createDirectTransport()),
        );
        const producer = await transports[0]!.produceData();
        const consumers = await Promise.all(
          transports.slice(1).map(transport => transport.consumeData({ dataProducerId: producer.id })),
        );
        const paused = Promise.all(consumers.map(consumer => once(consumer, 'dataproducerpause')));
        await producer.pause();
        await paused;
        const resumed = Promise.all(consumers.map(consumer => once(consumer, 'dataproducerresume')));
        await producer.resume();
        await resumed;
        const closed = Promise.all(consumers.map(consumer => once(consumer, 'dataproducerclose')));
        producer.close();
        await closed;
        await mafaldaRouter.close();
      });

      test.concurrent('closing a transport closes what it holds, at once, and its streams elsewhere', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const receivers = await createReceivers(mafaldaRouter, sender.producer.id);
        const told: string[] = [];
        sender.producer.on('transportclose', () => told.push('transportclose'));
        sender.producer.observer.on('close', () => told.push('close'));
        const closed = Promise.all(receivers.map(({ consumer }) => once(consumer, 'producerclose')));
        sender.transport.close();
        expect(told).toEqual(['transportclose', 'close']);
        expect(mafaldaRouter.transports.has(sender.transport.id)).toBe(false);
        await closed;
        await mafaldaRouter.close();
      });

      test.concurrent('closing a MafaldaRouter closes everything in it', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const receivers = await createReceivers(mafaldaRouter, sender.producer.id);
        const told: string[] = [];
        mafaldaRouter.on('close', () => told.push('close'));
        sender.transport.on('routerclose', () => told.push('routerclose'));
        const closing = mafaldaRouter.close();
        expect(mafaldaRouter.closed).toBe(true);
        await closing;
        expect(told.sort()).toEqual(['close', 'routerclose']);
        expect(receivers.every(({ consumer, transport }) => consumer.closed && transport.closed)).toBe(true);
        expect([mafaldaRouter.routers.size, mafaldaRouter.transports.size, mafaldaRouter.workers.size]).toEqual([
          0, 0, 0,
        ]);
        expect(system.mafalda.mafaldaRouters.has(mafaldaRouter.id)).toBe(false);
        await expect(mafaldaRouter.createDirectTransport()).rejects.toThrow(/closed/);
        await mafaldaRouter.close();
      });
    });

    describe('when a Worker is killed', () => {
      test('what it held closes with mediasoup’s events, the rest loses no packet, and another one takes its place', async () => {
        const mafaldaRouter = createSpreadRouter();
        const sender = await RtpSender.create(mafaldaRouter, 'audio');
        const receivers = await createReceivers(mafaldaRouter, sender.producer.id);
        await openPath(sender, receivers);
        const victim = workerOf(
          mafaldaRouter,
          receivers.find(
            ({ transport }) => workerOf(mafaldaRouter, transport) !== workerOf(mafaldaRouter, sender.transport),
          )!.transport,
        );
        const lost = receivers.filter(({ transport }) => workerOf(mafaldaRouter, transport) === victim);
        const told = lost.map(({ transport, consumer }) => {
          const events: string[] = [];
          consumer.on('transportclose', () => events.push('transportclose'));
          consumer.observer.on('close', () => events.push('consumer close'));
          transport.on('routerclose', () => events.push('routerclose'));
          transport.observer.on('close', () => events.push('transport close'));
          return events;
        });

        const died = new Promise<[Worker, Error]>(resolve =>
          mafaldaRouter.once('workerdied', (...death) => resolve(death)),
        );
        const sending = sender.stream(200);
        process.kill(victim.pid, 'SIGKILL');
        const [worker, error] = await died;
        expect([worker, worker.died, worker.closed]).toEqual([victim, true, true]);
        expect(error).toBeInstanceOf(Error);
        expect(told).toEqual(lost.map(() => ['transportclose', 'consumer close', 'routerclose', 'transport close']));
        const sent = await sending;
        const survivors = receivers.filter(({ consumer }) => !consumer.closed);
        expect(survivors.length).toBeGreaterThan(0);
        await until('the survivors have every packet', () =>
          survivors.every(({ received }) => sent.every(number => received.has(number))),
        );

        const again = await createReceivers(mafaldaRouter, sender.producer.id);
        expect(mafaldaRouter.routers.size).toBe(system.places);
        await openPath(sender, again);
        expect(await countPackets(sender, again, 20)).toEqual(again.map(() => 20));
        await mafaldaRouter.close();
      });

      test('and nobody listens for that, it is an error', async () => {
        const mafaldaRouter = createSpreadRouter();
        await mafaldaRouter.createDirectTransport();
        const failed = new Promise<Error>(resolve => mafaldaRouter.once('error', resolve));
        process.kill([...mafaldaRouter.workers.values()][0]!.pid, 'SIGKILL');
        expect(await failed).toBeInstanceOf(Error);
        await mafaldaRouter.close();
      });
    });

    test('Workers of mediasoup’s own API count in the load as well, with what is in them', async () => {
      const { mafalda } = system;
      const worker = await mafalda.mediasoup.createWorker();
      // Where the module is the application's own, nobody else knows.
      mafalda.adopt?.(worker);
      const sender = await RtpSender.create(await worker.createRouter({ mediaCodecs }), 'audio');
      const reported = (): WorkerLoad[] =>
        mafalda.loadReport.workers.filter(({ id }) => id.endsWith(String(worker.pid)));
      const flood = setInterval(() => {
        for (let packet = 0; packet < 40; ++packet) sender.send();
      }, 5);
      try {
        await until('it is seen to be at work', () => reported().some(({ cpu }) => cpu > 0) && mafalda.load > 0);
      } finally {
        clearInterval(flood);
      }
      expect(reported()).toMatchObject([{ routers: 1, transports: 1, producers: 1, consumers: 0 }]);
      worker.close();
      await until('it counts no more', () => reported().length === 0);
    });

    test('mediasoup’s own API has all that its module has, also for those who spread it', () => {
      const spread: Record<string, unknown> = { ...system.mafalda.mediasoup };
      const names = Object.keys(mediasoup).filter(
        name => name !== 'default' && name !== 'module.exports' && !name.startsWith('__'),
      );
      for (const name of names) {
        expect([name, typeof spread[name]]).toEqual([name, typeof mediasoup[name as keyof typeof mediasoup]]);
      }
      expect(spread).toMatchObject({
        version: mediasoup.version,
        errors: { NotFoundError: mediasoup.errors.NotFoundError },
      });
    });

    test('Observers of mediasoup’s own API tell of the objects that the application got from it', async () => {
      const { createWorker } = system.mafalda.mediasoup;
      const workers = await Promise.all([createWorker(), createWorker()]);
      const [near, far] = await Promise.all(workers.map(worker => worker.createRouter({ mediaCodecs })));
      const sender = await DirectSender.create(near!, 'audio');
      const { pipeProducer } = await near!.pipeToRouter({ producerId: sender.producer.id, router: far! });
      const told = await Promise.all(
        [near!, far!].map(async router => {
          const [levels, speakers] = await Promise.all([
            router.createAudioLevelObserver({ interval: 250 }),
            router.createActiveSpeakerObserver({ interval: 100 }),
          ]);
          const producers: Record<string, Producer | undefined> = {
            addproducer: undefined,
            volumes: undefined,
            dominantspeaker: undefined,
          };
          levels.observer.on('addproducer', producer => (producers.addproducer = producer));
          levels.on('volumes', ([volume]) => (producers.volumes = volume!.producer));
          speakers.on('dominantspeaker', ({ producer }) => (producers.dominantspeaker = producer));
          for (const observer of [levels, speakers]) await observer.addProducer({ producerId: sender.producer.id });
          return producers;
        }),
      );
      sender.extension = 3;
      sender.start();
      await until('both have told of all', () => told.every(producers => Object.values(producers).every(Boolean)));
      for (const [index, own] of [sender.producer, pipeProducer!].entries()) {
        for (const producer of Object.values(told[index]!)) expect(producer === own).toBe(true);
      }
      for (const worker of workers) worker.close();
    });

    describe('errors are mediasoup’s own', () => {
      let mafaldaRouter: MafaldaRouter;
      let transport: DirectTransport;
      let rtpCapabilities: RtpCapabilities;

      beforeAll(async () => {
        mafaldaRouter = createSpreadRouter();
        transport = await mafaldaRouter.createDirectTransport();
        rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
      });

      afterAll(() => mafaldaRouter.close());

      test('for a producer that nobody knows', async () => {
        await expect(transport.consume({ producerId: 'nobody', rtpCapabilities })).rejects.toThrow(NotFoundError);
        await expect(transport.consumeData({ dataProducerId: 'nobody' })).rejects.toThrow(NotFoundError);
        expect(await mafaldaRouter.canConsume({ producerId: 'nobody', rtpCapabilities })).toBe(false);
      });

      test('for a missing producer id', async () => {
        await expect(transport.consume({ producerId: '', rtpCapabilities })).rejects.toThrow(TypeError);
      });

      test('for RTP capabilities that can’t consume the producer', async () => {
        const sender = await RtpSender.create(mafaldaRouter, 'video');
        const { codecs } = rtpCapabilities;
        const audioOnly = { codecs: codecs!.filter(({ kind }) => kind === 'audio') };
        await expect(transport.consume({ producerId: sender.producer.id, rtpCapabilities: audioOnly })).rejects.toThrow(
          UnsupportedError,
        );
        const malformed = { codecs: 'VP8' } as unknown as RtpCapabilities;
        await expect(transport.consume({ producerId: sender.producer.id, rtpCapabilities: malformed })).rejects.toThrow(
          TypeError,
        );
        expect(await mafaldaRouter.canConsume({ producerId: sender.producer.id, rtpCapabilities: audioOnly })).toBe(
          false,
        );
        expect(await mafaldaRouter.canConsume({ producerId: sender.producer.id, rtpCapabilities })).toBe(true);
      });

      test('for a transport without addresses, and one that is closed', async () => {
        await expect(mafaldaRouter.createPlainTransport({})).rejects.toThrow(TypeError);
        const closed = await mafaldaRouter.createDirectTransport();
        closed.close();
        await expect(closed.produceData()).rejects.toThrow(Error);
        await expect(closed.consume({ producerId: 'nobody', rtpCapabilities })).rejects.toThrow(Error);
        await expect(closed.getStats()).rejects.toThrow(Error);
      });

      test('before anything is created', async () => {
        const unused = createSpreadRouter();
        const bad = { appData: 'not an object' } as object;
        await expect(unused.createWebRtcTransport({})).rejects.toThrow(TypeError);
        await expect(unused.createPipeTransport({})).rejects.toThrow(TypeError);
        await expect(unused.createDirectTransport(bad)).rejects.toThrow(/appData must be an object/);
        await expect(unused.createAudioLevelObserver({ maxEntries: 0 })).rejects.toThrow(
          /maxEntries must be a positive number/,
        );
        await expect(unused.createActiveSpeakerObserver({ interval: '1' } as object)).rejects.toThrow(TypeError);
        expect(unused.routers.size).toBe(0);
        const mediaCodecs = [{ kind: 'audio', mimeType: 'audio/none', clockRate: 1 }] as const;
        expect(() => system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs: [...mediaCodecs] } })).toThrow(
          UnsupportedError,
        );
        await unused.close();
      });

      test('for options of a MafaldaRouter that make no sense', () => {
        const { mafalda } = system;
        expect(() => mafalda.createMafaldaRouter({ maxWorkers: -1 })).toThrow(TypeError);
        expect(() => mafalda.createMafaldaRouter({ watermark: 50 } as object)).toThrow(/unknown option watermark/);
        expect(mafalda.createMafaldaRouter({ id: mafaldaRouter.id })).toBe(mafaldaRouter);
        expect(() => mafalda.createMafaldaRouter({ id: mafaldaRouter.id, routerOptions: {} })).toThrow(
          /different routerOptions/,
        );
      });
    });

    test('dump() tells all that is needed to make the same again', async () => {
      const mafaldaRouter = createSpreadRouter();
      const sender = await RtpSender.create(mafaldaRouter, 'video');
      await sender.producer.pause();
      await createReceivers(mafaldaRouter, sender.producer.id);
      const [source, sink] = [await mafaldaRouter.createDirectTransport(), await mafaldaRouter.createDirectTransport()];
      const producer = await source.produceData({ label: 'chat', appData: { from: 'Mafalda' } });
      await sink.consumeData({ dataProducerId: producer.id });
      const observer = await mafaldaRouter.createActiveSpeakerObserver();
      const audio = await RtpSender.create(mafaldaRouter, 'audio');
      await observer.addProducer({ producerId: audio.producer.id });
      const dump = await mafaldaRouter.dump();
      expect(dump).toEqual(JSON.parse(JSON.stringify(dump)));
      expect(dump.workers.map(({ id }) => id).sort()).toEqual([...mafaldaRouter.workers.keys()].sort());
      expect(dump.pipes.length).toBeGreaterThan(0);
      const inAll = (await system.mafalda.dump()).mafaldaRouters.find(({ id }) => id === mafaldaRouter.id);
      expect(shapeOf(inAll!)).toEqual(shapeOf(dump));
      await mafaldaRouter.close();

      const again = system.mafalda.createMafaldaRouter(dump.options);
      await rebuild(again, dump);
      expect(shapeOf(await again.dump())).toEqual(shapeOf(dump));
      await again.close();
    });

    test('objects are as mediasoup’s: observed before they are handed out, with state that is up to date', async () => {
      const mafaldaRouter = createSpreadRouter();
      const seen: string[] = [];
      mafaldaRouter.on('newrouter', router => router.observer.on('newtransport', ({ id }) => seen.push(id)));
      const listenInfos = [{ protocol: 'udp', ip: '127.0.0.1' }] as const;
      const appData = { peer: 'Felipe', self: {} };
      const transport = await mafaldaRouter.createWebRtcTransport({
        listenInfos: [...listenInfos],
        enableSctp: true,
        appData,
      });
      expect(seen).toEqual([transport.id]);
      expect(mafaldaRouter.transports.get(transport.id)).toBe(transport);
      expect(transport.appData).toBe(appData);
      expect(transport.iceCandidates).toHaveLength(1);
      expect(transport.dtlsState).toBe('new');
      expect(transport.sctpParameters).toBeDefined();
      const { usernameFragment } = transport.iceParameters;
      await transport.restartIce();
      expect(transport.iceParameters.usernameFragment).not.toBe(usernameFragment);
      expect((await transport.dump()).id).toBe(transport.id);
      expect(await transport.getStats()).toHaveLength(1);

      const sender = await RtpSender.create(mafaldaRouter, 'video', 'my-own-id');
      expect(sender.producer.id).toBe('my-own-id');
      const closed = once(sender.producer.observer, 'close');
      sender.producer.close();
      await closed;
      const usages = await mafaldaRouter.getResourceUsages();
      expect(Object.keys(usages).sort()).toEqual([...mafaldaRouter.workers.keys()].sort());
      await mafaldaRouter.close();
    });
  });
}

/** Which Worker a Transport is on, as a MafaldaRouter that is nobody's secret shows it. */
function workerOf(mafaldaRouter: MafaldaRouter, { id }: Transport): Worker {
  return (mafaldaRouter as PipeableMafaldaRouter).tree.nodeOf<'transport'>(mafaldaRouter.transports.get(id)!)!.parent!
    .parent!.object as Worker;
}

/** Resolves with so many messages. */
async function receive(consumer: DataConsumer, count: number): Promise<string[]> {
  const messages: string[] = [];
  return new Promise(resolve => {
    consumer.on('message', message => {
      messages.push(message.toString());
      if (messages.length === count) resolve(messages);
    });
  });
}

/** What is produced and consumed in pipes, as mediasoup itself tells it. */
async function countPiped(mafaldaRouter: MafaldaRouter): Promise<{ producers: number; consumers: number }> {
  const pipes = [...mafaldaRouter.transports.values()].filter(
    (transport): transport is PipeTransport => transport.type === 'pipe',
  );
  const dumps = await Promise.all(pipes.map(pipe => pipe.dump()));
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  return {
    producers: sum(dumps.map(dump => dump.producerIds.length)),
    consumers: sum(dumps.map(dump => dump.consumerIds.length)),
  };
}
