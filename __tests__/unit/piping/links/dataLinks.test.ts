/** Links for messages over a network that is slow to carry them, or stops. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DataConsumer, DataProducer, PipeTransport, PlainTransport, Router } from 'mediasoup/types';
import { LinkedRouters } from '../../../helpers/routers.ts';
import { UdpRelay } from '../../../helpers/udpRelay.ts';
import { until } from '../../../helpers/until.ts';

let linked: LinkedRouters;
let relay: UdpRelay;
let source: Router;
let destination: Router;
let producer: DataProducer;

beforeEach(async () => {
  linked = await LinkedRouters.create();
  [source, destination] = linked.routers as [Router, Router];
  relay = await UdpRelay.create();
  const { near, far } = relay.between(linked.links);
  linked.change(source, near);
  linked.change(destination, far);
  producer = await (await source.createDirectTransport()).produceData();
});

afterEach(async () => {
  relay.close();
  await linked.close();
});

async function consume(): Promise<{ consumer: DataConsumer; received: string[] }> {
  await linked.piper.bring({ dataProducerId: producer.id }, destination);
  const consumer = await (await destination.createDirectTransport()).consumeData({ dataProducerId: producer.id });
  const received: string[] = [];
  consumer.on('message', message => received.push(message.toString()));
  return { consumer, received };
}

function dataLinks(): PipeTransport[] {
  const pipes = [...linked.tree.transports.values()].filter(
    (transport): transport is PipeTransport => transport.type === 'pipe',
  );
  return pipes.filter(({ sctpParameters }) => sctpParameters !== undefined);
}

test('what is sent while nothing passes arrives when something does', async () => {
  let packets = 0;
  // The first tries of both ends, and the ones 1 s later.
  relay.isLost = () => ++packets <= 4;
  const { received } = await consume();
  expect(packets).toBeLessThan(4);
  const sent = Array.from({ length: 20 }, (_, number) => `message ${number}`);
  for (const message of sent) producer.send(message);
  await until('all have arrived', () => received.length >= sent.length);
  expect(received).toEqual(sent);
});

test.each(['near', 'far'] as const)(
  'an association that only the %s end has lost closes what went over it, and no media; the next consumer gets another one',
  async side => {
    const { producer: audio } = await linked.produce(source, 'mic');
    await linked.piper.bring({ producerId: audio.id }, destination);
    const { consumer, received } = await consume();
    producer.send('before');
    await until('it has arrived', () => received.length === 1);
    const lost = dataLinks();
    const closed = new Promise<void>(resolve => consumer.once('dataproducerclose', resolve));
    relay.abort(side);
    await closed;
    await until('both ends have closed', () => lost.length === 2 && lost.every(transport => transport.closed));
    expect(producer.closed).toBe(false);
    const [piped] = linked.streams.find(audio.id).filter(({ router }) => router === destination);
    expect(piped?.producer.closed).toBe(false);

    const again = await consume();
    producer.send('after');
    await until('it has arrived', () => again.received.length === 1);
    expect(again.received).toEqual(['after']);
  },
);

test('streams keep what they allow to be lost, but lose nothing of it on the link, unless what is late is useless', async () => {
  const transport: PlainTransport = await source.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    enableSctp: true,
  });
  const given = [
    { ordered: true },
    { ordered: false },
    { ordered: false, maxRetransmits: 3 },
    { ordered: false, maxPacketLifeTime: 500 },
  ];
  for (const [streamId, parameters] of given.entries()) {
    const { id, sctpStreamParameters } = await transport.produceData({
      sctpStreamParameters: { streamId, ...parameters },
    });
    await linked.piper.bring({ dataProducerId: id }, destination);
    const [place] = linked.streams.find(id).filter(({ router }) => router === destination);
    const there = (place!.producer as DataProducer).sctpStreamParameters;
    expect({ ...there, streamId }).toEqual(sctpStreamParameters);
    const carriers = [...linked.tree.nodes()].flatMap(({ type, object }) =>
      type === 'dataConsumer' && object.dataProducerId === id ? [object] : [],
    );
    expect(carriers.map(({ sctpStreamParameters: carried }) => carried?.ordered)).toEqual([
      parameters.maxPacketLifeTime === undefined,
    ]);
  }
});
