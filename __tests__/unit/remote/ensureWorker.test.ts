/** A server on which no Worker can be started does not listen. */
import { expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaClient, RemoteMafaldaServer } from '../../../src/index.ts';
import { WorkerBudget } from '../../../src/local/workerBudget.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { untilConnected } from '../../helpers/serve.ts';

const opened = closingAfterEach();

test('listen() rejects with the reason, and can be called again', async () => {
  let workerBin: string | undefined = '/nowhere/mediasoup-worker';
  const createWorker: typeof mediasoup.createWorker = settings => mediasoup.createWorker({ ...settings, workerBin });
  const mafalda = opened(new Mafalda({ ...mediasoup, createWorker }, { workerBudget: false }));
  const server = opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false }));
  await expect(server.listen()).rejects.toMatchObject({
    code: 'ERR_MAFALDA_NODE_UNAVAILABLE',
    message: expect.stringMatching(/no Worker can be started here: .+/),
  });
  expect(() => server.url).toThrow(/does not listen/);
  workerBin = undefined;
  await server.listen();
  await untilConnected(opened(new RemoteMafaldaClient(server.url)));
});

test('it costs the start of one Worker, and none where one runs', async () => {
  const started: mediasoup.types.Worker[] = [];
  const createWorker: typeof mediasoup.createWorker = async settings => {
    const worker = await mediasoup.createWorker(settings);
    started.push(worker);
    return worker;
  };
  const mafalda = opened(new Mafalda({ ...mediasoup, createWorker }, { workerBudget: false }));
  await opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false })).listen();
  expect(started.map(({ subprocessClosed }) => subprocessClosed)).toEqual([true]);
  await mafalda.createMafaldaRouter().createDirectTransport();
  await opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false })).listen();
  expect(started).toHaveLength(2);
});

test('other processes that have all Workers of this machine at that time are no reason to fail', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mafalda-budget-'));
  opened({ close: () => rm(folder, { recursive: true }) });
  const workerBudget = { file: join(folder, 'workers.json'), max: 1 };
  const others = new WorkerBudget(workerBudget);
  await others.take();
  const mafalda = opened(new Mafalda(mediasoup, { workerBudget }));
  await opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false })).listen();
  await others.giveBack();
  await expect(mafalda.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
});

test('a server that is closed meanwhile does not listen', async () => {
  const server = opened(
    new RemoteMafaldaServer(opened(new Mafalda(mediasoup, { workerBudget: false })), {
      host: '127.0.0.1',
      auth: false,
    }),
  );
  const listening = expect(server.listen()).rejects.toThrow(/closed/);
  await server.close();
  await listening;
});
