/** What one client may ask for: no more, and the others do not notice. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { DataProducer, Worker } from 'mediasoup/types';
import { LimitError, RemoteMafaldaClient, type RemoteMafaldaServerOptions } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

const opened = closingAfterEach();

async function connect(
  limits: RemoteMafaldaServerOptions['limits'],
): Promise<{ served: Served; client: RemoteMafaldaClient; expectOtherServed: () => Promise<void> }> {
  const served = opened(await Served.create({ limits }));
  const [client, other] = [opened(new RemoteMafaldaClient(served.url)), opened(new RemoteMafaldaClient(served.url))];
  await Promise.all([untilConnected(client), untilConnected(other)]);
  await other.createMafaldaRouter().createDirectTransport();
  const expectOtherServed = (): Promise<void> =>
    expect(other.createMafaldaRouter().createDirectTransport()).resolves.toMatchObject({ closed: false });
  return { served, client, expectOtherServed };
}

test('who sends more messages than it may is told so, and is cut off for a time', async () => {
  const { served, client, expectOtherServed } = await connect({ messagesPerSecond: 100 });
  const mafaldaRouter = client.createMafaldaRouter();
  const transport = await mafaldaRouter.createDirectTransport();
  const producer = await transport.produceData();
  const refused = new Promise<Error>(resolve => client.once('error', resolve));
  const closed = once(mafaldaRouter, 'close');
  for (let index = 0; index < 300; ++index) producer.send('x');
  const waiting = expect(transport.dump()).rejects.toThrow(/closed before the call was answered/);
  expect((await refused).message).toBe(`${served.url}: more than 100 messages per second`);
  await Promise.all([closed, waiting]);
  expect([client.readyState, client.transports.size]).toEqual([0, 0]);
  // It comes back after a time, with nothing.
  await untilConnected(client);
  expect(served.server.counts).toMatchObject({ clients: 2, mafaldaRouters: 1 });
  await expectOtherServed();
});

test('more calls at once than are allowed fail one by one, and the rest is made', async () => {
  const { client, expectOtherServed } = await connect({ pendingCalls: 5 });
  const mafaldaRouter = client.createMafaldaRouter();
  await mafaldaRouter.createDirectTransport();
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => mafaldaRouter.createDirectTransport()));
  const failed = results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []));
  // How many of them were over before others began is not ours to say.
  expect(failed.length).toBeGreaterThan(0);
  for (const error of failed) {
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({
      limit: 'pendingCalls',
      max: 5,
      message: expect.stringMatching(/^createDirectTransport\(\): 5 calls wait for their answers already/),
    });
  }
  expect(mafaldaRouter.transports.size).toBe(1 + results.length - failed.length);
  await mafaldaRouter.createDirectTransport();
  await expectOtherServed();
});

test('more objects than are allowed are not created until others are closed: the last quarter is for those that have less', async () => {
  const { served, client, expectOtherServed } = await connect({ objects: 40 });
  const mafaldaRouter = client.createMafaldaRouter();
  const transport = await mafaldaRouter.createDirectTransport();
  const full =
    /produceData\(\): the clients have \d+ objects here, this one \d+: close some of them \(limits\.objects of the server is 40\)/;
  const producers: DataProducer[] = [];
  const fill = async (): Promise<void> => {
    for (;;) producers.push(await transport.produceData());
  };
  await expect(fill()).rejects.toThrow(full);
  // A MafaldaRouter, a Worker and a Router too.
  expect(served.server.counts.objects + served.server.counts.mafaldaRouters).toBe(30);
  await expect(mafaldaRouter.createDirectTransport()).rejects.toMatchObject({
    name: 'LimitError',
    limit: 'objects',
    max: 40,
  });
  await expect(client.createMafaldaRouter().createDirectTransport()).rejects.toMatchObject({
    name: 'LimitError',
    limit: 'objects',
    max: 40,
  });
  await expect(transport.dump()).resolves.toBeDefined();
  await expectOtherServed();
  for (const producer of producers.splice(0, 5)) producer.close();
  await expect(transport.produceData()).resolves.toMatchObject({ closed: false });
});

test('several sessions have together no more than one', async () => {
  const served = opened(await Served.create({ limits: { objects: 30, workers: 2 } }));
  const [errors, workers] = [[] as unknown[], [] as Worker[]];
  for (let session = 0; session < 5; ++session) {
    const client = opened(new RemoteMafaldaClient(served.url));
    await untilConnected(client);
    const fill = async (): Promise<void> => {
      const transport = await client.createMafaldaRouter().createDirectTransport();
      for (;;) await transport.produceData();
    };
    for (const result of await Promise.allSettled([1, 2].map(() => client.mediasoup.createWorker()))) {
      if (result.status === 'fulfilled') workers.push(result.value);
      else errors.push(result.reason);
    }
    await fill().catch((error: unknown) => errors.push(error));
  }
  for (const error of errors) expect(error).toBeInstanceOf(LimitError);
  expect(workers).toHaveLength(2);
  // A call makes up to three objects.
  expect(served.server.counts.objects + served.server.counts.mafaldaRouters).toBeLessThanOrEqual(32);
});

test('more Workers of its own than are allowed are not started until others are closed', async () => {
  const { served, client, expectOtherServed } = await connect({ workers: 2 });
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => client.mediasoup.createWorker()));
  const workers = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  expect(workers).toHaveLength(2);
  expect(results).toContainEqual({
    status: 'rejected',
    reason: expect.objectContaining({
      message: expect.stringMatching(/the clients have 2 Workers of their own here, this one 2: close some of them/),
      limit: 'workers',
      max: 2,
    }),
  });
  const ended = once(workers[0]!, 'subprocessclose');
  workers[0]!.close();
  await ended;
  await expect(client.mediasoup.createWorker()).resolves.toMatchObject({ closed: false });
  await expectOtherServed();
  await client.close();
  expect(served.server.counts.clients).toBe(1);
});

const misspelt: object = { packets: 5 };

test.each([
  [{ messagesPerSecond: 0 }, /limits\.messagesPerSecond must be a positive integer/],
  [{ pendingCalls: 1.5 }, /limits\.pendingCalls must be/],
  [{ objects: '5' as unknown as number }, /limits\.objects must be/],
  [misspelt, /unknown option packets/],
])('limits %p are refused', async (limits, message) => {
  await expect(Served.create({ limits })).rejects.toThrow(message);
});

test.each([0, -1, NaN, '5', Infinity, 2 ** 31])(
  'a sessionTimeout of %p is refused, and so is a callTimeout',
  async value => {
    const wrong = value as number;
    await expect(Served.create({ sessionTimeout: wrong })).rejects.toThrow(
      /sessionTimeout must be a number of milliseconds/,
    );
    expect(() => new RemoteMafaldaClient('ws://127.0.0.1:9', { callTimeout: wrong })).toThrow(
      /callTimeout must be a number of milliseconds/,
    );
    expect(() => new RemoteMafaldaClient('ws://127.0.0.1:9', { sessionTimeout: wrong })).toThrow(
      /sessionTimeout must be a number of milliseconds/,
    );
  },
);
