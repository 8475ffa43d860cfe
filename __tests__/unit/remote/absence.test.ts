/** Who does not come back is not waited for for ever: neither by a server nor by a client. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { RemoteMafaldaClient, type RemoteMafaldaServerOptions } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

const opened = closingAfterEach();
const options: Partial<RemoteMafaldaServerOptions> = { sessionTimeout: 1000 };

async function connected(): Promise<{ served: Served; proxy: CutProxy; client: RemoteMafaldaClient }> {
  const served = opened(await Served.create(options));
  const proxy = await CutProxy.create(served.url);
  const client = opened(new RemoteMafaldaClient(proxy.url));
  await untilConnected(client);
  return { served, proxy, client };
}

test('a server closes what only an absent client was attached to, and not what another one is', async () => {
  const { served, proxy, client } = await connected();
  const other = opened(new RemoteMafaldaClient(served.url));
  await client.createMafaldaRouter({ id: 'alone' }).createDirectTransport();
  await client.createMafaldaRouter({ id: 'shared' }).createDirectTransport();
  // It says with its next message that the answer has arrived: what it may never have heard of would close.
  await client.getResourceUsages();
  const shared = other.createMafaldaRouter({ id: 'shared' });
  await shared.createDirectTransport();
  const closed = once(served.mafalda.mafaldaRouters.get('alone')!, 'close');
  await proxy.close();
  await closed;
  expect(served.mafalda.mafaldaRouters.has('shared')).toBe(true);
  expect(shared.transports.size).toBe(2);
  expect(served.server.counts.clients).toBe(1);
  await other.close();
  await served.untilEmpty();
});

test('a client closes what was at an absent server, fails the calls that wait, and goes on when there is one', async () => {
  const { served, proxy, client } = await connected();
  const mafaldaRouter = client.createMafaldaRouter();
  const transport = await mafaldaRouter.createDirectTransport();
  const closed = [once(mafaldaRouter, 'close'), once(transport, 'routerclose')];
  const disconnected = once(client, 'disconnected');
  const { port } = new URL(proxy.url);
  await proxy.close();
  await disconnected;
  await expect(transport.produceData()).rejects.toThrow(/closed before the call was answered/);
  await Promise.all(closed);
  expect([client.transports.size, client.mafaldaRouters.size]).toEqual([0, 0]);

  const again = once(client, 'connected');
  await served.close();
  opened(await Served.create({ ...options, port: Number(port) }));
  await again;
  await expect(client.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
});
