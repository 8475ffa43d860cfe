/** Operators ask at a server's port, over real sockets. */
import { expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer } from '../../../../src/index.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { httpUrl } from '../../../helpers/http.ts';
import { Served } from '../../../helpers/serve.ts';

const opened = closingAfterEach();

async function get(url: string, path: string, init?: RequestInit): Promise<[status: number, text: string]> {
  const response = await fetch(httpUrl(url, path), init);
  return [response.status, await response.text()];
}

/** An address of this machine by which a request does not come from the loopback address. */
const outside = Object.values(networkInterfaces())
  .flatMap(addresses => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

test('a server that can be used is healthy and ready; other requests are refused as before', async () => {
  const { url } = opened(await Served.create());
  expect(await get(url, '/healthz')).toEqual([200, 'ok\n']);
  expect(await get(url, '/readyz?verbose')).toEqual([200, 'ready\n']);
  expect(await get(url, '/healthz', { method: 'HEAD' })).toEqual([200, '']);
  expect((await get(url, '/healthz', { method: 'POST' }))[0]).toBe(405);
  expect((await get(url, '/'))[0]).toBe(426);
  expect((await get(url, '/metrics/more'))[0]).toBe(426);
});

test('a server is not ready while it is being drained, and says why to this machine', async () => {
  const { url, server } = opened(await Served.create());
  await server.drain({ deadline: 0 });
  expect(await get(url, '/readyz')).toEqual([503, 'not ready: the server is being drained\n']);
  expect((await get(url, '/healthz'))[0]).toBe(200);
  server.undrain();
  expect((await get(url, '/readyz'))[0]).toBe(200);
});

test('a central server is ready while one of its nodes can be used', async () => {
  const node = await Served.create();
  const mafalda = opened(new MafaldaHorizontal([node.url]));
  await once(mafalda, 'connected');
  const central = opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false }));
  await central.listen();
  expect((await get(central.url, '/readyz'))[0]).toBe(200);
  const disconnected = once(mafalda, 'nodedisconnected');
  await node.close();
  await disconnected;
  expect(await get(central.url, '/readyz')).toEqual([503, 'not ready: none of the nodes can be used\n']);
});

test('metrics are for this machine alone, which a proxy does not stand for', async () => {
  const { url, server } = opened(await Served.create({ host: undefined }));
  expect((await get(url, '/metrics'))[0]).toBe(200);
  const [status, text] = await get(url, '/metrics', { headers: { 'x-forwarded-for': '203.0.113.7' } });
  expect([status, text]).toEqual([403, expect.stringContaining('metricsToken')]);
  expect(await get(url, '/readyz', { headers: { forwarded: 'for=203.0.113.7' } })).toEqual([200, 'ready\n']);
  if (outside === undefined) return;
  const fromOutside = url.replace('127.0.0.1', outside);
  expect((await get(fromOutside, '/metrics'))[0]).toBe(403);
  await server.drain({ deadline: 0 });
  expect(await get(fromOutside, '/readyz')).toEqual([503, 'not ready\n']);
});

test('with a token, metrics are for all who show it, and for nobody else', async () => {
  const { url } = opened(
    await Served.create({ host: undefined, auth: 'of the clients', metricsToken: 'of the operator' }),
  );
  const shown = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
  expect((await get(url, '/metrics'))[0]).toBe(401);
  expect((await get(url, '/metrics', shown('of the clients')))[0]).toBe(401);
  expect((await get(url, '/metrics', shown('of the operator')))[0]).toBe(200);
  if (outside !== undefined)
    expect((await get(url.replace('127.0.0.1', outside), '/metrics', shown('of the operator')))[0]).toBe(200);
});

test('an empty token, which an environment variable that is not set may give, is refused', () => {
  const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false }));
  expect(() => new RemoteMafaldaServer(mafalda, { auth: false, metricsToken: '' })).toThrow(/metricsToken/);
});

test('a server that is given answers its own requests, and passes on what it wants to', async () => {
  const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false }));
  const http: Server = createServer((request, response) => {
    if (!server.handleRequest(request, response)) response.end('the application’s own page');
  });
  const server = opened(new RemoteMafaldaServer(mafalda, { auth: false, server: http }));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  opened({ close: () => http.close() });
  await server.listen();
  expect(await get(server.url, '/healthz')).toEqual([200, 'ok\n']);
  expect(await get(server.url, '/page')).toEqual([200, 'the application’s own page']);
  await server.close();
  expect(await get(server.url, '/readyz')).toEqual([503, expect.stringContaining('does not listen')]);
  http.closeAllConnections();
});
