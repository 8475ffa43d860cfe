/**
 * Objects that close since their server is lost, or has closed them, or with a large MafaldaRouter, end in turns with
 * other work.
 */
import { expect, test } from '@jest/globals';
import type { DataProducer, DirectTransport } from 'mediasoup/types';
import { once } from 'node:events';
import { ClosedError, RemoteMafaldaClient } from '../../../../src/index.ts';
import type { RemoteMafaldaRouter } from '../../../../src/remote/client/remoteMafaldaRouter.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../../helpers/serve.ts';
import { until } from '../../../helpers/until.ts';

const PRODUCERS = 5;
/** A MafaldaRouter with more objects than this closes in turns. */
const LARGE = 1000;
const TRANSPORTS = 3;

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

/** Works until the present turn is over, on a busy machine too. */
function endTurn(): void {
  const until = performance.now() + 30;
  while (performance.now() < until);
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
      endTurn();
    });
  }
  transport.on('routerclose', () => told.push('transport'));
  room.on('close', () => told.push('room'));
  client.on('connected', () => told.push('connected'));
  client.on('newmafaldarouter', () => told.push('new room'));
  return { served, client, room, transport, producers, told };
}

/** Returns what was told in the present turn: a Producer, or nothing if the turn was over already. */
function toldAtOnce(told: readonly string[]): string[] {
  expect(told.length).toBeLessThan(2);
  return [...told];
}

const all = [...Array.from({ length: PRODUCERS }, () => 'producer'), 'transport', 'room'];

test('what is lost with a session is closed at once, tells so in turns, and is shown anew after that', async () => {
  const { client, room, transport, producers, told } = await seen();
  expect(producers).toHaveLength(PRODUCERS);
  client.signs!.giveUp();
  const atOnce = toldAtOnce(told);
  expect([room.closed, transport.closed]).toEqual([true, true]);
  expect(producers.filter(({ closed }) => !closed)).toEqual([]);
  await expect(transport.produceData()).rejects.toThrow('closed');
  await expect(room.createDirectTransport()).rejects.toThrow(ClosedError);
  const again = client.createMafaldaRouter({ id: 'room' });
  expect(again).not.toBe(room);
  await again.createDirectTransport();
  expect(told).toEqual([...atOnce, 'new room', ...all.slice(atOnce.length), 'connected']);
  expect(client.mafaldaRouters.get('room')).toBe(again);
  expect(again.transports.size).toBe(2);
  expect(client.transports.get(transport.id)).toBe(again.transports.get(transport.id));
  expect(again.transports.get(transport.id)).toMatchObject({ closed: false });
  expect(room.transports.size).toBe(0);
});

test('a client that is opened again shows nothing before what it has left has ended', async () => {
  const { served, client, room, transport, told } = await seen();
  client.disconnect();
  const atOnce = toldAtOnce(told);
  expect([room.closed, transport.closed]).toEqual([true, true]);
  client.open(served.url);
  const again = client.createMafaldaRouter({ id: 'room' });
  await (again as RemoteMafaldaRouter).attach();
  expect(told).toEqual([...atOnce, 'new room', ...all.slice(atOnce.length), 'connected']);
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

interface Large {
  readonly served: Served;
  readonly client: RemoteMafaldaClient;
  readonly room: RemoteMafaldaRouter;
  readonly transports: readonly DirectTransport[];
}

/** A large room that a client has made. */
async function large(): Promise<Large> {
  const served = opened(await Served.create());
  const client = opened(new RemoteMafaldaClient(served.url));
  await untilConnected(client);
  const room = client.createMafaldaRouter({ id: 'room' }) as RemoteMafaldaRouter;
  const transports: DirectTransport[] = [];
  while (transports.length < TRANSPORTS) transports.push(await room.createDirectTransport());
  for (let made = 0; made <= LARGE; made += TRANSPORTS)
    await Promise.all(transports.map(transport => transport.produceData()));
  return { served, client, room, transports };
}

/** Notes each turn of the event loop until it is told to stop. */
function noteTurns(told: string[]): () => void {
  let next = setImmediate(function note() {
    if (told.at(-1) !== 'turn') told.push('turn');
    next = setImmediate(note);
  });
  return () => clearImmediate(next);
}

test('a large room that its client closes is closed at once, and tells so in turns', async () => {
  const { served, client, room, transports } = await large();
  const told: string[] = [];
  for (const transport of transports) {
    transport.on('routerclose', () => {
      told.push('transport');
      endTurn();
    });
  }
  room.on('close', () => told.push('room'));
  await new Promise(resolve => setImmediate(resolve));
  const stop = noteTurns(told);
  const closed = room.close();
  expect([room.closed, ...transports.map(transport => transport.closed)]).toEqual([true, true, true, true]);
  await expect(transports[0]!.produceData()).rejects.toThrow('closed');
  const again = client.createMafaldaRouter({ id: 'room' });
  await again.createDirectTransport();
  await closed;
  stop();
  expect(told.filter(what => what === 'transport')).toHaveLength(TRANSPORTS);
  expect(told.filter(what => what !== 'room').join()).toMatch(/transport(,turn)+,transport(,turn)+,transport/);
  expect([room.transports.size, again.transports.size, client.transports.size]).toEqual([0, 1, 1]);
  await again.close();
  await client.close();
  await served.untilEmpty();
});

test('a large room that a client closes ends in turns at its server, and at once for the others', async () => {
  const { served, client, room } = await large();
  const other = opened(new RemoteMafaldaClient(served.url));
  await untilConnected(other);
  const seenByOther = other.createMafaldaRouter({ id: 'room' }) as RemoteMafaldaRouter;
  await seenByOther.attach();
  expect(seenByOther.transports.size).toBe(TRANSPORTS);
  const toldOther: string[] = [];
  for (const transport of seenByOther.transports.values())
    transport.on('routerclose', () => toldOther.push('transport'));
  seenByOther.on('close', () => toldOther.push('room'));
  const told: string[] = [];
  const there = served.mafalda.mafaldaRouters.get('room')!;
  there.on('close', () => told.push('room'));
  for (const transport of there.transports.values()) {
    transport.observer.on('close', () => {
      told.push('transport');
      endTurn();
    });
  }
  const stop = noteTurns(told);
  await room.close();
  stop();
  expect(told.join()).toMatch(/room,(turn,)?transport,turn,transport,turn,transport/);
  await until('the other client has heard of it', () => toldOther.includes('room'));
  expect(toldOther).toEqual(['transport', 'transport', 'transport', 'room']);
  await Promise.all([client.close(), other.close()]);
  await served.untilEmpty();
});

test('a large room that an application of the server uses too closes there as with mediasoup', async () => {
  const { served, client, room } = await large();
  const told: string[] = [];
  const there = served.mafalda.createMafaldaRouter({ id: 'room' });
  for (const transport of there.transports.values()) transport.on('routerclose', () => told.push('transport'));
  await room.close();
  expect(told).toHaveLength(TRANSPORTS);
  await client.close();
  await served.untilEmpty();
});
