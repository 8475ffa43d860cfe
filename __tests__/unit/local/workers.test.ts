import { describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import { once } from 'node:events';
import { Mafalda } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

/** A Mafalda, and every Worker that it starts, with the option to make starting one fail. */
function createMafalda(createWorker: typeof mediasoup.createWorker = mediasoup.createWorker): {
  mafalda: Mafalda;
  workers: Worker[];
} {
  const workers: Worker[] = [];
  const counting: typeof mediasoup.createWorker = async settings => {
    const worker = await createWorker(settings);
    workers.push(worker);
    return worker;
  };
  return { mafalda: opened(new Mafalda({ ...mediasoup, createWorker: counting }, { workerBudget: false })), workers };
}

describe('Workers', () => {
  test('are not started before they are needed', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const { codecs } = await mafaldaRouter.getRtpCapabilities();
    const mimeTypes = codecs!.map(({ mimeType }) => mimeType).filter(mimeType => mimeType !== 'video/rtx');
    expect(mimeTypes).toEqual(mediaCodecs.map(({ mimeType }) => mimeType));
    expect([workers.length, mafalda.workers.size]).toEqual([0, 0]);
  });

  test('a burst starts one', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouters = Array.from({ length: 3 }, () => mafalda.createMafaldaRouter());
    await Promise.all(
      mafaldaRouters.flatMap(mafaldaRouter => Array.from({ length: 10 }, () => mafaldaRouter.createDirectTransport())),
    );
    expect([workers.length, mafalda.workers.size, mafalda.routers.size, mafalda.transports.size]).toEqual([
      1, 1, 3, 30,
    ]);
    expect([...mafalda.workers.keys()]).toEqual([String(workers[0]!.pid)]);
  });

  test('close a while after they are idle, and come again', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport();
    transport.close();
    await until('the Router has closed', () => mafaldaRouter.routers.size === 0);
    expect([workers[0]!.closed, mafaldaRouter.closed]).toEqual([false, false]);
    await until('the Worker has closed', () => workers[0]!.closed);
    expect(mafalda.workers.size).toBe(0);
    await mafaldaRouter.createDirectTransport();
    expect(workers).toHaveLength(2);
  });

  test('are kept while anything is there', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const [first, second] = [
      await mafaldaRouter.createDirectTransport(),
      await mafaldaRouter.createAudioLevelObserver(),
    ];
    const idle = mafalda.createMafaldaRouter();
    (await idle.createDirectTransport()).close();
    first.close();
    await until('the idle Router has closed', () => idle.routers.size === 0);
    expect([workers[0]!.closed, second.closed, mafaldaRouter.routers.size]).toEqual([false, false, 1]);
  });

  test('are not full of what has closed, or could not be created', async () => {
    const { mafalda } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const nowhere = { listenInfo: { protocol: 'udp', ip: '192.0.2.1' } } as const;
    for (let count = 0; count < 100; ++count) (await mafaldaRouter.createDirectTransport()).close();
    for (let count = 0; count < 100; ++count)
      await expect(mafaldaRouter.createPlainTransport(nowhere)).rejects.toThrow();
    await mafaldaRouter.createDirectTransport();
    expect(mafalda.workers.size).toBe(1);
  });

  test('are made by none with maxWorkers 0, which uses others’', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter({ maxWorkers: 0 });
    await expect(mafaldaRouter.createDirectTransport()).rejects.toThrow(/maxWorkers 0/);
    await mafalda.createMafaldaRouter().createDirectTransport();
    await expect(mafaldaRouter.createDirectTransport()).resolves.toBeDefined();
    expect(workers).toHaveLength(1);
  });

  test('are shared by those with the same settings only', async () => {
    const { mafalda, workers } = createMafalda();
    await mafalda.createMafaldaRouter({ workerSettings: { logLevel: 'error' } }).createDirectTransport();
    await mafalda.createMafaldaRouter({ workerSettings: { logLevel: 'error' } }).createDirectTransport();
    await mafalda.createMafaldaRouter({ workerSettings: { logLevel: 'none' } }).createDirectTransport();
    expect(workers).toHaveLength(2);
  });

  test('that can’t be started fail the calls, and are forgotten', async () => {
    let broken = true;
    const { mafalda, workers } = createMafalda(async settings => {
      if (broken) throw new Error('no such program');
      return mediasoup.createWorker(settings);
    });
    const mafaldaRouter = mafalda.createMafaldaRouter({ maxWorkers: 1 });
    const results = await Promise.allSettled([
      mafaldaRouter.createDirectTransport(),
      mafaldaRouter.createDirectTransport(),
    ]);
    for (const result of results)
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'no such program' } });
    expect([mafalda.workers.size, mafalda.load]).toEqual([0, 0]);
    broken = false;
    await expect(mafaldaRouter.createDirectTransport()).resolves.toBeDefined();
    expect(workers).toHaveLength(1);
  });

  test('that can’t be started leave the calls to those that run', async () => {
    const { mafalda, workers } = createMafalda(async settings => {
      if (workers.length > 0) throw new Error('no more processes');
      return mediasoup.createWorker(settings);
    });
    // At this watermark each call wants another Worker.
    const mafaldaRouter = mafalda.createMafaldaRouter({ watermarkWorker: 0, maxWorkers: 2 });
    for (let count = 0; count < 3; ++count) await mafaldaRouter.createDirectTransport();
    expect([workers.length, mafaldaRouter.transports.size]).toEqual([1, 3]);
  });

  test('a Router that can’t be made fails the calls, and its Worker goes', async () => {
    const { mafalda, workers } = createMafalda(async settings => {
      const worker = await mediasoup.createWorker(settings);
      worker.createRouter = () => Promise.reject(new Error('no Router today'));
      return worker;
    });
    const mafaldaRouter = mafalda.createMafaldaRouter();
    await expect(mafaldaRouter.createDirectTransport()).rejects.toThrow('no Router today');
    await until('the Worker has closed', () => workers[0]!.closed);
    expect([mafalda.workers.size, mafaldaRouter.closed]).toEqual([0, false]);
  });
});

