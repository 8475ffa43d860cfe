/** A stream ends everywhere in the moment in which the application closes it, whatever copies of it there are, and wherever. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { NotFoundError } from 'mediasoup/errors';
import type {
  Consumer,
  DataConsumer,
  DataProducer,
  DirectTransport,
  Producer,
  RtpCapabilities,
  Transport,
} from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import { opus } from '../helpers/rtp.ts';
import { createInEveryPlace } from '../helpers/spread.ts';
import { until } from '../helpers/until.ts';
import type { Scene } from './events.ts';

type Kind = 'audio' | 'data';
const kinds = ['audio', 'data'] as const;

export function describeEndings(scene: Scene): void {
  describe('the end of a stream', () => {
    test.each(kinds)('is known at once: nobody gets what the application has closed (%s)', async kind => {
      const room = await Room.create(scene);
      const { transports, mafaldaRouter, rtpCapabilities } = room;
      for (const transport of transports) {
        const stream = await room.produce(kind, transport);
        await Promise.all(transports.map(sink => room.consume(kind, sink, stream.id)));
        stream.close();
        const refused = await Promise.allSettled(transports.map(sink => room.consume(kind, sink, stream.id)));
        const expected = new NotFoundError(
          `${kind === 'data' ? 'DataProducer' : 'Producer'} with id "${stream.id}" not found`,
        );
        expect(refused).toEqual(transports.map(() => ({ status: 'rejected', reason: expected })));
        expect(await mafaldaRouter.canConsume({ producerId: stream.id, rtpCapabilities })).toBe(false);
        const observer = await mafaldaRouter.createAudioLevelObserver();
        await expect(observer.addProducer({ producerId: stream.id })).rejects.toThrow(NotFoundError);
      }
      await mafaldaRouter.close();
    });

    test.each(kinds)('frees its id, which a living one does not (%s)', async kind => {
      const room = await Room.create(scene);
      const { transports } = room;
      for (const [index, transport] of transports.entries()) {
        const stream = await room.produce(kind, transport, 'microphone');
        await Promise.all(transports.map(sink => room.consume(kind, sink, 'microphone')));
        for (const other of transports)
          await expect(room.produce(kind, other, 'microphone')).rejects.toThrow(TypeError);
        stream.close();
        const next = await room.produce(kind, transports[(index + 1) % transports.length]!, 'microphone');
        const consumers = await Promise.all(transports.map(sink => room.consume(kind, sink, 'microphone')));
        const closed = consumers.map(consumer =>
          once(consumer, kind === 'data' ? 'dataproducerclose' : 'producerclose'),
        );
        expect(consumers.filter(consumer => consumer.closed)).toEqual([]);
        next.close();
        await Promise.all(closed);
      }
      await room.mafaldaRouter.close();
    });

    test.each(['the producer', 'its transport', 'the transport of the consumer'] as const)(
      'while it is being consumed: %s closes, and the caller hears what mediasoup says',
      async what => {
        const room = await Room.create(scene);
        const { transports, mafaldaRouter } = room;
        const outcomes: Promise<void>[] = [];
        for (let round = 0; round < 24; ++round) {
          const [kind, transport] = [kinds[round % 2]!, transports[round % transports.length]!];
          const [source, sink] = await Promise.all([
            mafaldaRouter.createDirectTransport(),
            mafaldaRouter.createDirectTransport(),
          ]);
          const stream = await room.produce(kind, what === 'the producer' ? transport : source);
          outcomes.push(settle(room.consume(kind, sink, stream.id)));
          // At different moments: before anything is sent, and after each step that a process makes until it has an answer.
          for (let turn = 0; turn < round / 2; ++turn) await new Promise(resolve => setImmediate(resolve));
          (what === 'the producer' ? stream : what === 'its transport' ? source : sink).close();
        }
        await Promise.all(outcomes);
        await mafaldaRouter.close();
      },
    );

    test('does not concern objects that are kept in appData', async () => {
      const mafaldaRouter = scene.createSpreadRouter();
      const gone = await mafaldaRouter.createDirectTransport();
      gone.close();
      const transport = await mafaldaRouter.createDirectTransport({ appData: { gone, list: [gone] } });
      expect(transport.appData).toEqual({ gone, list: [gone] });
      await mafaldaRouter.close();
    });

    test('dump() tells the ids that the application has given, though other rooms have the same ones', async () => {
      const rooms = [await Room.create(scene), await Room.create(scene)];
      for (const { mafaldaRouter, transports, rtpCapabilities } of rooms) {
        const source = transports[0]!;
        const producer = await source.produce({ id: 'microphone', kind: 'audio', rtpParameters: opus(1234) });
        const dataProducer = await source.produceData({ id: 'chat', label: 'chat' });
        const consumers = await Promise.all(
          transports.map(sink => sink.consume({ producerId: 'microphone', rtpCapabilities })),
        );
        const dataConsumers = await Promise.all(transports.map(sink => sink.consumeData({ dataProducerId: 'chat' })));
        const observers = await createObservers(mafaldaRouter, scene.places);
        for (const observer of observers) await observer.addProducer({ producerId: 'microphone' });
        expect([(await producer.dump()).id, (await dataProducer.dump()).id]).toEqual(['microphone', 'chat']);
        expect(await source.dump()).toMatchObject({ producerIds: ['microphone'], dataProducerIds: ['chat'] });
        for (const dump of await Promise.all(consumers.map(consumer => consumer.dump())))
          expect(dump.producerId).toBe('microphone');
        for (const dump of await Promise.all(dataConsumers.map(consumer => consumer.dump())))
          expect(dump.dataProducerId).toBe('chat');
        for (const router of mafaldaRouter.routers.values()) {
          const dump = await router.dump();
          expect(dump.mapProducerIdConsumerIds.map(({ key }) => key)).toEqual(['microphone']);
          expect(new Set(dump.mapConsumerIdProducerId.map(({ value }) => value))).toEqual(new Set(['microphone']));
          expect(dump.mapProducerIdObserverIds.map(({ key }) => key)).toEqual(['microphone']);
          expect(dump.mapDataProducerIdDataConsumerIds.map(({ key }) => key)).toEqual(['chat']);
          expect(new Set(dump.mapDataConsumerIdDataProducerId.map(({ value }) => value))).toEqual(new Set(['chat']));
        }
      }
      await Promise.all(rooms.map(({ mafaldaRouter }) => mafaldaRouter.close()));
    });
  });
}

/** mediasoup either has nothing to consume any more, or the consumer closes right after it was made. */
async function settle(consuming: Promise<Consumer | DataConsumer>): Promise<void> {
  let consumer: Consumer | DataConsumer;
  try {
    consumer = await consuming;
  } catch (error) {
    expect(error).toBeInstanceOf(NotFoundError);
    return;
  }
  await until('the consumer closes', () => consumer.closed);
}

