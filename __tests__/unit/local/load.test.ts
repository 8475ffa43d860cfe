/** Load as it really is: measured on Workers that have something to do. */
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda } from '../../../src/local/index.ts';
import { mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { until } from '../../helpers/until.ts';

const WATERMARK = 8;
const RECEIVERS = 20;
const PACKETS_PER_ROUND = 40;

test('a Worker above the watermark gets nothing new, and one below it does', async () => {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 100 });
  const sender = await RtpSender.create(mafaldaRouter, 'audio');
  const receivers: RtpReceiver[] = [];
  for (let index = 0; index < RECEIVERS; ++index)
    receivers.push(await RtpReceiver.create(mafaldaRouter, sender.producer.id));
  expect(mafaldaRouter.routers.size).toBe(1);
  await openPath(sender, receivers);

  const flood = setInterval(() => {
    for (let packet = 0; packet < PACKETS_PER_ROUND; ++packet) sender.send();
  }, 5);
  try {
    // A Worker that is too busy to answer is left out.
    const cpu = async (): Promise<number> => Object.values(await mafaldaRouter.getResourceUsages())[0]?.cpu ?? 0;
    await until('the CPU that the Worker uses is measured', async () => (await cpu()) > WATERMARK);

    const other = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: WATERMARK });
    await other.createDirectTransport();
    expect(mafalda.workers.size).toBe(2);
    expect([...other.workers.keys()]).not.toEqual([...mafaldaRouter.workers.keys()]);
  } finally {
    clearInterval(flood);
    await mafalda.close();
  }
});

test('a Worker of the application’s own counts once it is adopted, until it closes', async () => {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  const [worker, other] = [await mediasoup.createWorker(), await mediasoup.createWorker()];
  const counted = (): string[] => mafalda.loadReport.workers.map(({ id }) => id);
  expect(mafalda.mediasoup).toBe(mediasoup);
  expect(counted()).toEqual([]);
  mafalda.adopt(worker);
  mafalda.adopt(worker);
  await worker.createRouter();
  expect(mafalda.loadReport.workers).toMatchObject([{ id: String(worker.pid), routers: 1 }]);
  expect(mafalda.workers.size).toBe(0);
  expect(() => mafalda.adopt({} as typeof worker)).toThrow(TypeError);
  other.close();
  mafalda.adopt(other);
  expect(counted()).toEqual([String(worker.pid)]);
  await mafalda.close();
  expect(worker.closed).toBe(false);
  mafalda.adopt(worker);
  worker.close();
  expect(counted()).toEqual([]);
});
