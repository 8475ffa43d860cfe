/** A client that comes under a name ends what its predecessor has left, and only that. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { MafaldaHorizontal, RefusedError, RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

async function connected(url: string, name?: string): Promise<RemoteMafaldaClient> {
  const client = opened(new RemoteMafaldaClient(url, { name }));
  await untilConnected(client);
  return client;
}

/** A client that is cut off with what it has: objects in a MafaldaRouter that another client shares, and a port. */
async function cutOff() {
  const served = opened(await Served.create());
  const proxy = opened(await CutProxy.create(served.url));
  const [before, other] = [await connected(proxy.url, 'app'), await connected(served.url, 'another')];
  const stays = await other.createMafaldaRouter({ id: 'room' }).createDirectTransport();
  const left = await before.createMafaldaRouter({ id: 'room' }).createDirectTransport();
  const worker = await before.mediasoup.createWorker();
  const webRtcServer = await worker.createWebRtcServer({
    listenInfos: [{ protocol: 'udp', ip: '127.0.0.1', portRange: { min: 40_000, max: 49_999 } }],
  });
  const { udpSockets } = (await webRtcServer.dump()) as unknown as { udpSockets: { port: number }[] };
  proxy.blocked = true;
  proxy.cut();
  return { served, proxy, before, other, stays, left, port: udpSockets[0]!.port };
}

test('its objects close at once, and its ports are free, before the successor is let in', async () => {
  const { served, other, stays, left, port } = await cutOff();
  expect(served.mafalda.transports.has(left.id)).toBe(true);
  const after = await connected(served.url, 'app');
  expect([...served.mafalda.transports.keys()]).toEqual([stays.id]);
  expect([served.server.counts.clients, other.readyState, stays.closed]).toEqual([2, 4, false]);
  const worker = await after.mediasoup.createWorker();
  await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1', port }] });
});

test('of two that live the later one is served, and the other one does not come back', async () => {
  const { served, proxy, before } = await cutOff();
  const after = await connected(served.url, 'app');
  const refused = new Promise<Error>(resolve => before.once('error', resolve));
  proxy.blocked = false;
  expect(await refused).toMatchObject({ code: 'ERR_MAFALDA_REFUSED', permanent: true });

  const told = once(after, 'error') as Promise<[RefusedError]>;
  const again = await connected(served.url, 'app');
  const [error] = await told;
  expect([error instanceof RefusedError, error.permanent, error.reason.includes('"app"')]).toEqual([true, true, true]);
  await until('it is closed', () => after.readyState === 3);
  expect([before.readyState, again.readyState, served.server.counts.clients]).toEqual([3, 4, 2]);
  await expect(again.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
});

test('a MafaldaHorizontal gives its nodes its name, also where two URLs lead to the same one', async () => {
  const served = opened(await Served.create());
  const beside = opened(await CutProxy.create(served.url));
  const mafalda = opened(new MafaldaHorizontal([served.url, beside.url], { name: 'app' }));
  const errors: Error[] = [];
  mafalda.on('error', error => errors.push(error));
  await once(mafalda, 'connected');
  await mafalda.createMafaldaRouter({ id: 'room' }).createDirectTransport();
  await until('one of them is enough', () => mafalda.size === 1);
  expect(errors).toEqual([]);
  const successor = await connected(served.url, 'app');
  await until('the first one is refused', () => errors.length === 1);
  expect([served.mafalda.transports.size, successor.readyState]).toEqual([0, 4]);
});

test.each([[''], ['x'.repeat(201)], [5]])('the name %p is refused', name => {
  expect(() => new RemoteMafaldaClient('ws://127.0.0.1:1', { name: name as string })).toThrow(
    /name must be a string of 1 to 200/,
  );
});
