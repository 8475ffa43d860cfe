/** Objects that close since their server is lost, or has closed them, may be many, and end in turns with other work. */
import { expect, test } from '@jest/globals';
import type { DataProducer, DirectTransport } from 'mediasoup/types';
import { once } from 'node:events';
import { ClosedError, RemoteMafaldaClient } from '../../../src/index.ts';
import type { RemoteMafaldaRouter } from '../../../src/remote/client/remoteMafaldaRouter.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

const PRODUCERS = 5;

const opened = closingAfterEach();

interface Seen {
  readonly served: Served;
  readonly client: RemoteMafaldaClient;
  readonly room: RemoteMafaldaRouter;
  readonly transport: DirectTransport;
  readonly producers: readonly DataProducer[];
  /** Messages that the client has been told, in order. */
  readonly told: string[];
}

/** A room of the server's own, as a client sees it whose application takes long for each Producer that ends. */
async function seen(): Promise<Seen> {
  const served = opened(await Served.create());
  const made = await served.mafalda.createMafaldaRouter({ id: 'room' }).createDirectTransport();
  for (let producer = 0; producer < PRODUCERS; ++producer) await made.produceData();
  const client = opened(new RemoteMafaldaClient(served.url));
  await untilConnected(client);
  const room = client.createMafaldaRouter({ id: 'room' }) as RemoteMafaldaRouter;
  await room.attach();
  const transport = room.transports.get(made.id) as DirectTransport;
  const producers = [...room.tree.nodes()].flatMap(({ type, object }) => (type === 'dataProducer' ? object : []));
  const told: string[] = [];
  for (const producer of producers) {
    producer.on('transportclose', () => {
      told.push('producer');
      // The turn is over when this returns, on a busy machine too.
      const until = performance.now() + 30;
      while (performance.now() < until);
    });
  }
  transport.on('routerclose', () => told.push('transport'));
  room.on('close', () => told.push('room'));
  client.on('connected', () => told.push('connected'));
  client.on('newmafaldarouter', () => told.push('new room'));
  return { served, client, room, transport, producers, told };
}

const all = [...Array.from({ length: PRODUCERS }, () => 'producer'), 'transport', 'room'];

test('what is lost with a session is closed at once, tells so in turns, and is shown anew after that', async () => {
  const { client, room, transport, producers, told } = await seen();
  expect(producers).toHaveLength(PRODUCERS);
  client.signs!.giveUp();
  expect([told, room.closed, transport.closed]).toEqual([['producer'], true, true]);
  expect(producers.filter(({ closed }) => !closed)).toEqual([]);
  await expect(transport.produceData()).rejects.toThrow('closed');
  await expect(room.createDirectTransport()).rejects.toThrow(ClosedError);
  const again = client.createMafaldaRouter({ id: 'room' });
  expect(again).not.toBe(room);
  await again.createDirectTransport();
  expect(told).toEqual(['producer', 'new room', ...all.slice(1), 'connected']);
  expect(client.mafaldaRouters.get('room')).toBe(again);
  expect(again.transports.size).toBe(2);
  expect(client.transports.get(transport.id)).toBe(again.transports.get(transport.id));
  expect(again.transports.get(transport.id)).toMatchObject({ closed: false });
  expect(room.transports.size).toBe(0);
});

test('a client that is opened again shows nothing before what it has left has ended', async () => {
  const { served, client, room, transport, told } = await seen();
  client.disconnect();
  expect([told, room.closed, transport.closed]).toEqual([['producer'], true, true]);
  client.open(served.url);
  const again = client.createMafaldaRouter({ id: 'room' });
  await (again as RemoteMafaldaRouter).attach();
  expect(told).toEqual(['producer', 'new room', ...all.slice(1), 'connected']);
  expect(again.transports.has(transport.id)).toBe(true);
});

test('a room that its server closes is closed at once, tells so in turns, and what comes next waits for it', async () => {
  const { served, client, room, transport, told } = await seen();
  const other = client.createMafaldaRouter({ id: 'other' });
  await other.createDirectTransport();
  other.on('newrouter', () => told.push('new router'));
  const closed = once(room, 'close');
  const first = new Promise<void>(resolve => transport.observer.once('close', resolve));
  await served.mafalda.mafaldaRouters.get('room')!.close();
  await other.createDirectTransport();
  expect(told).toEqual(['new room', ...all]);
  await Promise.all([first, closed]);
});

test('a client that is closed while what it has lost ends waits for that', async () => {
  const { client, room, told } = await seen();
  client.signs!.giveUp();
  await client.close();
  expect([told, room.closed, client.mafaldaRouters.size]).toEqual([all, true, 0]);
});
