/**
 * Central servers and a database that may die: three media servers register themselves in Redis, two central servers find them there,
 * and an application uses these. While people talk, the central server that the application uses is killed, then Redis. Says what the
 * people have noticed. Ends by itself; with an exit code other than 0 if something did not go as it says.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { pickPort } from 'pick-port';
import { RemoteMafaldaClient, type MafaldaRouter, type MafaldaRouterOptions } from 'mafalda-horizontal';
import { RedisDirectory } from 'mafalda-horizontal/redis';
import { Person } from './person.ts';
import { hasRedis, Redis } from './redis.ts';
import { ServerProcess } from './serverProcess.ts';

const TIMEOUT_MS = 90_000;
/** How long people go on talking after each event. */
const TALK_MS = 1000;
/** How long packets may be under way. */
const STRAGGLERS_MS = 1000;

/** All of 127.0.0.0/8 is this machine: each server gets an address of its own, as if it were on one of its own. */
const REDIS = '127.0.6.200';
const MEDIA_SERVERS = ['127.0.6.1', '127.0.6.2', '127.0.6.3'];
const CENTRAL_SERVERS = ['127.0.6.101', '127.0.6.102'];

const token = randomUUID();
const room: MafaldaRouterOptions = {
  id: 'room',
  routerOptions: { mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] },
};
const servers: ServerProcess[] = [];
const clients: RemoteMafaldaClient[] = [];
const people: Person[] = [];

if (hasRedis()) await withRedis();
else console.log('The example is left out: it needs Debian’s redis-server, which `npm test` installs.');

async function withRedis(): Promise<void> {
  const redis = await Redis.start(REDIS, await pickPort({ type: 'tcp', ip: REDIS, reserveTimeout: 0 }));
  const timeout = setTimeout(() => {
    console.error(`not done after ${TIMEOUT_MS} ms`);
    void Promise.all([redis.close(), ...servers.map(server => server.kill())]).finally(() => process.exit(1));
  }, TIMEOUT_MS);
  try {
    await run(redis);
  } finally {
    clearTimeout(timeout);
    for (const person of people) person.leave();
    for (const client of clients) await client.close();
    // From above: no server loses another one that it still uses.
    for (const server of servers.reverse()) await server.kill('SIGTERM');
    await redis.close();
  }
}

async function run(redis: Redis): Promise<void> {
  await startServers('media', MEDIA_SERVERS, redis);
  await untilRegistered(redis);
  console.log(`${MEDIA_SERVERS.length} media servers have registered themselves in Redis.`);
  const centrals = await startServers('central', CENTRAL_SERVERS, redis);
  const client = connect(centrals);
  const mafaldaRouter = client.createMafaldaRouter(room);
  for (const name of ['Alice', 'Bob', 'Carol']) people.push(await Person.join(mafaldaRouter, name, people));
  for (const { name, address } of people) console.log(`${name} talks and listens on the media server ${address}.`);
  assert.ok(new Set(people.map(({ address }) => address)).size > 1, 'all people are on the same media server');

  const used = centrals.find(({ url }) => url === client.url)!;
  console.log(`\nThe application uses ${used.name}, which is killed:`);
  await watchPeople(async () => {
    const killed = used.kill();
    await showTime('the next call is answered', () => people[0]!.producer.getStats());
    await killed;
    assert.notEqual(client.url, used.url);
  });

  await used.start();
  console.log(`\n${used.name} is started again. Then Redis is killed, and stays away:`);
  await watchPeople(async () => {
    const killed = redis.kill();
    await showTime('the next call is answered', () => people[0]!.producer.getStats());
    await killed;
    await Promise.all(servers.map(server => server.hears('error')));
    console.log('  all servers say that they miss it');
    await showTime('Dora joins the room', () => join(mafaldaRouter, 'Dora'));
    // A central server that has never heard of the room, and has no connection to any media server yet.
    const other = connect([used]).createMafaldaRouter(room);
    await showTime(`Erin joins it by way of ${used.name}`, () => join(other, 'Erin'));
    const second = client.createMafaldaRouter({ ...room, id: 'second room' });
    await showTime('a second room is opened', () => second.createPlainTransport());
  });

  console.log('\nRedis is started again, and is empty:');
  await watchPeople(async () => {
    await redis.start();
    await showTime('all media servers are registered', () => untilRegistered(redis));
  });
}

async function startServers(kind: 'media' | 'central', addresses: string[], redis: Redis): Promise<ServerProcess[]> {
  const started = await Promise.all(
    addresses.map((address, index) => {
      const name = `${kind} server ${index + 1}`;
      return ServerProcess.start({ name, kind, address, redis: redis.url }, token);
    }),
  );
  servers.push(...started);
  return started;
}

function connect(centrals: ServerProcess[]): RemoteMafaldaClient {
  const urls = centrals.map(({ url }) => url);
  const client = new RemoteMafaldaClient(urls, { token });
  clients.push(client);
  return client;
}

async function join(mafaldaRouter: MafaldaRouter, name: string): Promise<void> {
  people.push(await Person.join(mafaldaRouter, name, people));
}

/** Resolves when Redis has a record of each media server. */
async function untilRegistered({ url }: Redis): Promise<void> {
  const directory = new RedisDirectory(url);
  try {
    while (directory.nodes.size < MEDIA_SERVERS.length) await once(directory, 'node');
  } finally {
    await directory.close();
  }
}

/** Says what those who are there have missed of each other while something happens, and whether they have lost anything. */
async function watchPeople(act: () => Promise<void>): Promise<void> {
  const before = people.map(person => ({ person, from: person.said }));
  const objects = people.flatMap(person => person.objects);
  await act();
  await pause(TALK_MS);
  const spoken = before.map(({ person, from }) => ({ person, from, to: person.said }));
  const heard = spoken.flatMap(({ person: listener }) =>
    spoken.filter(({ person }) => person !== listener).map(speaker => ({ ...speaker, listener })),
  );
  const countMissed = (): number =>
    heard.reduce((sum, { listener, person, from, to }) => sum + listener.missed(person, from, to), 0);
  const end = performance.now() + STRAGGLERS_MS;
  while (countMissed() > 0 && performance.now() < end) await pause(STRAGGLERS_MS / 100);

  const sent = heard.reduce((sum, { from, to }) => sum + to - from, 0);
  const missed = countMissed();
  const closed = objects.filter(object => object.closed).length;
  console.log(`  people miss ${missed} of ${sent} packets; ${closed} of ${objects.length} objects are closed`);
  assert.equal(missed, 0);
  assert.equal(closed, 0);
}

async function showTime(what: string, act: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await act();
  console.log(`  ${what} (after ${Math.round(performance.now() - start)} ms)`);
}
