/** What a client gets is about what it is attached to, however much else there is on its server. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { RemoteMafaldaClient, type MafaldaRouter } from '../../../src/index.ts';
import { BareClient } from '../../helpers/bareClient.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { objectIn } from '../../helpers/mirrored.ts';
import { mediaCodecs, opus } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { tcpProxy } from '../../helpers/tcpProxy.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const ROOMS = 200;

/** The same life in each: of what is made, some stays, and all of it tells of something. */
async function live(mafaldaRouter: MafaldaRouter): Promise<void> {
  const transport = await mafaldaRouter.createDirectTransport({ appData: { room: mafaldaRouter.id } });
  const [producer, short] = await Promise.all([transport.produceData({ label: 'stays' }), transport.produceData()]);
  const consumer = await transport.consumeData({ dataProducerId: producer.id });
  await producer.pause();
  await producer.resume();
  await consumer.pause();
  short.close();
}

/** Bytes and messages of one life, as they reach a client that is attached to `room-0`, and to nothing else. */
async function measure(rooms: number): Promise<{ bytes: number; messages: number }> {
  const served = await Served.create({ loadInterval: 60_000 });
  try {
    const others = new RemoteMafaldaClient(served.url);
    await untilConnected(others);
    // On a busy machine a second Worker would be used, of which a client is told too.
    const mafaldaRouters = Array.from({ length: rooms }, (_, index) =>
      others.createMafaldaRouter({ id: `room-${index}`, watermarkWorker: 10_000 }),
    );
    for (const mafaldaRouter of mafaldaRouters) await mafaldaRouter.createDirectTransport();
    const client = await BareClient.connect(served.url, '');
    await client.result(0, 'createMafaldaRouter', [{ id: 'room-0' }]);
    const [before, messages] = [client.bytes - client.loadBytes, client.received];
    for (const mafaldaRouter of mafaldaRouters) await live(mafaldaRouter);
    // Whatever else there is to be told has been told when this is answered.
    await client.call('room-0', 'dump');
    const result = { bytes: client.bytes - client.loadBytes - before, messages: client.received - messages };
    expect(served.mafalda.mafaldaRouters.size).toBe(rooms);
    await client.close();
    await others.close();
    return result;
  } finally {
    await served.close();
  }
}

test(`a client attached to one of ${ROOMS} MafaldaRouters gets the traffic of that one`, async () => {
  const alone = await measure(1);
  const among = await measure(ROOMS);
  expect(alone.messages).toBeGreaterThan(5);
  expect(among.messages).toBe(alone.messages);
  // Ids and handles have other lengths, and a ping may have come in between.
  expect(Math.abs(among.bytes - alone.bytes)).toBeLessThan(alone.bytes / 10);
});

test('messages of data go to who listens, and cost the others nothing', async () => {
  const served = opened(await Served.create());
  const client = opened(new RemoteMafaldaClient(served.url));
  const mafaldaRouter = client.createMafaldaRouter({ id: 'room' });
  const transport = await mafaldaRouter.createDirectTransport();
  const producer = await transport.produceData();
  const consumer = await transport.consumeData({ dataProducerId: producer.id });
  const watcher = opened(await BareClient.connect(served.url, ''));
  await watcher.result(0, 'createMafaldaRouter', [{ id: 'room' }]);
  const before = watcher.received;
  let heard = 0;
  consumer.on('message', () => ++heard);
  for (let index = 0; index < 500; ++index) producer.send('x'.repeat(100));
  await until('all are heard', () => heard === 500);
  await watcher.call(0, 'nothing');
  expect(watcher.received).toBe(before + 1);
  // Who has made it, and does not listen any more, is not told either.
  consumer.removeAllListeners('message');
  const inside = objectIn(served.mafalda.mafaldaRouters.get('room')!, 'dataConsumer', consumer.id);
  await until('nobody listens', () => inside.listenerCount('message') === 0);
  const again = once(consumer, 'message');
  await until('somebody listens', () => inside.listenerCount('message') === 1);
  producer.send('y');
  expect(String((await again)[0])).toBe('y');
});

test('RTP capabilities go over the wire once, however often they are given', async () => {
  const served = opened(await Served.create());
  let bytes = 0;
  const proxy = opened(
    await tcpProxy(served.url, (from, to, isFromServer) => {
      if (!isFromServer) from.on('data', chunk => (bytes += chunk.length));
      from.pipe(to);
    }),
  );
  const client = opened(new RemoteMafaldaClient(proxy.url));
  const mafaldaRouter = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const transport = await mafaldaRouter.createDirectTransport();
  const { id: producerId } = await transport.produce({ kind: 'audio', rtpParameters: opus(1) });
  const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
  const cost = async (): Promise<number> => {
    const before = bytes;
    const consumer = await transport.consume({ producerId, rtpCapabilities: structuredClone(rtpCapabilities) });
    expect(consumer.rtpParameters.codecs).toHaveLength(1);
    return bytes - before;
  };
  const first = await cost();
  expect(first).toBeGreaterThan(JSON.stringify(rtpCapabilities).length);
  expect(Math.max(await cost(), await cost())).toBeLessThan(first / 4);
});
