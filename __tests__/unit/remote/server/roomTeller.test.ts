import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { HeldRooms, HeldRoomsEvents } from '../../../../src/core/heldRooms.ts';
import type { ServerMessage } from '../../../../src/remote/protocol/messages.ts';
import type { Member } from '../../../../src/remote/server/exportedObject.ts';
import { RoomTeller } from '../../../../src/remote/server/roomTeller.ts';
import type { SendableTree } from '../../../../src/remote/server/treeSender.ts';

class Rooms extends EnhancedEventEmitter<HeldRoomsEvents> implements HeldRooms {
  readonly ids = new Set<string>();
  known = Promise.resolve();

  get size(): number {
    return this.ids.size;
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.ids.values();
  }

  hold(id: string): void {
    this.ids.add(id);
    this.emit('held', id);
  }

  release(id: string): void {
    this.ids.delete(id);
    this.emit('released', id);
  }
}

class Client implements Member {
  readonly connected = true;
  readonly messages: ServerMessage[] = [];
  /** Sends the whole list at once. */
  readonly sender = {
    send: async (tree: SendableTree): Promise<void> => {
      while (tree.sendNext(this));
    },
  };

  send(message: ServerMessage): void {
    this.messages.push(message);
  }

  count(): void {
    throw new Error('nothing is shown');
  }
}

let rooms: Rooms;
let teller: RoomTeller;

beforeEach(() => {
  jest.useFakeTimers();
  rooms = new Rooms();
  teller = new RoomTeller(() => rooms);
});

afterEach(() => void jest.useRealTimers());

async function follower(): Promise<Client> {
  const client = new Client();
  teller.add(client, client.sender);
  await rooms.known;
  await Promise.resolve();
  return client;
}

test('a follower gets a list, and then what has changed: a burst as one message', async () => {
  rooms.hold('a');
  const client = await follower();
  expect(client.messages.splice(0)).toEqual([{ type: 'heldRooms', ids: ['a'], isFirst: true, isLast: true }]);
  rooms.hold('b');
  rooms.hold('c');
  rooms.release('a');
  // A room that has come and gone in the meantime is told as gone, since it may have been known before.
  rooms.hold('d');
  rooms.release('d');
  expect(client.messages).toEqual([]);
  jest.runAllTimers();
  expect(client.messages.splice(0)).toEqual([
    { type: 'held', ids: ['b', 'c'] },
    { type: 'released', ids: ['a', 'd'] },
  ]);
  jest.runAllTimers();
  expect(client.messages).toEqual([]);
});

test('a long list comes in parts, and so does a long burst', async () => {
  for (let room = 0; room < 1100; ++room) rooms.hold(`room ${room}`);
  const client = await follower();
  const parts = client.messages.splice(0) as Extract<ServerMessage, { type: 'heldRooms' }>[];
  expect(parts.map(({ ids, isFirst, isLast }) => [ids.length, isFirst, isLast])).toEqual([
    [500, true, false],
    [500, false, false],
    [100, false, true],
  ]);
  expect(parts.flatMap(({ ids }) => ids)).toEqual([...rooms]);
  for (let room = 0; room < 1100; ++room) rooms.release(`room ${room}`);
  jest.runAllTimers();
  expect(client.messages.map(message => message.type === 'released' && message.ids.length)).toEqual([500, 500, 100]);
});

test('long ids come in more parts', async () => {
  for (let room = 0; room < 40; ++room) rooms.hold(`${room}`.padStart(2000, '0'));
  const client = await follower();
  const parts = client.messages as Extract<ServerMessage, { type: 'heldRooms' }>[];
  expect(parts.map(({ ids }) => ids.length)).toEqual([17, 17, 6]);
});

test('what comes and goes while a list is sent is in it, or is told beside it', async () => {
  for (let room = 0; room < 600; ++room) rooms.hold(`room ${room}`);
  const client = new Client();
  teller.add(client, { send: async () => undefined });
  await rooms.known;
  await Promise.resolve();
  teller.sendNext(client);
  rooms.release('room 599');
  rooms.hold('later');
  while (teller.sendNext(client));
  const [, last] = client.messages as Extract<ServerMessage, { type: 'heldRooms' }>[];
  expect([last?.ids.includes('room 599'), last?.ids.includes('later'), last?.isLast]).toEqual([false, true, true]);
});

test('a follower gets a list once more for what it has missed; one that has not asked gets nothing', async () => {
  const [client, stranger] = [await follower(), new Client()];
  client.messages.length = 0;
  rooms.hold('a');
  await Promise.all([teller.list(client), teller.list(stranger)]);
  jest.runAllTimers();
  expect(client.messages.map(({ type }) => type)).toEqual(['heldRooms', 'held']);
  expect(stranger.messages).toEqual([]);
});

test('without followers nothing is followed, and no timer is left', async () => {
  const client = await follower();
  rooms.hold('a');
  teller.delete(client);
  expect([rooms.listenerCount('held'), rooms.listenerCount('released'), jest.getTimerCount()]).toEqual([0, 0, 0]);
  const again = await follower();
  expect(again.messages).toEqual([{ type: 'heldRooms', ids: ['a'], isFirst: true, isLast: true }]);
  expect(client.messages).toHaveLength(1);
});

test('the list waits for nodes that have not told theirs', async () => {
  let tellAll!: () => void;
  rooms.known = new Promise(resolve => (tellAll = resolve));
  const client = new Client();
  teller.add(client, client.sender);
  await Promise.resolve();
  expect(client.messages).toEqual([]);
  rooms.hold('a');
  tellAll();
  await rooms.known;
  await Promise.resolve();
  expect(client.messages).toEqual([{ type: 'heldRooms', ids: ['a'], isFirst: true, isLast: true }]);
});

test('a client that asks again and again before anything is known waits once, and gets one list', async () => {
  let tellAll!: () => void;
  rooms.known = new Promise(resolve => (tellAll = resolve));
  const then = jest.spyOn(rooms.known, 'then');
  const client = new Client();
  for (let asked = 0; asked < 1000; ++asked) teller.add(client, client.sender);
  expect(then).toHaveBeenCalledTimes(1);
  rooms.hold('a');
  tellAll();
  await rooms.known;
  await Promise.resolve();
  expect(client.messages).toEqual([{ type: 'heldRooms', ids: ['a'], isFirst: true, isLast: true }]);
  // Later it may ask once more.
  teller.add(client, client.sender);
  await rooms.known;
  await Promise.resolve();
  expect(client.messages).toHaveLength(2);
});
