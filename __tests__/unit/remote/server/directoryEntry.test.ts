/** A server writes itself into a directory. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaClient, RemoteMafaldaServer } from '../../../../src/index.ts';
import { MemoryStore, type MemoryDirectory } from '../../../helpers/memoryDirectory.ts';
import { until } from '../../../helpers/until.ts';

const publicUrl = 'wss://media-1.example:4443';

let mafalda: Mafalda;
let directory: MemoryDirectory;
const store = new MemoryStore();

beforeAll(() => {
  mafalda = new Mafalda(mediasoup, { workerBudget: false });
  directory = store.open();
});

afterAll(async () => {
  await directory.close();
  await mafalda.close();
});

const holdersOf = (roomId: string): string[] => [...(store.holders.get(roomId) ?? [])];

test('a server is in the directory while it listens, with what it says of itself', async () => {
  const options = { auth: false, host: '127.0.0.1', region: 'eu', labels: { disk: 'fast' } } as const;
  const server = new RemoteMafaldaServer(mafalda, { ...options, directory, publicUrl });
  expect(store.nodes.size).toBe(0);
  await server.listen();
  const client = new RemoteMafaldaClient(server.url);
  await once(client, 'connected');
  expect([...store.nodes.values()]).toEqual([
    {
      url: publicUrl,
      serverId: client.serverId,
      region: 'eu',
      labels: { disk: 'fast' },
      load: expect.any(Number),
      draining: false,
    },
  ]);
  await client.close();
  await server.close();
  expect(store.nodes.size).toBe(0);
});

test('it holds the rooms of clients and of the application beside it, those before its start too', async () => {
  const own = mafalda.createMafaldaRouter({ id: 'own' });
  await own.createDirectTransport();
  const options = { auth: false, host: '127.0.0.1', loadInterval: 100, directory, publicUrl } as const;
  const server = new RemoteMafaldaServer(mafalda, options);
  await server.listen();
  const client = new RemoteMafaldaClient(server.url);
  const theirs = client.createMafaldaRouter({ id: 'theirs' });
  await theirs.createDirectTransport();
  expect([holdersOf('own'), holdersOf('theirs')]).toEqual([[publicUrl], [publicUrl]]);

  await theirs.close();
  await until('the room is released', () => holdersOf('theirs').length === 0);
  await server.close();
  expect(holdersOf('own')).toEqual([]);
  await own.close();
  const late = mafalda.createMafaldaRouter({ id: 'late' });
  await late.createDirectTransport();
  expect(holdersOf('late')).toEqual([]);
  await Promise.all([late.close(), client.close()]);
});

test('its load is told as it is reported', async () => {
  const options = { auth: false, host: '127.0.0.1', loadInterval: 100, directory, publicUrl } as const;
  const server = new RemoteMafaldaServer(mafalda, options);
  const loads = new Set<number>();
  directory.on('node', ({ load }) => loads.add(load));
  await server.listen();
  const room = mafalda.createMafaldaRouter();
  for (let index = 0; index < 20; ++index) await room.createDirectTransport();
  await until('another load is told', () => loads.size > 1);
  await room.close();
  await server.close();
});

test.each([
  [{ directory: {} }, 'directory'],
  [{ publicUrl }, 'directory'],
  [{ publicUrl: undefined, directory: true }, 'publicUrl'],
  [{ publicUrl: 'media-1', directory: true }, 'publicUrl'],
  [{ publicUrl: 'wss://user:secret@media-1.example', directory: true }, /^(?!.*secret)/],
  [{ publicUrl, directory: true, region: 'x'.repeat(201) }, 'region'],
])('options %j are refused', ({ directory: given, ...options }: Record<string, unknown>, message) => {
  const all = { auth: false, ...options, directory: given === true ? directory : given } as const;
  expect(() => new RemoteMafaldaServer(mafalda, all as never)).toThrow(message);
  expect(() => new RemoteMafaldaServer(mafalda, all as never)).toThrow(TypeError);
});
