/** A look-up that is repeated costs the same in a large swarm as in a small one. On a network in memory, where requests can be counted. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { Wire } from '../../../../bench/swarm/wire.ts';
import { Dht } from '../../../../src/swarm/dht/dht.ts';
import { targetOfRoom } from '../../../../src/swarm/dht/record.ts';
import { Identity } from '../../../../src/swarm/identity.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();
const PEERS = 80;
const PORT = 4444;
/** Peers that keep a record, and others that are asked as well. */
const ASKED_AGAIN = 20 + 3;
const keys = [randomBytes(32)];
const target = targetOfRoom('room');
const wire = new Wire({ latency: { min: 1, max: 1 }, loss: 0, sealed: false, random: Math.random });

async function join(index: number, first?: Dht): Promise<Dht> {
  const host = `10.0.0.${index + 1}`;
  const bootstrap = first ? [`${first.address.host}:${PORT}`] : [];
  const identity = new Identity();
  const options = { bootstrap, keys, host, listenHost: host, port: PORT, identity, status: () => [] };
  const dht = opened(await Dht.open({ ...options, bind: wire.bind }));
  await dht.ready();
  return dht;
}

async function lookUp(dht: Dht): Promise<{ found: string[]; requests: number }> {
  const trace = wire.trace(dht.address.host, PORT, target);
  const found: string[] = [];
  for await (const { url } of dht.find(target)) found.push(url);
  trace.end();
  return { found: found.sort(), requests: trace.requests };
}

test('a room that is followed is looked up again at the peers that were closest, and new holders are found', async () => {
  const first = await join(0);
  const others = await Promise.all(Array.from({ length: PEERS - 1 }, (_, index) => join(index + 1, first)));
  const [holder, follower] = others as [Dht, Dht];
  holder.publish(target, 'ws://early.example/');
  await until('the holder is found', async () => (await lookUp(first)).found.length === 1);

  const before = await lookUp(follower);
  const stop = follower.watch(target);
  await until('it is found by one that follows it', async () => (await lookUp(follower)).found.length === 1);
  const again = await lookUp(follower);
  expect(again.found).toEqual(['ws://early.example/']);
  expect(before.requests).toBeGreaterThan(ASKED_AGAIN + 5);
  // A request that is slow on a busy machine is repeated, and others are asked meanwhile.
  expect(again.requests).toBeLessThan((ASKED_AGAIN + before.requests) / 2);

  const late = await join(PEERS, first);
  late.publish(target, 'ws://late.example/');
  await until('the new holder is found', async () => (await lookUp(follower)).found.length === 2);
  stop();
  expect((await lookUp(follower)).requests).toBeGreaterThan(ASKED_AGAIN + 5);
});
