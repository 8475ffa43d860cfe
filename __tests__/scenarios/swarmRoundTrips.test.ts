/**
 * Round trips that the DHT of a swarm adds to a consume, beside the same with a MafaldaHorizontal, which has a directory
 * that always knows. Each wire, and each datagram, is slow enough for them to be counted.
 */
import { afterAll, beforeAll, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer, type MafaldaApi } from '../../src/index.ts';
import { MafaldaSwarm } from '../../src/swarm/index.ts';
import { delayProxy } from '../helpers/delayProxy.ts';
import { mediaCodecs, opus } from '../helpers/rtp.ts';
import { slowDatagrams } from '../helpers/slowDatagrams.ts';
import { expectTrips, type CountTrips } from '../helpers/trips.ts';
import { until } from '../helpers/until.ts';

const DELAY_MS = 100;
const host = '127.0.0.1';
const key = randomBytes(32);
const closing: (() => unknown)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

beforeAll(() => void closing.push(slowDatagrams(DELAY_MS)));

function ownMafalda(): Mafalda {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  closing.push(() => mafalda.close());
  return mafalda;
}

async function join(bootstrap: string[]): Promise<MafaldaSwarm> {
  const own = ownMafalda();
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const proxy = await delayProxy(`ws://${host}:${(server.address() as AddressInfo).port}`, DELAY_MS);
  const options = { bootstrap, key, port: 0, url: proxy.url, host, server };
  const swarm = new MafaldaSwarm(own, options, { sampleInterval: 500 });
  closing.push(
    () => server.close(),
    () => proxy.close(),
    () => swarm.close(),
  );
  return swarm;
}

/** Counts what it takes an application to consume on its own machine what another one produces on another machine. */
async function countConsumes(count: CountTrips, from: MafaldaApi, to: MafaldaApi): Promise<void> {
  const options = { id: randomUUID(), routerOptions: { mediaCodecs } };
  const theirs = from.createMafaldaRouter(options);
  const source = await theirs.createDirectTransport();
  const first = await source.produce({ kind: 'audio', rtpParameters: opus(1) });
  const second = await source.produce({ kind: 'audio', rtpParameters: opus(2) });
  const ours = to.createMafaldaRouter(options);
  const consume = async (producerId: string): Promise<void> => {
    const transport = await ours.createDirectTransport();
    await transport.consume({ producerId, rtpCapabilities: await ours.getRtpCapabilities() });
  };
  await count('in a room that is new here', () => consume(first.id));
  await count('of a room whose peers are known', () => consume(second.id));
  await count('of a stream that is here', () => consume(second.id));
  await Promise.all([ours.close(), theirs.close()]);
}

test('by a MafaldaHorizontal with a machine of its own', async () => {
  const [served, own] = [ownMafalda(), ownMafalda()];
  const server = new RemoteMafaldaServer(served, { host, auth: false });
  await server.listen();
  const proxy = await delayProxy(server.url, DELAY_MS);
  const mafalda = new MafaldaHorizontal([own, proxy.url], { strategy: nodes => nodes.find(({ local }) => local) });
  closing.push(
    () => server.close(),
    () => proxy.close(),
    () => mafalda.close(),
  );
  await once(mafalda, 'connected');
  const expected = {
    // The node's word of its room may arrive before the controller asks.
    'in a room that is new here': [3, 4],
    'of a room whose peers are known': 1,
    'of a stream that is here': 0,
  } as const;
  await expectTrips(expected, 2 * DELAY_MS, count => countConsumes(count, served, mafalda));
});

test('by a peer: one more for a room that is unknown, and none once its peers are known', async () => {
  const speaking = await join([]);
  const listening = await join([await speaking.address()]);
  await until('they know each other', () => [speaking, listening].every(swarm => [...swarm.peers].length > 0));
  const expected = {
    // A peer that keeps the room's record for others has nothing to look up, and what holders tell may come before it asks.
    'in a room that is new here': [3, 5],
    'of a room whose peers are known': 1,
    'of a stream that is here': 0,
  } as const;
  await expectTrips(expected, 2 * DELAY_MS, count => countConsumes(count, speaking, listening));
});
