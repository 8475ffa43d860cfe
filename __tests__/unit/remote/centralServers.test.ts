/** Several central servers stand for the same thing: one that is lost, or closes, takes nothing along that its clients have. */
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { Consumer, Producer, Transport } from 'mediasoup/types';
import {
  CallTimeoutError,
  RemoteMafaldaClient,
  type MafaldaRouter,
  type RemoteMafaldaServerOptions,
} from '../../../src/index.ts';
import { onceClosed } from '../../../src/core/onceClosed.ts';
import { Central, objectsAt } from '../../helpers/centralServers.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { inside } from '../../helpers/inside.ts';
import { mediaCodecs, opus } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

let media: Served[];
/** Central servers, and the doors by which the client reaches them. */
let centrals: [Central, Central];
let doors: [CutProxy, CutProxy];
let client: RemoteMafaldaClient;
let room: MafaldaRouter;

async function begin(options: Partial<RemoteMafaldaServerOptions> = {}): Promise<void> {
  media = [opened(await Served.create()), opened(await Served.create())];
  const nodes = media.map(({ url }) => url);
  centrals = [opened(await Central.create(nodes, options)), opened(await Central.create(nodes))];
  doors = [opened(await CutProxy.create(centrals[0].url)), opened(await CutProxy.create(centrals[1].url))];
  client = opened(new RemoteMafaldaClient(doors.map(({ url }) => url)));
  await untilConnected(client);
  room = client.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
}

/** From here on the client does not get through to any of these. */
async function shut(...shutDoors: CutProxy[]): Promise<void> {
  const disconnected = once(client, 'disconnected');
  for (const door of shutDoors) door.blocked = true;
  for (const door of shutDoors) door.cut();
  await disconnected;
}

/** The client gets through to this server again. */
async function open(door: CutProxy): Promise<void> {
  const connected = once(client, 'connected');
  door.blocked = false;
  await connected;
  // The answer comes when the client has found its objects.
  await client.listMafaldaRouters();
}

async function move(): Promise<void> {
  const connected = once(client, 'connected');
  await shut(doors[0]);
  await connected;
  await client.listMafaldaRouters();
}

const everywhere = (): string[] => media.flatMap(objectsAt).sort();

/** The object at the media server. */
function real<T extends { id: string }>({ id }: T): T {
  const nodes = media.flatMap(({ mafalda }) =>
    [...mafalda.mafaldaRouters.values()].map(inside).flatMap(({ tree }) => [...tree.nodes()]),
  );
  return nodes.find(node => node.id === id)!.object as unknown as T;
}

async function consumeIn(transport: Transport, { id: producerId }: Producer): Promise<Consumer> {
  return transport.consume({ producerId, rtpCapabilities: await room.getRtpCapabilities() });
}

