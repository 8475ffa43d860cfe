/** Numbers that make no sense are refused, or taken, over a wire as by plain mediasoup: in the same class of error. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import * as ortc from 'mediasoup/ortc';
import type {
  Consumer,
  DataConsumer,
  DataProducer,
  DirectTransport,
  Router,
  WebRtcTransport,
  Worker,
} from 'mediasoup/types';
import { RemoteMafaldaClient, type MafaldaRouter } from '../../../src/index.ts';
import { mediaCodecs, opus } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const values = [1.5, -1, NaN, Infinity, 2 ** 53];

interface Scene {
  router: Router | MafaldaRouter;
  webRtc: WebRtcTransport;
  direct: DirectTransport;
  consumer: Consumer;
  dataProducer: DataProducer;
  dataConsumer: DataConsumer;
}

let ssrc = 1;

const rtpCapabilities = ortc.generateRouterRtpCapabilities(mediaCodecs);

async function sceneIn(router: Router | MafaldaRouter): Promise<Scene> {
  const webRtc = await router.createWebRtcTransport({ listenInfos: [listenInfo], enableSctp: true });
  const direct = await router.createDirectTransport();
  const { id: producerId } = await direct.produce({ kind: 'audio', rtpParameters: opus(++ssrc) });
  const consumer = await direct.consume({ producerId, rtpCapabilities });
  const dataProducer = await direct.produceData();
  return {
    router,
    webRtc,
    direct,
    consumer,
    dataProducer,
    dataConsumer: await webRtc.consumeData({ dataProducerId: dataProducer.id }),
  };
}

const transportOptions = [
  'initialAvailableOutgoingBitrate',
  'maxSendMessageSize',
  'maxReceiveMessageSize',
  'sctpSendBufferSize',
  'sctpPerStreamSendQueueLimit',
  'iceConsentTimeout',
];

const uses: [string, (scene: Scene, value: number) => unknown][] = [
  ['setMaxIncomingBitrate', ({ webRtc }, value) => webRtc.setMaxIncomingBitrate(value)],
  ['setMaxOutgoingBitrate', ({ webRtc }, value) => webRtc.setMaxOutgoingBitrate(value)],
  ['setMinOutgoingBitrate', ({ webRtc }, value) => webRtc.setMinOutgoingBitrate(value)],
  ...transportOptions.map((name): (typeof uses)[number] => [
    `createWebRtcTransport().${name}`,
    ({ router }, value) => router.createWebRtcTransport({ listenInfos: [listenInfo], enableSctp: true, [name]: value }),
  ]),
  [
    'sendBufferSize',
    ({ router }, value) => router.createPlainTransport({ listenInfo: { ...listenInfo, sendBufferSize: value } }),
  ],
  ['createDirectTransport()', ({ router }, value) => router.createDirectTransport({ maxSendMessageSize: value })],
  ['setPriority', ({ consumer }, value) => consumer.setPriority(value)],
  ['spatialLayer', ({ consumer }, spatialLayer) => consumer.setPreferredLayers({ spatialLayer })],
  ['temporalLayer', ({ consumer }, temporalLayer) => consumer.setPreferredLayers({ spatialLayer: 0, temporalLayer })],
  ['setBufferedAmountLowThreshold', ({ dataConsumer }, value) => dataConsumer.setBufferedAmountLowThreshold(value)],
  ['addSubchannel', ({ dataConsumer }, value) => dataConsumer.addSubchannel(value)],
  ['removeSubchannel', ({ dataConsumer }, value) => dataConsumer.removeSubchannel(value)],
  ['setSubchannels', ({ dataConsumer }, value) => dataConsumer.setSubchannels([value])],
  ['ppid', ({ dataConsumer }, value) => dataConsumer.send('x', value)],
  ['subchannels of a message', ({ dataProducer }, value) => dataProducer.send('x', undefined, [value], value)],
  ['interval of an ActiveSpeakerObserver', ({ router }, interval) => router.createActiveSpeakerObserver({ interval })],
  ['interval', ({ router }, interval) => router.createAudioLevelObserver({ interval })],
  ['threshold', ({ router }, threshold) => router.createAudioLevelObserver({ threshold })],
  ['maxEntries', ({ router }, maxEntries) => router.createAudioLevelObserver({ maxEntries })],
  ['streamId', ({ webRtc }, streamId) => webRtc.produceData({ sctpStreamParameters: { streamId } })],
  [
    'maxPacketLifeTime',
    ({ webRtc, dataProducer: { id } }, maxPacketLifeTime) =>
      webRtc.consumeData({ dataProducerId: id, ordered: false, maxPacketLifeTime }),
  ],
  [
    'maxRetransmits',
    ({ webRtc, dataProducer: { id } }, maxRetransmits) =>
      webRtc.consumeData({ dataProducerId: id, ordered: false, maxRetransmits }),
  ],
];

let worker: Worker;
let served: Served;
let client: RemoteMafaldaClient;
let plain: Scene;
let remote: Scene;

beforeAll(async () => {
  worker = await mediasoup.createWorker();
  served = await Served.create();
  client = new RemoteMafaldaClient(served.url);
  await untilConnected(client);
  plain = await sceneIn(await worker.createRouter({ mediaCodecs }));
  remote = await sceneIn(client.createMafaldaRouter({ routerOptions: { mediaCodecs } }));
});

afterAll(async () => {
  worker.close();
  await client.close();
  await served.close();
});

async function outcome(use: () => unknown): Promise<string> {
  try {
    await use();
    return 'taken';
  } catch (error) {
    return (error as Error).constructor.name;
  }
}

test.each(uses)('%s', async (_name, use) => {
  const outcomes = async (scene: Scene): Promise<string[]> => {
    const list: string[] = [];
    for (const value of values) list.push(`${value}: ${await outcome(() => use(scene, value))}`);
    return list;
  };
  expect(await outcomes(remote)).toEqual(await outcomes(plain));
});

test('a bitrate in RTP parameters, which plain mediasoup refuses in the middle of a message to its Worker, does no harm', async () => {
  const produce = (maxBitrate: number): Promise<unknown> =>
    remote.direct.produce({ kind: 'audio', rtpParameters: { ...opus(++ssrc), encodings: [{ ssrc, maxBitrate }] } });
  for (const value of [1.5, NaN, Infinity]) expect(await outcome(() => produce(value))).toBe('RangeError');
  await produce(1);
});
