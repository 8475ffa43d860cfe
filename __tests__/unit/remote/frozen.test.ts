/** A process that is stopped keeps its TCP connections: only its silence tells. */
import { describe, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  RemoteMafaldaClient,
  type RemoteMafaldaClientOptions,
  type RemoteMafaldaServerOptions,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { ServerProcess } from '../../helpers/serverProcess.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

async function connected(
  serverOptions: Partial<RemoteMafaldaServerOptions>,
  options: RemoteMafaldaClientOptions,
): Promise<[ServerProcess, RemoteMafaldaClient]> {
  const server = opened(await ServerProcess.create({ loadInterval: 100, ...serverOptions }));
  const client = opened(new RemoteMafaldaClient(server.url, options));
  await untilConnected(client);
  return [server, client];
}

describe('a server that is frozen', () => {
  test.concurrent(
    'fails calls, then everything closes at the client; when it goes on it is used again, and holds nothing of before',
    async () => {
      const [server, client] = await connected({ sessionTimeout: 4000 }, { callTimeout: 2000 });
      const mafaldaRouter = client.createMafaldaRouter({ id: 'room' });
      const transport = await mafaldaRouter.createDirectTransport();
      const producer = await transport.produceData({ id: 'chat' });
      const told: string[] = [];
      producer.on('transportclose', () => told.push('transportclose'));
      transport.on('routerclose', () => told.push('routerclose'));
      mafaldaRouter.on('close', () => told.push('close'));
      const closed = once(mafaldaRouter, 'close');
      server.signal('SIGSTOP');
      await expect(transport.dump()).rejects.toThrow(`dump() was not answered within 2000 ms by ${server.url}`);
      expect(told).toEqual([]);
      await closed;
      expect(told).toEqual(['transportclose', 'routerclose', 'close']);
      expect([client.transports.size, client.mafaldaRouters.size, client.workers.size]).toEqual([0, 0, 0]);
      const waiting = client.getResourceUsages();
      await expect(waiting).rejects.toThrow(/not answered within 2000 ms by .*: there is no connection at present/);

      const again = once(client, 'connected');
      server.signal('SIGCONT');
      await again;
      const next = await client.createMafaldaRouter({ id: 'room' }).createDirectTransport();
      await expect(next.produceData({ id: 'chat' })).resolves.toMatchObject({ closed: false });
      // A Worker, a Router, a Transport and a DataProducer: all of them new.
      expect(await server.state()).toMatchObject({ clients: 1, mafaldaRouters: 1, objects: 4, transports: 1 });
    },
  );

  test.concurrent(
    'for less than the session’s time goes on where it was; what nobody waits for any longer is closed',
    async () => {
      const [server, client] = await connected({ sessionTimeout: 60_000 }, { callTimeout: 2000 });
      const mafaldaRouter = client.createMafaldaRouter();
      const transport = await mafaldaRouter.createDirectTransport();
      const before = await server.state();
      server.signal('SIGSTOP');
      const producing = transport.produceData({ id: 'late' });
      const creating = mafaldaRouter.createDirectTransport();
      await expect(producing).rejects.toThrow(/produceData\(\) was not answered within 2000 ms/);
      await expect(creating).rejects.toThrow(/createDirectTransport\(\) was not answered within 2000 ms/);
      server.signal('SIGCONT');
      await until('what came too late is closed', async () => {
        await client.getResourceUsages().catch(() => undefined);
        return (await server.state()).objects === before.objects && client.transports.size === 1;
      });
      expect([transport.closed, mafaldaRouter.closed]).toEqual([false, false]);
      await expect(transport.produceData({ id: 'late' })).resolves.toMatchObject({ closed: false });
    },
  );

  test.concurrent('is given up by the client’s own sessionTimeout, if that is shorter', async () => {
    const [server, client] = await connected({ sessionTimeout: 60_000 }, { sessionTimeout: 2000 });
    const mafaldaRouter = client.createMafaldaRouter();
    await mafaldaRouter.createDirectTransport();
    const closed = once(mafaldaRouter, 'close');
    server.signal('SIGSTOP');
    const failed = expect(mafaldaRouter.getRtpCapabilities()).rejects.toThrow(/closed before the call was answered/);
    await closed;
    await failed;
    const again = once(client, 'connected');
    server.signal('SIGCONT');
    await again;
    // It has heard that the session was abandoned, and does not wait for a minute.
    await until('nothing is left there', async () => (await server.state()).objects === 0);
  });
});

test.concurrent(
  'of a client that is frozen the server closes what only it held; it hears of that when it goes on',
  async () => {
    const served = opened(await Served.create({ sessionTimeout: 300 }));
    const script = fileURLToPath(new URL('../../helpers/clientMain.ts', import.meta.url));
    const child = fork(script, [served.url], { execArgv: ['--import', 'tsx'] });
    opened({ close: () => child.kill('SIGKILL') });
    const told: unknown[] = [];
    child.on('message', message => told.push(message));
    await until('it is ready', () => told.length > 0);
    expect(served.server.counts).toMatchObject({ clients: 1, mafaldaRouters: 1 });
    child.kill('SIGSTOP');
    // Until it has missed a ping, and then for the session's time.
    await served.untilEmpty();
    child.kill('SIGCONT');
    await until('it has noticed, and begun anew', () => told.length >= 4);
    expect(told).toEqual(['ready', 'routerclose', 'close', 'again']);
    // A client that a busy machine makes wait for longer than its session begins yet another one; the lost one ends after its time.
    await until('it has a single session', () => served.server.counts.clients === 1);
    expect(served.server.counts).toMatchObject({ mafaldaRouters: 1 });
  },
);
