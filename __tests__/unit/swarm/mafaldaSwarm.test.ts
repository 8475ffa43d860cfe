/** Peers of a swarm use each other, as far as they trust each other. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import { Mafalda } from '../../../src/index.ts';
import { MafaldaSwarm, type MafaldaSwarmOptions } from '../../../src/swarm/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const key = randomBytes(32);
const host = '127.0.0.1';
const timing = { sampleInterval: 100, lookupInterval: 1000 };

async function join(first?: MafaldaSwarm, options: Partial<MafaldaSwarmOptions> = {}): Promise<MafaldaSwarm> {
  const own = opened(new Mafalda(mediasoup, { workerBudget: false }));
  const server = createServer().listen(0, host);
  opened({ close: () => void server.close() });
  await once(server, 'listening');
  const url = `ws://${host}:${(server.address() as AddressInfo).port}/`;
  const bootstrap = first ? [await first.address()] : [];
  const swarm = opened(new MafaldaSwarm(own, { bootstrap, key, port: 0, url, host, server, ...options }, timing));
  await once(swarm, 'connected');
  return swarm;
}

const urlsOf = (swarm: MafaldaSwarm): string[] => [...swarm.peers].map(({ url }) => url).sort();

/** Makes something of one peer's application on the machine of another. */
async function useOf(swarm: MafaldaSwarm, { url }: MafaldaSwarm): Promise<void> {
  const transport = await swarm.createMafaldaRouter().createDirectTransport({ placement: { node: url } });
  transport.close();
}

test('peers know each other by one address, and hear of those who come and go', async () => {
  const first = await join();
  const joined = once(first, 'peerjoined');
  const second = await join(first);
  expect((await joined)[0]).toMatchObject({ url: second.url, draining: false });
  const third = await join(second);
  await until('all know all', () => [first, second, third].every(swarm => urlsOf(swarm).length === 2));
  const left = once(first, 'peerleft');
  await third.close();
  expect((await left)[0]).toMatchObject({ url: third.url });
  await until('it is gone everywhere', () => urlsOf(second).join() === first.url);
});

test('a room of two applications is one room, on the machines where it is used', async () => {
  const first = await join();
  const [second, third] = [await join(first), await join(first)];
  const options = { id: 'room', routerOptions: { mediaCodecs } };
  const speaker = await first.createMafaldaRouter(options).createDirectTransport();
  const producer = await speaker.produceData();
  const room = second.createMafaldaRouter(options);
  const listener = await room.createDirectTransport();
  const consumer = await listener.consumeData({ dataProducerId: producer.id });
  const heard = once(consumer, 'message');
  producer.send('hello');
  expect(String((await heard)[0])).toBe('hello');
  // The third peer has no part in it.
  expect([...third.routers]).toEqual([]);
  const states = await third.listMafaldaRouters();
  expect(states.map(({ id }) => id)).toEqual([]);
  const closed = once(consumer, 'dataproducerclose');
  producer.close();
  await closed;
});

test('a process with another key, and a peer that is revoked, get nothing', async () => {
  const first = await join();
  const second = await join(first);
  const address = await first.address();
  const stranger = await join(undefined, { key: randomBytes(32), bootstrap: [address] });
  expect(urlsOf(stranger)).toEqual([]);
  stranger.add(first.url);
  const [{ error }] = (await once(stranger, 'connecterror')) as [{ error: Error }];
  expect(error.message).toContain('unauthorized');

  const strict = await join(first, { revoked: [second.id] });
  await until('they know each other', () => urlsOf(second).includes(strict.url));
  await expect(useOf(second, strict)).rejects.toThrow('unauthorized');
  await until('the first knows it', () => urlsOf(first).includes(strict.url));
  await useOf(first, strict);
});

test('a port that is taken is an error', async () => {
  const first = await join();
  const [, port] = (await first.address()).split(':');
  const own = opened(new Mafalda(mediasoup, { workerBudget: false }));
  const server = createServer();
  const second = opened(
    new MafaldaSwarm(own, { bootstrap: [], key, port: Number(port), url: 'ws://127.0.0.1:1/', host, server }, timing),
  );
  server.listen(0, host);
  opened({ close: () => void server.close() });
  const [error] = (await once(second, 'error')) as [Error & { code: string }];
  expect(error.code).toBe('EADDRINUSE');
});

test('options that the server refuses leave no socket behind', async () => {
  const first = await join();
  const [, port] = (await first.address()).split(':');
  await first.close();
  const own = opened(new Mafalda(mediasoup, { workerBudget: false }));
  const options = { bootstrap: [], key, port: Number(port), url: 'ws://127.0.0.1:1/', host, server: createServer() };
  expect(() => new MafaldaSwarm(own, { ...options, region: 'x'.repeat(300) }, timing)).toThrow('200 characters');
  await until(
    'the port is free again',
    () =>
      new Promise<boolean>(resolve => {
        const tried = createSocket('udp4');
        tried.once('error', () => resolve(false));
        tried.bind(Number(port), host, () => tried.close(() => resolve(true)));
      }),
  );
});

test('what an application has in a room on its own machine stays when the peer leaves that was there first', async () => {
  const first = await join();
  const second = await join(first);
  await until('they know each other', () => urlsOf(first).includes(second.url));
  const options = { id: 'room', routerOptions: { mediaCodecs } };
  await first.createMafaldaRouter(options).createDirectTransport({ placement: { node: second.url } });
  const room = second.createMafaldaRouter(options) as PipeableMafaldaRouter;
  const transport = await room.createDirectTransport();
  await room.attach();
  expect(room.transports.size).toBe(2);
  await first.close();
  await until('the other one’s has gone', () => room.transports.size === 1);
  expect([transport.closed, room.closed]).toEqual([false, false]);
});