async function createObservers(mafaldaRouter: MafaldaRouter, places: number) {
  const observers = [];
  const covered = (): number => [...mafaldaRouter.rtpObservers.values()].length;
  while (covered() < 4 * places) observers.push(await mafaldaRouter.createAudioLevelObserver());
  return observers;
}

/** A MafaldaRouter with a DirectTransport in each place at least. */
class Room {
  readonly mafaldaRouter: MafaldaRouter;
  readonly transports: DirectTransport[];
  readonly rtpCapabilities: RtpCapabilities;
  #nextSsrc = 1;

  static async create(scene: Scene): Promise<Room> {
    const { places } = scene;
    const mafaldaRouter = scene.createSpreadRouter();
    const transports = await createInEveryPlace(
      mafaldaRouter,
      places,
      () => mafaldaRouter.createDirectTransport(),
      places + 1,
    );
    return new Room(mafaldaRouter, transports, await mafaldaRouter.getRtpCapabilities());
  }

  private constructor(mafaldaRouter: MafaldaRouter, transports: DirectTransport[], rtpCapabilities: RtpCapabilities) {
    this.mafaldaRouter = mafaldaRouter;
    this.transports = transports;
    this.rtpCapabilities = rtpCapabilities;
  }

  produce(kind: Kind, transport: Transport, id?: string): Promise<Producer | DataProducer> {
    if (kind === 'data') return transport.produceData({ id, label: 'chat' });
    return transport.produce({ id, kind, rtpParameters: opus(this.#nextSsrc++) });
  }

  consume(kind: Kind, transport: Transport, id: string): Promise<Consumer | DataConsumer> {
    if (kind === 'data') return transport.consumeData({ dataProducerId: id });
    return transport.consume({ producerId: id, rtpCapabilities: this.rtpCapabilities });
  }
}
