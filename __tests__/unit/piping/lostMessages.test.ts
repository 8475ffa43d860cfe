/** What a link has no room for is lost, and said to be. */
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { DataConsumer, DirectTransport } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal, type MafaldaRouter } from '../../../src/index.ts';
import { isLinkTransport } from '../../../src/piping/endpoint.ts';
import { LINK_SEND_BUFFER } from '../../../src/piping/links/linkTransport.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { inside } from '../../helpers/inside.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

const MESSAGE_SIZE = 3_500_000;
const sizes = { maxSendMessageSize: MESSAGE_SIZE, maxReceiveMessageSize: MESSAGE_SIZE };

/** One for each Router that there can be. */
async function spread(room: MafaldaRouter, routers: number): Promise<DirectTransport[]> {
  const transports: DirectTransport[] = [];
  while (room.routers.size < routers) transports.push(await room.createDirectTransport(sizes));
  return transports;
}

function workerPid(room: MafaldaRouter, transport: DirectTransport): number {
  const worker = inside(room).tree.nodeOf<'transport'>(transport)?.parent?.parent;
  return worker?.type === 'worker' ? worker.object.pid : NaN;
}

test('consumers behind a link that is full are told of each message, and dump() counts them', async () => {
  const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false }));
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 });
  const [source, sink] = await spread(room, 2);
  const producer = await source!.produceData();
  const consumer = await sink!.consumeData({ dataProducerId: producer.id });
  let arrived = 0;
  let told = 0;
  consumer.on('message', () => ++arrived);
  consumer.on('sctpsendbufferfull', () => ++told);
  const frozen = workerPid(room, sink!);
  process.kill(frozen, 'SIGSTOP');
  const sent = Math.ceil(LINK_SEND_BUFFER / MESSAGE_SIZE) + 10;
  try {
    for (let number = 0; number < sent; ++number) producer.send(Buffer.alloc(MESSAGE_SIZE));
    await until('it is told', () => told > 0);
  } finally {
    process.kill(frozen, 'SIGCONT');
  }
  await until('each has arrived, or is said to be lost', () => arrived + told === sent, 60_000);
  expect((await room.dump()).pipes.map(({ lostMessages }) => lostMessages)).toEqual([told]);
});

test('a controller tells the consumers behind pipes between its nodes, and those of pipes that go on from there', async () => {
  const nodes = [opened(await Served.create()).url, opened(await Served.create()).url];
  const mafalda = opened(
    new MafaldaHorizontal(nodes, { strategy: candidates => [...candidates].sort((a, b) => a.placed - b.placed)[0] }),
  );
  await once(mafalda, 'connected');
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 });
  const [source, ...sinks] = await spread(room, 4);
  const producer = await source!.produceData();
  const consumers = await Promise.all(sinks.map(sink => sink.consumeData({ dataProducerId: producer.id })));
  const told = consumers.map(() => 0);
  consumers.forEach((consumer, index) => consumer.on('sctpsendbufferfull', () => ++told[index]!));
  const pipes = [...inside(room).tree.nodes()].filter(
    ({ type, parent }) => type === 'dataConsumer' && parent?.type === 'transport' && isLinkTransport(parent.object),
  );
  for (const { object } of pipes) (object as DataConsumer).safeEmit('sctpsendbufferfull');
  // Of pipes within a node the node tells, where this was not heard.
  const nodeOf = (object: object): unknown => mafalda.nodeOf(object as DirectTransport);
  expect(told).toEqual(sinks.map(sink => (nodeOf(sink) === nodeOf(source!) ? 0 : 1)));
});
