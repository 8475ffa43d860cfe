/** How much of the messages to a data channel waits to be sent: nothing is, before its SCTP association is there. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { PlainTransport } from 'mediasoup/types';
import { until } from '../helpers/until.ts';
import type { Scene } from './events.ts';

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const MESSAGE = Buffer.alloc(10_000, 'm');
const BUFFER_SIZE = 45_000;
const LOW = 5000;

export function describeDataBuffers(scene: Scene): void {
  test('buffered amounts: they grow, are full, and are low again when the other end takes the messages', async () => {
    const mafaldaRouter = scene.createSpreadRouter();
    const direct = await mafaldaRouter.createDirectTransport();
    const options = { listenInfo, enableSctp: true, sctpSendBufferSize: BUFFER_SIZE };
    const [near, far] = [
      await mafaldaRouter.createPlainTransport(options),
      await mafaldaRouter.createPlainTransport(options),
    ];
    const source = await direct.produceData();
    const consumer = await near.consumeData({ dataProducerId: source.id, ordered: true });
    const { streamId } = consumer.sctpStreamParameters!;
    const arriving = await far.produceData({ sctpStreamParameters: { streamId, ordered: true } });
    const received: Buffer[] = [];
    (await direct.consumeData({ dataProducerId: arriving.id })).on('message', message => received.push(message));

    await consumer.setBufferedAmountLowThreshold(LOW);
    expect(await consumer.getBufferedAmount()).toBe(0);
    let full = 0;
    consumer.on('sctpsendbufferfull', () => ++full);
    let sent = 0;
    let refused: unknown;
    while (refused === undefined && sent < 10) {
      refused = await consumer.send(MESSAGE).then(
        bufferedAmount => {
          expect(bufferedAmount).toBe(++sent * MESSAGE.length);
          return undefined;
        },
        (error: unknown) => error,
      );
    }
    expect(refused).toBeInstanceOf(Error);
    expect(sent * MESSAGE.length).toBeGreaterThanOrEqual(BUFFER_SIZE - MESSAGE.length);
    await until('it is told that the buffer is full', () => full === 1);
    expect(await consumer.getBufferedAmount()).toBe(sent * MESSAGE.length);

    const low = once(consumer, 'bufferedamountlow') as Promise<[number]>;
    await Promise.all([connect(near, far), connect(far, near)]);
    const [bufferedAmount] = await low;
    expect(bufferedAmount).toBeLessThanOrEqual(LOW);
    await until('all has arrived', () => received.length === sent);
    expect(received.every(message => message.equals(MESSAGE))).toBe(true);
    expect(await consumer.getBufferedAmount()).toBe(0);
    expect([near.sctpState, far.sctpState]).toEqual(['connected', 'connected']);
    await mafaldaRouter.close();
  });
}

async function connect(transport: PlainTransport, { tuple }: PlainTransport): Promise<void> {
  await transport.connect({ ip: '127.0.0.1', port: tuple.localPort });
}
