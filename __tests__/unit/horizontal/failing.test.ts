/** One healthy server, and one on which nothing can be created: the application does not notice. */
import { expect, test } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as mediasoup from 'mediasoup';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaServer,
  strategies,
  type MafaldaRouter,
  type Strategy,
} from '../../../src/index.ts';
import { WorkerBudget } from '../../../src/local/workerBudget.ts';
import { evenly } from '../../helpers/evenly.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';

const opened = closingAfterEach();

const loopback = { protocol: 'udp', ip: '127.0.0.1' } as const;

interface Broken {
  url: string;
  mend: () => void;
}

/** A server with a Worker binary that is gone after the start, until it is mended. */
async function withoutBinary(): Promise<Broken> {
  let workerBin: string | undefined;
  const createWorker: typeof mediasoup.createWorker = settings => mediasoup.createWorker({ ...settings, workerBin });
  const url = await serve(
    new Mafalda({ ...mediasoup, createWorker }, { workerBudget: false, listenInfos: [loopback] }),
  );
  workerBin = '/nowhere/mediasoup-worker';
  return { url, mend: () => (workerBin = undefined) };
}

/** A server whose one port is taken. */
async function withoutPorts(): Promise<Broken> {
  const taken = opened(createSocket('udp4'));
  taken.bind(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  const url = await serve(
    new Mafalda(mediasoup, {
      workerBudget: false,
      listenInfos: [{ ...loopback, portRange: { min: port, max: port } }],
    }),
  );
  return { url, mend: () => undefined };
}

/** A server on a machine whose other processes have all the Workers that it may have. */
async function withoutBudget(): Promise<Broken> {
  const folder = await mkdtemp(join(tmpdir(), 'mafalda-budget-'));
  opened({ close: () => rm(folder, { recursive: true }) });
  const workerBudget = { file: join(folder, 'workers.json'), max: 1 };
  const others = new WorkerBudget(workerBudget);
  await others.take();
  opened({ close: () => others.giveBack() });
  const url = await serve(new Mafalda(mediasoup, { workerBudget, listenInfos: [loopback] }));
  return { url, mend: () => undefined };
}

async function healthy(): Promise<string> {
  return serve(new Mafalda(mediasoup, { workerBudget: false, listenInfos: [loopback] }));
}

async function serve(mafalda: Mafalda | MafaldaHorizontal): Promise<string> {
  opened(mafalda);
  const server = opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false }));
  await server.listen();
  return server.url;
}

async function above(urls: string[], strategy: Strategy = evenly): Promise<MafaldaHorizontal> {
  const mafalda = opened(new MafaldaHorizontal(urls, { strategy }));
  await once(mafalda, 'connected');
  return mafalda;
}

function createMany(room: MafaldaRouter, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, () => room.createWebRtcTransport({})));
}

test.each([
  ['its Worker binary is gone', withoutBinary, /nowhere|can't be started|code:/],
  ['its ports are used up', withoutPorts, /port/],
  ['its Worker budget is used up', withoutBudget, /all 1 Workers/],
])('%s: all creations succeed, and node and cause are told once', async (_what, breakOne, cause) => {
  const { url } = await breakOne();
  const mafalda = await above([url, await healthy()]);
  const failing: [string | undefined, string][] = [];
  mafalda.on('nodefailing', (node, { message }) => failing.push([(node as { url?: string }).url, message]));
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  await createMany(room, 5);
  for (let index = 0; index < 5; ++index) await createMany(room, 1);
  expect(failing).toEqual([[url, expect.stringMatching(cause)]]);
  expect(room.transports.size).toBe(10);
  await expect(room.createWebRtcTransport({ placement: { node: url } })).rejects.toThrow(cause);
  const urls = [...mafalda].map(node => (node as { url?: string }).url!);
  for (const strategy of Object.values(strategies))
    for (const order of [urls, urls.toReversed()]) {
      const other = await above(order, strategy);
      await createMany(other.createMafaldaRouter({ routerOptions: { mediaCodecs } }), 40);
      await other.close();
    }
});

test('through a central server too, whose nodes these are, and which is the only one', async () => {
  const { url } = await withoutBinary();
  const central = await serve(await above([url, await healthy()]));
  const mafalda = await above([central]);
  await createMany(mafalda.createMafaldaRouter(), 10);
});

test('a central server that has only broken ones is one on which nothing can be created', async () => {
  const central = await serve(await above([(await withoutBinary()).url, (await withoutPorts()).url]));
  const mafalda = await above([central, await healthy()]);
  await createMany(mafalda.createMafaldaRouter(), 10);
  const bound = mafalda.createMafaldaRouter().createWebRtcTransport({ placement: { node: central } });
  await expect(bound).rejects.toMatchObject({ code: 'ERR_MAFALDA_NODE_UNAVAILABLE', causes: expect.any(Object) });
});

test('mediasoup’s createWorker() and getRtpCapabilities() are tried elsewhere as well, and a server that is mended is used again', async () => {
  const { url, mend } = await withoutBinary();
  const mafalda = await above([url, await healthy()]);
  const workers = await Promise.all(Array.from({ length: 4 }, () => mafalda.mediasoup.createWorker()));
  expect(workers.every(({ closed }) => !closed)).toBe(true);
  await expect(
    mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } }).getRtpCapabilities(),
  ).resolves.toBeDefined();
  mend();
  // Without waiting for the rest to end.
  mafalda.add(url);
  const room = mafalda.createMafaldaRouter();
  await createMany(room, 4);
  const nodes = new Set(
    [...room.transports.values()].map(transport => (mafalda.nodeOf(transport) as { url?: string }).url),
  );
  expect(nodes).toContain(url);
});
