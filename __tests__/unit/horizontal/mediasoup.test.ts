/** mediasoup's module API over several nodes: an application that was written for mediasoup, and knows nothing of nodes. */
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { once } from 'node:events';
import type { Index, Router } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

/** What such an application does: one Worker for each core that it wants, a Router in each, and pipes between them. */
async function startRouters({ createWorker }: Index, count: number): Promise<Router[]> {
  const workers = await Promise.all(Array.from({ length: count }, () => createWorker()));
  return Promise.all(workers.map(worker => worker.createRouter({ mediaCodecs })));
}

async function cluster(): Promise<{ horizontal: MafaldaHorizontal; nodes: Served[] }> {
  const nodes = [opened(await Served.create()), opened(await Served.create())];
  const horizontal = opened(new MafaldaHorizontal(nodes.map(({ url }) => url)));
  await once(horizontal, 'connected');
  return { horizontal, nodes };
}

const opus = { mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 } as const;

test('Workers are spread over the nodes, and told of', async () => {
  const { horizontal, nodes } = await cluster();
  const told: unknown[] = [];
  horizontal.mediasoup.observer.on('newworker', worker => told.push(worker));
  const workers = await Promise.all(
    Array.from({ length: 4 }, () => horizontal.mediasoup.createWorker({ appData: { mine: true } })),
  );
  expect(new Set(told)).toEqual(new Set(workers));
  expect(workers.map(({ appData }) => appData)).toEqual(Array.from({ length: 4 }, () => ({ mine: true })));
  expect(nodes.map(({ server }) => server.counts.objects)).toEqual([2, 2]);
  expect(horizontal.mediasoup.version).toBe(mediasoup.version);
  const [first] = workers;
  first!.close();
  await once(first!, 'subprocessclose');
  await horizontal.close();
  for (const { server } of nodes)
    await until('the Workers are gone with their owner', () => server.counts.objects === 0);
});

test.each(['two servers', 'a server and this process'])('pipeToRouter() works between %s', async what => {
  const served = opened(await Served.create());
  const other =
    what === 'two servers'
      ? opened(await Served.create()).url
      : opened(new Mafalda(mediasoup, { workerBudget: false }));
  const horizontal = opened(new MafaldaHorizontal([served.url, other]));
  await once(horizontal, 'connected');
  const [a, b] = (await startRouters(horizontal.mediasoup, 2)) as [Router, Router];
  const source = await a.createDirectTransport();
  const producer = await source.produce({
    kind: 'audio',
    rtpParameters: { mid: '0', codecs: [opus], encodings: [{ ssrc: 1234 }] },
  });
  const { pipeProducer } = await a.pipeToRouter({ producerId: producer.id, router: b });
  expect(pipeProducer!.id).toBe(producer.id);
  const sink = await b.createDirectTransport();
  const consumer = await sink.consume({ producerId: producer.id, rtpCapabilities: b.rtpCapabilities });

  // Real packets: a DirectTransport takes them from here, whatever machine it is on.
  const received = new Promise<Buffer>(resolve => consumer.once('rtp', resolve));
  const packet = Buffer.from([0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0x04, 0xd2, 1, 2, 3, 4]);
  const sending = setInterval(() => {
    packet.writeUInt16BE(packet.readUInt16BE(2) + 1, 2);
    producer.send(packet);
  }, 20);
  try {
    expect((await received).subarray(-4)).toEqual(packet.subarray(-4));
  } finally {
    clearInterval(sending);
  }

  const paused = once(consumer, 'producerpause');
  await producer.pause();
  await paused;
  const closed = once(consumer, 'producerclose');
  producer.close();
  await closed;
  await expect(a.pipeToRouter({ producerId: producer.id, router: b })).rejects.toThrow(mediasoup.errors.NotFoundError);
  await horizontal.close();
  expect([a.closed, b.closed]).toEqual([true, true]);
});
