/** Signals to a whole process group, as a terminal and service managers send them, leave the Workers alone. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import { Mafalda, RemoteMafaldaClient } from '../../../src/index.ts';
import { startWorker } from '../../../src/core/workers/startWorker.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

/** A media server that leads a process group of its own. */
async function startServer(): Promise<{ child: ChildProcess; client: RemoteMafaldaClient }> {
  const script = fileURLToPath(new URL('../../helpers/processes/mediaServer.ts', import.meta.url));
  const child = fork(script, { execArgv: ['--import', 'tsx'], detached: true });
  opened({ close: () => child.kill('SIGKILL') });
  const [url] = (await once(child, 'message')) as [string];
  return { child, client: opened(new RemoteMafaldaClient(url)) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a server whose whole process group is told to end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('by %s has its media flow until it has closed by itself', async signal => {
    const { child, client } = await startServer();
    const room = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const sender = await RtpSender.create(room, 'audio');
    const receiver = await RtpReceiver.create(room, sender.producer.id);
    await openPath(sender, [receiver]);
    const own = await client.mediasoup.createWorker();
    const ended = once(child, 'exit');
    process.kill(-child.pid!, signal);
    expect(await countPackets(sender, [receiver], 100)).toEqual([100]);
    await expect(own.dump()).resolves.toMatchObject({ pid: own.pid });
    const [{ pid }] = [...room.workers.values()] as [Worker];
    sender.transport.close();
    receiver.transport.close();
    expect(await ended).toEqual([0, null]);
    expect([pid, own.pid].filter(isAlive)).toEqual([]);
  });

  test('a second time ends at once', async () => {
    const { child, client } = await startServer();
    await client.createMafaldaRouter().createDirectTransport();
    const ended = once(child, 'exit');
    process.kill(-child.pid!, 'SIGTERM');
    await client.getResourceUsages();
    process.kill(-child.pid!, 'SIGTERM');
    expect(await ended).toEqual([1, null]);
  });
});

test('Workers end by themselves when their server is killed', async () => {
  const { child, client } = await startServer();
  const room = client.createMafaldaRouter();
  await room.createDirectTransport();
  const pids = [(await client.mediasoup.createWorker()).pid, ...[...room.workers.values()].map(({ pid }) => pid)];
  expect([pids.length, pids.every(isAlive)]).toEqual([2, true]);
  child.kill('SIGKILL');
  await until('they are gone', () => !pids.some(isAlive), 20_000);
});

describe('a Worker', () => {
  const workers: Worker[] = [];
  const start: typeof mediasoup.createWorker = async settings => {
    const worker = await startWorker(mediasoup, settings);
    workers.push(worker);
    return worker;
  };

  afterEach(() => {
    for (const worker of workers.splice(0)) worker.close();
  });

  test('leaves the environment and the listeners of this process as they were', async () => {
    const state = (): unknown[] => [
      JSON.stringify(process.env),
      process.listenerCount('SIGTERM'),
      process.listenerCount('SIGINT'),
    ];
    const before = state();
    const starting = start({ appData: { mine: true } });
    expect(state()).toEqual(before);
    expect((await starting).appData).toEqual({ mine: true });
  });

  test('is started by the program for valgrind, where one is asked for, and tells that it died', async () => {
    // Like valgrind it gets the Worker and its arguments as its own.
    Object.assign(process.env, {
      MEDIASOUP_USE_VALGRIND: 'true',
      MEDIASOUP_VALGRIND_BIN: 'env',
      MEDIASOUP_VALGRIND_OPTIONS: 'MARK=1',
    });
    let worker: Worker;
    try {
      worker = await start({ workerBin: mediasoup.workerBin });
      expect(process.env).toMatchObject({ MEDIASOUP_VALGRIND_BIN: 'env', MEDIASOUP_VALGRIND_OPTIONS: 'MARK=1' });
    } finally {
      for (const name of ['USE_VALGRIND', 'VALGRIND_BIN', 'VALGRIND_OPTIONS']) delete process.env[`MEDIASOUP_${name}`];
    }
    const died = once(worker, 'died');
    process.kill(worker.pid, 'SIGKILL');
    expect(((await died) as [Error])[0].message).toMatch(/SIGKILL/);
  });

  test('that can’t be started is told with its path, and wrong settings are what they are', async () => {
    await expect(start({ workerBin: '/nowhere/mediasoup-worker' })).rejects.toThrow(
      new RegExp(
        `/nowhere/mediasoup-worker can't be started on ${hostname()}, there is no such file: .*MEDIASOUP_WORKER_BIN`,
      ),
    );
    await expect(start({ rtcMinPort: 2000, rtcMaxPort: 1000 })).rejects.toThrow(TypeError);
  });
});

// The last one: after it, this process is taken to be about to end.
test('Workers that a signal ends nevertheless are told of once, and nothing new is begun', async () => {
  const unshielded: typeof mediasoup.createWorker = settings => mediasoup.createWorker(settings);
  const mafalda = opened(new Mafalda({ ...mediasoup, createWorker: unshielded }, { workerBudget: false }));
  const errors: Error[] = [];
  mafalda.on('error', error => errors.push(error));
  const [room, other] = [
    mafalda.createMafaldaRouter(),
    mafalda.createMafaldaRouter({ workerSettings: { logLevel: 'none' } }),
  ];
  for (const mafaldaRouter of [room, other]) mafaldaRouter.on('workerdied', () => undefined);
  await Promise.all([room.createDirectTransport(), other.createDirectTransport()]);
  const [first, second] = [...mafalda.workers.values()] as [Worker, Worker];
  const died = once(first, 'died');
  process.kill(first.pid, 'SIGTERM');
  await died;
  expect(errors).toEqual([
    expect.objectContaining({ code: 'ERR_MAFALDA_NODE_UNAVAILABLE', message: expect.stringMatching(/KillMode=mixed/) }),
  ]);
  // As long as another one lives it was only that one's end.
  await expect(room.createDirectTransport()).resolves.toBeDefined();
  const all = [second, ...mafalda.workers.values()].filter(({ closed }) => !closed);
  const gone = Promise.all(all.map(worker => once(worker, 'died')));
  for (const { pid } of new Set(all)) process.kill(pid, 'SIGTERM');
  await gone;
  await expect(room.createDirectTransport()).rejects.toMatchObject({ code: 'ERR_MAFALDA_NODE_UNAVAILABLE' });
  await expect(other.createDirectTransport()).rejects.toMatchObject({ code: 'ERR_MAFALDA_NODE_UNAVAILABLE' });
  expect(errors).toHaveLength(1);
});
