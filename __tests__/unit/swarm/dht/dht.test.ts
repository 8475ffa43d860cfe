/** Peers find each other's rooms in the DHT, over real sockets. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { Dht } from '../../../../src/swarm/dht/dht.ts';
import { targetOfRoom, type SwarmRecord } from '../../../../src/swarm/dht/record.ts';
import { Identity } from '../../../../src/swarm/identity.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { slowDatagrams } from '../../../helpers/slowDatagrams.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();
const key = randomBytes(32);
const host = '127.0.0.1';
const target = targetOfRoom('room');
const name = target.toString('base64url');

const url = 'ws://peer.example/';

async function open(bootstrap: Dht[] = [], keys = [key]): Promise<Dht> {
  const dht = opened(
    await Dht.open({
      bootstrap: bootstrap.map(({ address }) => `${host}:${address.port}`),
      keys,
      host,
      listenHost: host,
      port: 0,
      identity: new Identity(),
      status: () => [{ url, serverId: 'server', labels: {}, load: 7, draining: false }],
    }),
  );
  // A peer whose bootstraps are strangers waits for them in vain.
  if (keys[0] === key) await dht.ready();
  return dht;
}

async function swarm(size: number): Promise<[Dht, ...Dht[]]> {
  const first = await open();
  return [first, ...(await Promise.all(Array.from({ length: size - 1 }, () => open([first]))))];
}

async function portsOf(dht: Dht): Promise<number[]> {
  const ports: number[] = [];
  for await (const { address } of dht.find(target)) ports.push(address.port);
  return ports.sort();
}

const ports = (...peers: (Dht | undefined)[]): number[] => peers.map(peer => peer!.address.port).sort();

test('a peer that publishes is found by all others, until it takes that back', async () => {
  const peers = await swarm(8);
  peers[3]!.publish(target, url);
  peers[5]!.publish(target, url);
  await until('both are found', async () => (await portsOf(peers[7]!)).length === 2);
  for (const peer of [peers[0], peers[1]!, peers[7]!]) expect(await portsOf(peer)).toEqual(ports(peers[3], peers[5]));
  await peers[3]!.withdraw(target, url);
  expect(await portsOf(peers[7]!)).toEqual(ports(peers[5]));
  await peers[5]!.close();
  expect(await portsOf(peers[7]!)).toEqual([]);
});

test('a peer that holds the room, or watches it, hears at once of another one', async () => {
  const [first, holder, watcher, late] = await swarm(4);
  const stop = watcher!.watch(target);
  const heard = (peer: Dht): Promise<[string, SwarmRecord]> => once(peer, 'record') as Promise<[string, SwarmRecord]>;
  const byWatcher = heard(watcher!);
  holder!.publish(target, url);
  expect((await byWatcher)[1].address.port).toBe(holder!.address.port);
  await until('the holder is found', async () => (await portsOf(first)).length === 1);
  const byHolder = heard(holder!);
  late!.publish(target, url);
  const [of, record] = await byHolder;
  expect(of).toBe(name);
  expect(record.address.port).toBe(late!.address.port);
  stop();
});

test('a peer tells its status to those who ask', async () => {
  const [first, second] = await swarm(2);
  expect(await first.statusOf(second!.address)).toMatchObject({ servers: [{ url, load: 7 }] });
});

test('a peer that is far away is asked for long enough', async () => {
  const [near, far] = [await open(), await open()];
  const stop = slowDatagrams(300);
  try {
    expect(await near.statusOf(far.address)).toMatchObject({ servers: [{ url, load: 7 }] });
  } finally {
    stop();
  }
});

test('a stranger learns nothing, and nothing is learnt of it', async () => {
  const peers = await swarm(3);
  peers[1]!.publish(target, url);
  await until('the holder is found', async () => (await portsOf(peers[2]!)).length === 1);
  const stranger = await open(peers, [randomBytes(32)]);
  expect(await stranger.statusOf(peers[1]!.address)).toBeUndefined();
  expect(stranger.peers).toEqual([]);
  for (const peer of peers) expect(peer.peers.map(({ port }) => port)).not.toContain(stranger.address.port);
});

test('a port that is taken is an error', async () => {
  const first = await open();
  const { port } = first.address;
  await expect(
    Dht.open({
      bootstrap: [],
      keys: [key],
      host,
      listenHost: host,
      port,
      identity: new Identity(),
      status: () => [],
    }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