describe('a Worker that is killed', () => {
  test('closes its objects with mediasoup’s events, and the next Transport gets another one', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const sender = await RtpSender.create(mafaldaRouter, 'audio');
    const receiver = await RtpReceiver.create(mafaldaRouter, sender.producer.id);
    const told: string[] = [];
    sender.producer.on('transportclose', () => told.push('transportclose'));
    sender.transport.on('routerclose', () => told.push('routerclose'));
    [...mafaldaRouter.routers.values()][0]!.on('workerclose', () => told.push('workerclose'));
    mafaldaRouter.on('workerdied', (worker, error) =>
      told.push(`workerdied ${worker === workers[0]} ${error instanceof Error}`),
    );
    mafaldaRouter.on('error', () => told.push('error'));
    const died = once(mafaldaRouter, 'workerdied');
    process.kill(workers[0]!.pid, 'SIGKILL');
    await died;
    expect(told).toEqual(['transportclose', 'routerclose', 'workerclose', 'workerdied true true']);
    expect([receiver.consumer.closed, mafaldaRouter.closed]).toEqual([true, false]);
    expect([
      mafaldaRouter.workers.size,
      mafaldaRouter.routers.size,
      mafaldaRouter.transports.size,
      mafalda.workers.size,
    ]).toEqual([0, 0, 0, 0]);
    const again = await RtpSender.create(mafaldaRouter, 'audio');
    expect([again.transport.closed, workers.length]).toEqual([false, 2]);
  });

  test('is an `error` where nobody listens for `workerdied`', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter();
    await mafaldaRouter.createDirectTransport();
    const error = new Promise<Error>(resolve => mafaldaRouter.on('error', resolve));
    process.kill(workers[0]!.pid, 'SIGKILL');
    expect((await error).message).toMatch(/SIGKILL/);
  });

  test.each(['workerdied', 'routerclose'] as const)('can be replaced in the very listener for %s', async event => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport();
    const replacement = new Promise<unknown>((resolve, reject) => {
      const replace = (): void => void mafaldaRouter.createDirectTransport().then(resolve, reject);
      if (event === 'workerdied') mafaldaRouter.on('workerdied', replace);
      else transport.on('routerclose', replace);
    });
    mafaldaRouter.on('workerdied', () => undefined);
    process.kill(workers[0]!.pid, 'SIGKILL');
    await expect(replacement).resolves.toMatchObject({ closed: false });
    expect(workers).toHaveLength(2);
  });

  test('while something is being created there fails that', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter();
    mafaldaRouter.on('workerdied', () => undefined);
    await mafaldaRouter.createDirectTransport();
    process.kill(workers[0]!.pid, 'SIGKILL');
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => mafaldaRouter.createDirectTransport()));
    await until('it is known', () => mafalda.workers.size === 0);
    for (const result of results) if (result.status === 'fulfilled') expect(result.value.closed).toBe(true);
    await expect(mafaldaRouter.createDirectTransport()).resolves.toMatchObject({ closed: false });
  });
});

describe('close()', () => {
  test('in the middle of creating leaves nothing', async () => {
    const { mafalda, workers } = createMafalda();
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const creating = Promise.allSettled([
      mafaldaRouter.createDirectTransport(),
      mafaldaRouter.createAudioLevelObserver(),
    ]);
    await mafalda.close();
    for (const { status } of await creating) expect(status).toBe('rejected');
    expect(workers.every(({ subprocessClosed }) => subprocessClosed)).toBe(true);
    expect([mafalda.closed, mafalda.workers.size, mafalda.routers.size, mafalda.mafaldaRouters.size]).toEqual([
      true,
      0,
      0,
      0,
    ]);
    expect(() => mafalda.createMafaldaRouter()).toThrow(/closed/);
  });

  test('of a MafaldaRouter in the middle of creating leaves nothing either', async () => {
    const { mafalda, workers } = createMafalda();
    const keeper = mafalda.createMafaldaRouter();
    await keeper.createDirectTransport();
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const creating = Promise.allSettled([mafaldaRouter.createDirectTransport(), mafaldaRouter.createDirectTransport()]);
    await mafaldaRouter.close();
    for (const { status } of await creating) expect(status).toBe('rejected');
    expect((await workers[0]!.dump()).routerIds).toHaveLength(1);
  });

  test('twice resolves twice when all is closed', async () => {
    const { mafalda, workers } = createMafalda();
    await mafalda.createMafaldaRouter().createDirectTransport();
    let closes = 0;
    mafalda.on('close', () => ++closes);
    const [first, second] = [mafalda.close(), mafalda.close()];
    await second;
    expect(workers[0]!.subprocessClosed).toBe(true);
    await first;
    expect(closes).toBe(1);
  });
});