describe('a client whose server is lost', () => {
  test('goes on at the next one with the same objects, which are no longer the first one’s', async () => {
    await begin({ sessionTimeout: 1500 });
    const [source, sink] = [await room.createDirectTransport(), await room.createDirectTransport()];
    const producer = await source.produce({ kind: 'audio', rtpParameters: opus(1111) });
    const consumer = await consumeIn(sink, producer);
    const before = everywhere();
    const told: string[] = [];
    for (const object of [source, sink, producer, consumer]) onceClosed(object, () => told.push('close'));
    client.on('disconnected', () => told.push('disconnected'));
    await move();
    expect([client.url, told]).toEqual([doors[1].url, ['disconnected']]);
    await consumer.pause();
    expect([consumer.paused, real(consumer).paused]).toEqual([true, true]);
    await until('the first one has given its client up', () => centrals[0].server.counts.clients === 0);
    expect(centrals[0].server.orphans).toEqual([]);
    expect([everywhere(), told]).toEqual([before, ['disconnected']]);
    await client.close();
    await until('what the client had is closed', () => everywhere().length === 0);
  });

  test('learns what has happened meanwhile, as if it had been there', async () => {
    await begin();
    const transport = await room.createDirectTransport();
    const other = await room.createDirectTransport();
    const producers = await Promise.all(
      [1, 2].map(ssrc => transport.produce({ kind: 'audio', rtpParameters: opus(ssrc) })),
    );
    const consumers = await Promise.all(producers.map(producer => consumeIn(transport, producer)));
    const told: string[] = [];
    for (const [index, consumer] of consumers.entries())
      for (const name of ['producerclose', 'producerpause'] as const)
        consumer.on(name, () => told.push(`${name} ${index}`));
    other.observer.on('close', () => told.push('close of the other'));
    room.transports.get(transport.id)!.observer.on('newproducer', ({ id }) => told.push(id));
    await shut(...doors);
    real(producers[0]!).close();
    await real(producers[1]!).pause();
    real(other).close();
    await real(transport).produce({ id: 'new', kind: 'audio', rtpParameters: opus(3) });
    expect(told).toEqual([]);
    await open(doors[1]);
    expect(told.sort()).toEqual(['close of the other', 'new', 'producerclose 0', 'producerpause 1']);
    expect([producers[0]!.closed, producers[1]!.closed, consumers[1]!.producerPaused]).toEqual([true, false, true]);
    expect(room.transports.size).toBe(1);
  });

  test('closes there what it has closed meanwhile, and hears its listeners’ events', async () => {
    await begin();
    const [kept, closed] = [await room.createDirectTransport(), await room.createDirectTransport()];
    const dataProducer = await kept.produceData();
    const dataConsumer = await kept.consumeData({ dataProducerId: dataProducer.id });
    await shut(...doors);
    closed.close();
    await open(doors[1]);
    await until('it is closed', () => everywhere().length === 3);
    expect(everywhere()).not.toContain(closed.id);
    const message = once(dataConsumer, 'message');
    dataProducer.send('hello');
    expect(String((await message)[0])).toBe('hello');
  });

  test('finds what the lost one has made without answering, and asks for the rest again', async () => {
    await begin();
    const transport = await room.createDirectTransport();
    const producer = await transport.produce({ kind: 'audio', rtpParameters: opus(1) });
    const rtpCapabilities = await room.getRtpCapabilities();
    doors[0].losing = 'answers';
    const calls = [
      transport.produce({ kind: 'audio', rtpParameters: opus(2) }),
      room.createDirectTransport({ appData: { name: 'late' } }),
      transport.consume({ producerId: producer.id, rtpCapabilities }),
      producer.pause(),
    ] as const;
    await until('they have been made', () => everywhere().length === 5 && real(producer).paused);
    const there = everywhere();
    await shut(doors[0]);
    const [produced, created, consumer] = await Promise.all(calls);
    expect(everywhere()).toEqual(there);
    expect(there).toEqual([transport, producer, produced, created, consumer].map(({ id }) => id).sort());
    expect([producer.paused, created.appData]).toEqual([true, { name: 'late' }]);
    await client.close();
    await until('all of it was the client’s own', () => everywhere().length === 0);
  });

  test('says of calls of which nothing can be seen that their outcome is unknown, and asks again what can be', async () => {
    await begin();
    const transport = await room.createDirectTransport();
    const producer = await transport.produce({ kind: 'audio', rtpParameters: opus(1) });
    doors[0].losing = 'requests';
    const calls = [room.createDirectTransport(), producer.pause(), transport.produceData({ id: 'data' })] as const;
    await until('they are on their way', () => doors[0].lost > 0);
    await shut(doors[0]);
    const [created, paused, produced] = await Promise.allSettled(calls);
    expect(created).toMatchObject({ reason: { method: 'createDirectTransport', outcome: 'unknown' } });
    expect((created as PromiseRejectedResult).reason).toBeInstanceOf(CallTimeoutError);
    expect([paused.status, real(producer).paused]).toEqual(['fulfilled', true]);
    expect(produced).toMatchObject({ value: { id: 'data', closed: false } });
    expect(everywhere()).toEqual([transport.id, producer.id, 'data'].sort());
  });

  test('goes on at the next one when its own is silent', async () => {
    await begin({ loadInterval: 400 });
    const transport = await room.createDirectTransport();
    const disconnected = once(client, 'disconnected');
    doors[0].losing = 'answers';
    expect(await disconnected).toEqual(['no sign of life']);
    expect([(await transport.dump()).id, client.url]).toEqual([transport.id, doors[1].url]);
  });

  test('keeps what the next one does not see yet, since it is not connected to all nodes', async () => {
    await begin();
    const late = opened(await CutProxy.create(media[1]!.url));
    const third = opened(await Central.create([media[0]!.url, late.url]));
    late.blocked = true;
    late.cut();
    const moving = opened(new RemoteMafaldaClient([doors[0].url, third.url]));
    await untilConnected(moving);
    const shared = moving.createMafaldaRouter({ id: 'shared', routerOptions: { mediaCodecs } });
    const transports = [await shared.createDirectTransport(), await shared.createDirectTransport()];
    expect(media.map(each => objectsAt(each).length)).toEqual([1, 1]);
    const connected = once(moving, 'connected');
    doors[0].blocked = true;
    doors[0].cut();
    await connected;
    await moving.listMafaldaRouters();
    expect(transports.map(({ closed }) => closed)).toEqual([false, false]);
    late.blocked = false;
    await until('it is seen', async () => {
      const dumps = await Promise.allSettled(transports.map(transport => transport.dump()));
      return dumps.every(({ status }) => status === 'fulfilled');
    });
    await moving.close();
    await until('it has been adopted, and so is closed', () => everywhere().length === 0);
  });
});

describe('a server that closes', () => {
  test('lets its clients move to the next one, without a call that fails', async () => {
    await begin();
    const transport = await room.createDirectTransport();
    const producer = await transport.produce({ kind: 'audio', rtpParameters: opus(1) });
    const told: string[] = [];
    for (const name of ['disconnected', 'lost', 'error'] as const) client.on(name, () => told.push(name));
    producer.observer.on('close', () => told.push('close'));
    const calls: Promise<unknown>[] = [];
    let isClosed = false;
    const closing = centrals[0].close().then(() => (isClosed = true));
    while (!isClosed && calls.length < 2000) {
      calls.push(
        room.createDirectTransport().then(each => each.produceData()),
        producer.pause(),
        producer.getStats(),
      );
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    await closing;
    await Promise.all(calls);
    expect([told, client.url]).toEqual([[], doors[1].url]);
    expect(everywhere()).toHaveLength(2 + (2 * calls.length) / 3);
    expect(media.flatMap(({ server }) => server.orphans)).toEqual([]);
    await client.close();
    await until('all is closed', () => everywhere().length === 0);
  });

  test('waits for no client that knows no other one', async () => {
    await begin();
    const single = opened(new RemoteMafaldaClient(centrals[0].url));
    const transport = await single.createMafaldaRouter().createDirectTransport();
    const lost = once(single, 'disconnected');
    await centrals[0].server.close();
    await lost;
    expect(objectsAt(media[0]!).concat(objectsAt(media[1]!))).not.toContain(transport.id);
  });
});

test('URLs are refused that are none, missing, or given twice', () => {
  expect(() => new RemoteMafaldaClient([])).toThrow(TypeError);
  expect(() => new RemoteMafaldaClient(['ws://one', 'ws://one'])).toThrow(/each URL must be given once/);
  expect(() => new RemoteMafaldaClient(['ws://one', 'ftp://two'])).toThrow(TypeError);
});
