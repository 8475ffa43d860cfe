import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

/** A new server, with a new Mafalda, where the old one was. */
async function replace(served: Served, auth?: string): Promise<Served> {
  const port = Number(new URL(served.url).port);
  await served.close();
  return opened(await Served.create({ port, auth }));
}

describe('a server that is replaced by a new one', () => {
  test('is not sent more in one packet than it takes', async () => {
    const served = opened(await Served.create());
    const client = opened(new RemoteMafaldaClient(served.url));
    await untilConnected(client);
    const connected = once(client, 'disconnected').then(() => once(client, 'connected'));
    await replace(served);
    await connected;
    const reasons: string[] = [];
    client.on('disconnected', reason => reasons.push(reason));
    const room = client.createMafaldaRouter();
    // Each of them is small enough, all together are not.
    const appData = { text: 'x'.repeat(100_000) };
    const transports = await Promise.all(Array.from({ length: 20 }, () => room.createDirectTransport({ appData })));
    expect([transports.length, reasons]).toEqual([20, []]);
  });

  test('closes everything at the client, as if its Workers had closed, and can be used', async () => {
    const served = opened(await Served.create());
    const client = opened(new RemoteMafaldaClient(served.url));
    const mafaldaRouter = client.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    const sender = await RtpSender.create(mafaldaRouter, 'audio');
    const receiver = await RtpReceiver.create(mafaldaRouter, sender.producer.id);
    const [router] = [...mafaldaRouter.routers.values()];
    const observer = await mafaldaRouter.createAudioLevelObserver();
    const [worker] = [...mafaldaRouter.workers.values()];

    const told: string[] = [];
    worker!.observer.on('close', () => told.push('worker close'));
    router!.on('workerclose', () => told.push('workerclose'));
    router!.observer.on('close', () => told.push('router close'));
    sender.transport.on('routerclose', () => told.push('routerclose'));
    sender.transport.observer.on('close', () => told.push('transport close'));
    observer.on('routerclose', () => told.push('observer routerclose'));
    sender.producer.on('transportclose', () => told.push('transportclose'));
    sender.producer.observer.on('close', () => told.push('producer close'));
    mafaldaRouter.on('close', () => told.push('mafaldaRouter close'));

    const closed = once(mafaldaRouter, 'close');
    const connected = once(client, 'disconnected').then(() => once(client, 'connected'));
    const replacement = await replace(served);
    await connected;
    await closed;
    expect(told).toEqual([
      'transportclose',
      'producer close',
      'routerclose',
      'transport close',
      'observer routerclose',
      'workerclose',
      'router close',
      'worker close',
      'mafaldaRouter close',
    ]);
    expect(receiver.consumer.closed).toBe(true);
    expect([client.mafaldaRouters.size, client.workers.size, client.routers.size, client.transports.size]).toEqual([
      0, 0, 0, 0,
    ]);
    await expect(sender.transport.dump()).rejects.toThrow(/closed/);

    const again = client.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    await RtpSender.create(again, 'audio');
    expect(replacement.mafalda.transports.size).toBe(1);
  });

  test('fails the calls that the old one has not answered', async () => {
    const served = opened(await Served.create());
    const client = opened(new RemoteMafaldaClient(served.url));
    const mafaldaRouter = client.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport();
    const disconnected = once(client, 'disconnected');
    const replacing = replace(served);
    await disconnected;
    const calls = [transport.dump(), mafaldaRouter.createDirectTransport(), client.getResourceUsages()];
    const settled = Promise.allSettled(calls);
    await replacing;
    for (const { status } of await settled) expect(status).toBe('rejected');
    expect(await client.getResourceUsages()).toEqual({});
  });

  test('that refuses the client closes everything as well, after the time for which it may be away', async () => {
    const served = opened(await Served.create({ auth: 'old' }));
    const client = opened(new RemoteMafaldaClient(served.url, { token: 'old', sessionTimeout: 3000 }));
    const mafaldaRouter = client.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport();
    const refused = new Promise<Error>(resolve => client.once('error', resolve));
    await replace(served, 'new');
    expect((await refused).message).toMatch(/token/);
    await until('all is closed, and gone', () => mafaldaRouter.closed && client.transports.size === 0);
    expect([client.readyState, transport.closed, mafaldaRouter.closed, client.transports.size]).toEqual([
      0,
      true,
      true,
      0,
    ]);
    await mafaldaRouter.close();
  });
});

describe('a client', () => {
  test('that nothing answers waits, and close() ends that', async () => {
    const served = await Served.create();
    const { url } = served;
    await served.close();
    const client = opened(new RemoteMafaldaClient(url));
    const call = expect(client.createMafaldaRouter().createDirectTransport()).rejects.toThrow(
      /closed before the call was answered/,
    );
    expect(client.readyState).toBe(0);
    await client.close();
    await call;
    expect(client.readyState).toBe(3);
  });

  test('is used before the server is there', async () => {
    const served = await Served.create();
    const { url } = served;
    await served.close();
    const client = opened(new RemoteMafaldaClient(url));
    const call = client.createMafaldaRouter().createDirectTransport();
    opened(await Served.create({ port: Number(new URL(url).port) }));
    expect((await call).closed).toBe(false);
  });

  test('that is not open says so', async () => {
    const client = opened(new RemoteMafaldaClient());
    expect([client.readyState, client.url]).toEqual([3, undefined]);
    await expect(client.createMafaldaRouter().createDirectTransport()).rejects.toThrow(/not open/);
    await expect(client.getResourceUsages()).rejects.toThrow(/not open/);
    expect(() => client.open()).toThrow(/missing url/);
  });

  test('is opened once', async () => {
    const served = opened(await Served.create());
    const client = opened(new RemoteMafaldaClient());
    client.open(served.url);
    expect(() => client.open(served.url)).toThrow(/open already/);
    await untilConnected(client);
  });

  test.each(['media-1', 'ftp://media-1', '', 'http:'])('refuses the URL %p', url => {
    expect(() => new RemoteMafaldaClient(url)).toThrow(/Invalid URL|must begin with wss/);
  });

  test('refuses unknown options by name', () => {
    expect(() => new RemoteMafaldaClient(undefined, { tokn: 'x' } as object)).toThrow(/unknown option tokn/);
  });
});

test('a Worker that dies is told once to each MafaldaRouter that it held', async () => {
  const served = opened(await Served.create());
  const client = opened(new RemoteMafaldaClient(served.url));
  const mafaldaRouters = ['a', 'b', 'c'].map(id => client.createMafaldaRouter({ id }));
  const transports = [];
  for (const mafaldaRouter of mafaldaRouters) transports.push(await mafaldaRouter.createDirectTransport());
  expect(client.workers.size).toBe(1);
  const [worker] = [...client.workers.values()];
  const told: string[] = [];
  for (const mafaldaRouter of mafaldaRouters)
    mafaldaRouter.on('workerdied', died => told.push(`${mafaldaRouter.id} ${died === worker}`));
  process.kill(worker!.pid, 'SIGKILL');
  await until('all are told', () => told.length >= 3);
  // Whatever else was on its way came before this answer.
  await client.getResourceUsages();
  expect(told.sort()).toEqual(['a true', 'b true', 'c true']);
  expect([worker!.died, worker!.closed, client.workers.size]).toEqual([true, true, 0]);
  expect(transports.every(({ closed }) => closed)).toBe(true);
  await expect(mafaldaRouters[1]!.createDirectTransport()).resolves.toMatchObject({ closed: false });
});
