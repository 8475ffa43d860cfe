/** Pipes between servers, over addresses of either family, and over names; and what an announced address of IPv6 means. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { UnsupportedError } from 'mediasoup/errors';
import type { DataProducer, DirectTransport, TransportListenInfo } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  type MafaldaRouter,
  type RemoteMafaldaServerOptions,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs, opus } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const loopback4: TransportListenInfo = { protocol: 'udp', ip: '127.0.0.1' };
const loopback6: TransportListenInfo = { protocol: 'udp', ip: '::1' };

const localRoom = (announcedAddress: string): MafaldaRouter =>
  opened(new Mafalda(mediasoup, { workerBudget: false, announcedAddress })).createMafaldaRouter({
    routerOptions: { mediaCodecs },
  });

async function remoteRoom(announcedAddress: string): Promise<MafaldaRouter> {
  const client = opened(new RemoteMafaldaClient(opened(await Served.create({ announcedAddress })).url));
  await untilConnected(client);
  return client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
}

test.each([
  ['server', remoteRoom],
  ['Mafalda', localRoom],
])('a %s that announces an address of IPv6 listens on IPv6', async (_what, create) => {
  const announced = '2001:db8::7';
  const room = await create(announced);
  const transport = await room.createWebRtcTransport({});
  expect(transport.iceCandidates.map(({ address }) => address)).toEqual([announced, announced]);
  const [plain, pipe] = [await room.createPlainTransport({}), await room.createPipeTransport({})];
  expect([plain.tuple, pipe.tuple].map(({ localAddress }) => localAddress)).toEqual([announced, announced]);
  const socket = createSocket('udp6');
  await until('a packet for it arrives', async () => {
    socket.send(Buffer.alloc(20), plain.tuple.localPort, '::1');
    return (await plain.getStats())[0]!.bytesReceived > 0;
  });
  socket.close();
});

interface Cluster {
  room: MafaldaRouter;
  /** A DirectTransport on each server. */
  transports: [DirectTransport, DirectTransport];
}

async function clusterOf(
  options: [Partial<RemoteMafaldaServerOptions>, Partial<RemoteMafaldaServerOptions>],
): Promise<Cluster> {
  const nodes = await Promise.all(options.map(async each => opened(await Served.create(each)).url));
  const mafalda = opened(new MafaldaHorizontal(nodes));
  await once(mafalda, 'connected');
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const [one, other] = await Promise.all(nodes.map(node => room.createDirectTransport({ placement: { node } })));
  return { room, transports: [one!, other!] };
}

/** Consumes a stream of each kind at the other server. */
async function consumeThere({
  room,
  transports: [source, sink],
}: Cluster): Promise<{ producer: DataProducer; received: () => number }> {
  const [audio, data] = [
    await source.produce({ kind: 'audio', rtpParameters: opus(1111) }),
    await source.produceData(),
  ];
  const rtpCapabilities = await room.getRtpCapabilities();
  const [consumer, dataConsumer] = await Promise.all([
    sink.consume({ producerId: audio.id, rtpCapabilities }),
    sink.consumeData({ dataProducerId: data.id }),
  ]);
  let received = 0;
  dataConsumer.on('message', () => ++received);
  expect([consumer.closed, dataConsumer.closed]).toEqual([false, false]);
  return { producer: data, received: () => received };
}

const pairs: [string, Partial<RemoteMafaldaServerOptions>, Partial<RemoteMafaldaServerOptions>][] = [
  [
    'that list their families in different orders',
    { listenInfos: [loopback4, loopback6] },
    { listenInfos: [loopback6, loopback4] },
  ],
  ['of which one has both families', { listenInfos: [loopback4, loopback6] }, { listenInfos: [loopback6] }],
  ['of IPv6', { pipeListenInfo: loopback6 }, { pipeListenInfo: loopback6 }],
  ['that announce themselves by a name', { announcedAddress: 'localhost' }, { announcedAddress: 'localhost' }],
  ['of which one announces itself by a name', { announcedAddress: '127.0.0.1' }, { announcedAddress: 'localhost' }],
  [
    'that listen on all addresses and announce none',
    { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] },
    { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] },
  ],
];

test.each(pairs)('servers %s have pipes in both directions', async (_what, ...options) => {
  const { room, transports } = await clusterOf(options);
  for (const direction of [transports, [...transports].reverse() as typeof transports]) {
    const { producer, received } = await consumeThere({ room, transports: direction });
    producer.send('hello');
    await until('it arrives', () => received() > 0);
  }
});

test.each([
  [loopback4, loopback6],
  [loopback6, loopback4],
])('servers without a family in common say so before anything is made', async (...pipeListenInfos) => {
  const cluster = await clusterOf([{ pipeListenInfo: pipeListenInfos[0] }, { pipeListenInfo: pipeListenInfos[1] }]);
  const failing = consumeThere(cluster);
  await expect(failing).rejects.toThrow(UnsupportedError);
  await expect(failing).rejects.toThrow(/reached over IPv[46], to Router .* reached over IPv[46]/);
  expect([...cluster.room.transports.values()].filter(({ type }) => type === 'pipe')).toEqual([]);
});

test.each([
  ['source', { announcedAddress: 'no-such-host.invalid' }, { announcedAddress: '127.0.0.1' }],
  ['destination', { announcedAddress: '127.0.0.1' }, { announcedAddress: 'no-such-host.invalid' }],
])('a %s whose name has no address fails the consume(), and nothing of it stays', async (_which, ...options) => {
  const { room, transports } = await clusterOf(options);
  const [source, sink] = transports;
  const [audio, data] = [
    await source.produce({ kind: 'audio', rtpParameters: opus(1111) }),
    await source.produceData(),
  ];
  const rtpCapabilities = await room.getRtpCapabilities();
  for (let attempt = 1; attempt <= 2; ++attempt) {
    const results = await Promise.allSettled([
      sink.consume({ producerId: audio.id, rtpCapabilities }),
      sink.consumeData({ dataProducerId: data.id }),
    ]);
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { name: 'TypeError', message: expect.stringMatching(/invalid IP "no-such-host.invalid"/) },
      });
    }
  }
  expect([audio.closed, data.closed]).toEqual([false, false]);
  const usedBy = async (transport: DirectTransport) => {
    const { producerIds, consumerIds, dataProducerIds, dataConsumerIds } = await transport.dump();
    return {
      producers: producerIds.length,
      consumers: consumerIds.length,
      dataProducers: dataProducerIds.length,
      dataConsumers: dataConsumerIds.length,
    };
  };
  expect(await usedBy(source)).toEqual({ producers: 1, consumers: 0, dataProducers: 1, dataConsumers: 0 });
  await until('the other has nothing', async () => Object.values(await usedBy(sink)).every(count => count === 0));
});
