/** What one Router delivers, a pipe delivers: large messages, and many at once. */
import { expect, test } from '@jest/globals';
import type { DataConsumer, DataProducer, DirectTransport, Router } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import { createInEveryPlace } from '../helpers/spread.ts';
import { until } from '../helpers/until.ts';
import type { Scene } from './events.ts';

/** More than mediasoup's own default. */
const LARGE = 600_000;
const sizes = { maxSendMessageSize: LARGE, maxReceiveMessageSize: LARGE };
const DEFAULT_MAX = 262_144;
/** Far more than it takes, on a machine that has other work. */
const DELIVERED_WITHIN_MS = 60_000;

export function describeDataBursts(scene: Scene): void {
  test.each([
    [400, 10_000],
    [20, 200_000],
    [3, LARGE],
  ])('%i messages of %i bytes at once arrive elsewhere, all and in order', async (count, size) => {
    const { mafaldaRouter, producer, consumer } = await acrossAPipe(scene);
    const numbers: number[] = [];
    consumer.on('message', message => void numbers.push(message.length === size ? message.readUInt32BE(0) : NaN));
    for (let number = 0; number < count; ++number) {
      const message = Buffer.alloc(size);
      message.writeUInt32BE(number);
      producer.send(message);
    }
    await until('all have arrived', () => numbers.length >= count, DELIVERED_WITHIN_MS).catch(() => undefined);
    expect(numbers).toEqual(Array.from({ length: count }, (_, number) => number));
    await mafaldaRouter.close();
  });

  test('the largest message that mediasoup takes arrives elsewhere, also where it is meant for subchannels', async () => {
    const { mafaldaRouter, producer, consumer } = await acrossAPipe(scene);
    await consumer.setSubchannels([1, 2]);
    const lengths: number[] = [];
    consumer.on('message', message => lengths.push(message.length));
    producer.send(Buffer.alloc(DEFAULT_MAX), undefined, [2, 3], 1);
    await until('it has arrived', () => lengths.length > 0);
    expect(lengths).toEqual([DEFAULT_MAX]);
    await mafaldaRouter.close();
  });
}

interface AcrossAPipe {
  mafaldaRouter: MafaldaRouter;
  producer: DataProducer;
  consumer: DataConsumer;
}

/** Transports with room for large messages, in different Routers. */
async function acrossAPipe(scene: Scene): Promise<AcrossAPipe> {
  const mafaldaRouter = scene.createSpreadRouter();
  const transports = await createInEveryPlace(mafaldaRouter, scene.places, () =>
    mafaldaRouter.createDirectTransport(sizes),
  );
  const source = transports[0]!;
  const sink = transports.find(other => routerOf(mafaldaRouter, other) !== routerOf(mafaldaRouter, source));
  if (!sink) throw new Error('all transports are in one Router');
  const producer = await source.produceData();
  return { mafaldaRouter, producer, consumer: await sink.consumeData({ dataProducerId: producer.id }) };
}

function routerOf(mafaldaRouter: MafaldaRouter, transport: DirectTransport): Router | undefined {
  const router = (mafaldaRouter as PipeableMafaldaRouter).tree.nodeOf<'transport'>(transport)?.parent;
  return router?.type === 'router' ? router.object : undefined;
}
