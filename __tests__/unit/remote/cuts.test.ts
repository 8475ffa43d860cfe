import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { connectThroughProxy } from '../../helpers/cutProxy.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { seededRandom } from '../../helpers/random.ts';
import type { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

/** Ids of all DataProducers and Producers at the server. */
function producedAt({ mafalda }: Served): Promise<string[]> {
  const dumps = [...mafalda.transports.values()].map(async transport => {
    const { producerIds, dataProducerIds } = (await transport.dump()) as {
      producerIds: string[];
      dataProducerIds: string[];
    };
    return [...producerIds, ...dataProducerIds];
  });
  return Promise.all(dumps).then(lists => lists.flat());
}

describe('a connection that is cut', () => {
  test('is made again, and the session goes on', async () => {
    const { served, proxy, client } = await connectThroughProxy(opened);
    const mafaldaRouter = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const transport = await mafaldaRouter.createDirectTransport();
    const told: string[] = [];
    for (const name of ['open', 'connected'] as const) client.on(name, () => told.push(name));
    client.on('disconnected', () => told.push(`disconnected, readyState ${client.readyState}`));
    const connected = once(client, 'connected');
    proxy.cut();
    await connected;
    expect(told).toEqual(['disconnected, readyState 0', 'open', 'connected']);
    expect([client.readyState, transport.closed, mafaldaRouter.closed]).toEqual([4, false, false]);
    expect((await transport.dump()).id).toBe(transport.id);
    expect([proxy.connections, served.server.counts.clients]).toEqual([2, 1]);
  });

  test('hides nothing that happened meanwhile', async () => {
    const { served, proxy, client } = await connectThroughProxy(opened);
    const mafaldaRouter = client.createMafaldaRouter();
    const [one, other] = await Promise.all([
      mafaldaRouter.createDirectTransport(),
      mafaldaRouter.createDirectTransport(),
    ]);
    const told: string[] = [];
    one.observer.on('close', () => told.push('close of one'));
    mafaldaRouter.on('close', () => told.push('close of all'));
    other.on('routerclose', () => told.push('routerclose of other'));
    const disconnected = once(client, 'disconnected');
    proxy.cut();
    await disconnected;
    served.mafalda.transports.get(one.id)!.close();
    await served.mafalda.closeAllMafaldaRouters();
    expect(told).toEqual([]);
    await until('the client knows, and has told so', () => mafaldaRouter.closed && told.length >= 3);
    expect(told).toEqual(['close of one', 'routerclose of other', 'close of all']);
    expect(client.transports.size).toBe(0);
  });

  test.each([11, 12, 13])('doubles and loses no call (seed %i)', async seed => {
    const random = seededRandom(seed);
    const { served, proxy, client } = await connectThroughProxy(opened);
    const mafaldaRouter = client.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport();
    const calls: Promise<{ id: string; closed: boolean }>[] = [];
    const pauses: Promise<void>[] = [];
    for (let round = 0; round < 12; ++round) {
      for (let call = 0; call < 10; ++call) calls.push(transport.produceData({ label: `${round}-${call}` }));
      const producer = await calls.at(-1 - Math.floor(random() * 10));
      expect(producer?.closed).toBe(false);
      pauses.push((producer as unknown as { pause(): Promise<void> }).pause());
      // Somewhere in the middle of the calls, which by now are on their way to the server or back.
      for (let turn = Math.floor(random() * 6); turn > 0; --turn) await new Promise(resolve => setImmediate(resolve));
      proxy.cut();
    }
    const producers = await Promise.all(calls);
    await Promise.all(pauses);
    expect(new Set(producers.map(({ id }) => id)).size).toBe(120);
    expect((await producedAt(served)).sort()).toEqual(producers.map(({ id }) => id).sort());
    expect((await transport.dump()).dataProducerIds).toHaveLength(120);
    expect(proxy.connections).toBeGreaterThan(5);
    const paused = (producers as unknown as { paused: boolean }[]).filter(producer => producer.paused);
    expect(paused.length).toBeGreaterThan(0);
    await client.close();
    await served.untilEmpty();
  });

  test('loses and doubles no data message', async () => {
    const { proxy, client } = await connectThroughProxy(opened);
    const mafaldaRouter = client.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport();
    const producer = await transport.produceData();
    const consumer = await transport.consumeData({ dataProducerId: producer.id });
    const received: number[] = [];
    consumer.on('message', message => received.push(Number(message.toString())));
    for (let index = 0; index < 300; ++index) {
      producer.send(String(index));
      if (index % 60 === 30) {
        const disconnected = once(client, 'disconnected');
        proxy.cut();
        await disconnected;
        if (index % 120 === 30) await once(client, 'connected');
        else await until('it is connected again', () => client.readyState === 4);
      }
    }
    await until('all have arrived', () => received.length >= 300);
    expect(received).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  test('makes close() no slower than a goodbye that nobody hears', async () => {
    const { served, proxy, client } = await connectThroughProxy(opened);
    await client.createMafaldaRouter().createDirectTransport();
    const disconnected = once(client, 'disconnected');
    proxy.blocked = true;
    proxy.cut();
    await disconnected;
    const waiting = client.getResourceUsages();
    const failed = expect(waiting).rejects.toThrow(/closed before the call was answered/);
    await client.close();
    await failed;
    expect([client.readyState, client.transports.size, client.mafaldaRouters.size]).toEqual([3, 0, 0]);
    expect(served.server.counts.clients).toBe(1);
  });

  test('does not keep the goodbye of close() from the server, if it is made again at once', async () => {
    const { served, proxy, client } = await connectThroughProxy(opened);
    await client.createMafaldaRouter().createDirectTransport();
    const disconnected = once(client, 'disconnected');
    proxy.cut();
    await disconnected;
    await client.close();
    await served.untilEmpty();
  });
});

describe('a client that sends too much', () => {
  test('at once, loses its session, and gets another one', async () => {
    const { client } = await connectThroughProxy(opened);
    const transport = await client.createMafaldaRouter().createDirectTransport();
    const producer = await transport.produceData();
    const closed = once(transport.observer, 'close');
    for (let index = 0; index <= 20_000; ++index) producer.send('x');
    await closed;
    await until('it is connected again', () => client.readyState === 4);
    await expect(client.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
  });

  test('in one message, gets an error for that one', async () => {
    const { proxy, client } = await connectThroughProxy(opened);
    const mafaldaRouter = client.createMafaldaRouter();
    const first = await mafaldaRouter.createDirectTransport();
    const tooLarge = first.produceData({ label: 'x'.repeat(1_100_000) });
    const repeated = once(client, 'connected')
      .then(() => once(client, 'connected'))
      .then(() => 'the connection was lost again and again');
    await expect(Promise.race([tooLarge, repeated])).rejects.toThrow(/large|bytes/);
    const transport = await mafaldaRouter.createDirectTransport();
    const producer = await transport.produceData();
    expect(() => producer.send(Buffer.alloc(2_000_000))).toThrow(RangeError);
    producer.send(Buffer.alloc(900_000));
    expect(proxy.connections).toBeLessThanOrEqual(2);
  });
});
