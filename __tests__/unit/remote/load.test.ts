/** What a server tells of its load, by itself and along with answers. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { LoadReport } from '../../../src/api/load.ts';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

async function connect(loadInterval: number): Promise<{ served: Served; client: RemoteMafaldaClient }> {
  const served = opened(await Served.create({ loadInterval }));
  const client = opened(new RemoteMafaldaClient(served.url));
  await untilConnected(client);
  return { served, client };
}

test('reports tell of each Worker what it holds and uses, and of the host', async () => {
  const { client } = await connect(100);
  const mafaldaRouter = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const sender = await RtpSender.create(mafaldaRouter, 'audio');
  const receivers = [
    await RtpReceiver.create(mafaldaRouter, sender.producer.id),
    await RtpReceiver.create(mafaldaRouter, sender.producer.id),
  ];
  const direct = await mafaldaRouter.createDirectTransport();
  const { id } = await direct.produceData();
  await direct.consumeData({ dataProducerId: id });
  const flood = setInterval(() => {
    for (let packet = 0; packet < 40; ++packet) sender.send();
  }, 5);
  try {
    await until('the Worker and the host are at work', () => {
      const { workers, hosts } = client.loadReport;
      return workers[0]?.dataConsumers === 1 && workers[0].cpu > 0 && (hosts[0]?.cpu ?? 0) > 0;
    });
  } finally {
    clearInterval(flood);
  }
  const { load, workers, hosts } = client.loadReport;
  expect(load).toBe(client.load);
  const counts = {
    routers: 1,
    transports: 2 + receivers.length,
    producers: 1,
    consumers: 2,
    dataProducers: 1,
    dataConsumers: 1,
  };
  expect(workers).toEqual([{ id: [...client.workers.keys()][0], cpu: expect.any(Number), ...counts }]);
  const [host] = hosts;
  expect(host).toMatchObject({ cores: cpus().length, memory: { total: totalmem() } });
  expect(host!.memory.free).toBeLessThan(host!.memory.total);
  expect(host!.cpu).toBeLessThanOrEqual(100);
  if (process.platform === 'linux')
    expect(host!.network).toEqual({ received: expect.any(Number), sent: expect.any(Number) });
});

test('reports come at the interval that the server says, to everybody', async () => {
  const interval = 150;
  const { served, client } = await connect(interval);
  const other = opened(new RemoteMafaldaClient(served.url));
  await untilConnected(other);
  const at: number[] = [];
  const heard: LoadReport[] = [];
  client.on('load', () => at.push(performance.now()));
  other.on('load', (_load, report) => heard.push(report));
  await until('some have come', () => at.length >= 6);
  const intervals = (at.at(-1)! - at[0]!) / interval;
  // However busy the machine is: not more often, and none of them twice.
  expect(Math.round(intervals)).toBeGreaterThanOrEqual(at.length - 2);
  expect(heard.length).toBeGreaterThanOrEqual(4);
});

test('answers tell of a load that has changed, between reports', async () => {
  const { served, client } = await connect(60_000);
  const other = opened(new RemoteMafaldaClient(served.url));
  await untilConnected(other);
  await until('the first report has come', () => client.loadReport.hosts.length > 0);
  const told: number[] = [];
  client.on('load', load => told.push(load));
  const mafaldaRouter = other.createMafaldaRouter();
  // 2 %: too little for a report of its own.
  for (let index = 0; index < 2 * availableParallelism(); ++index) await mafaldaRouter.createDirectTransport();
  expect(told).toEqual([]);
  await client.getResourceUsages();
  expect(told).toEqual([Math.round(served.mafalda.load)]);
  expect(client.load).toBeGreaterThan(0);
  expect(client.loadReport).toMatchObject({ load: client.load, workers: [] });
});

test('a change of some percent is reported at once, to everybody', async () => {
  const { served, client } = await connect(60_000);
  const other = opened(new RemoteMafaldaClient(served.url));
  await untilConnected(other);
  await until('the first report has come', () => client.loadReport.hosts.length > 0);
  const reported = once(client, 'load');
  const mafaldaRouter = other.createMafaldaRouter();
  await Promise.all(Array.from({ length: 5 * availableParallelism() }, () => mafaldaRouter.createDirectTransport()));
  const [load] = (await reported) as [number];
  expect(load).toBeGreaterThanOrEqual(3);
});

test.each([0, 99, -1, NaN, '100', Infinity, 2 ** 30])('loadInterval %p is refused', async loadInterval => {
  await expect(Served.create({ loadInterval: loadInterval as number })).rejects.toThrow(/loadInterval must be/);
});
