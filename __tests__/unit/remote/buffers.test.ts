/** Buffers travel in packets of their own, and socket.io's parser takes a few of them for each message only. */
import { expect, test } from '@jest/globals';
import type { RtpParameters } from 'mediasoup/types';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

async function connect(): Promise<{ served: Served; client: RemoteMafaldaClient; cuts: string[] }> {
  const served = opened(await Served.create());
  const client = opened(new RemoteMafaldaClient(served.url));
  const cuts: string[] = [];
  client.on('disconnected', reason => cuts.push(reason));
  await untilConnected(client);
  return { served, client, cuts };
}

test('many at once, both ways, cost no connection', async () => {
  const { client, cuts } = await connect();
  const transport = await client.createMafaldaRouter().createDirectTransport();
  const producer = await transport.produceData();
  const consumer = await transport.consumeData({ dataProducerId: producer.id });
  const received: string[] = [];
  consumer.on('message', message => received.push(message.toString()));
  const sent = Array.from({ length: 100 }, (_, index) => `message ${index}`);
  for (const text of sent) producer.send(Buffer.from(text));
  await until('all have arrived', () => received.length >= sent.length);
  expect([received, cuts]).toEqual([sent, []]);
});

test('more in one call than can be sent are refused', async () => {
  const { client, cuts } = await connect();
  const mafaldaRouter = client.createMafaldaRouter();
  const buffers = (count: number): Buffer[] => Array.from({ length: count }, () => Buffer.from('x'));
  const transport = await mafaldaRouter.createDirectTransport();
  const tooMany = { codecs: buffers(11) } as unknown as RtpParameters;
  await expect(transport.produce({ kind: 'audio', rtpParameters: tooMany })).rejects.toThrow(RangeError);
  // More than can be sent of an appData stays with the application.
  const appData = { all: buffers(11) };
  expect((await mafaldaRouter.createDirectTransport({ appData })).appData).toBe(appData);
  expect(cuts).toEqual([]);
});

test('beside what looks like one in the eyes of socket.io, arrive', async () => {
  const { served, client, cuts } = await connect();
  const appData = {
    picture: Buffer.from('x'),
    lie: { _placeholder: true, num: 9 },
    list: [{ _placeholder: true, num: 0 }],
  };
  await client.createMafaldaRouter({ id: 'room' }).createDirectTransport({ appData });
  const other = opened(new RemoteMafaldaClient(served.url));
  const mafaldaRouter = other.createMafaldaRouter({ id: 'room' });
  await mafaldaRouter.getRtpCapabilities();
  const [copy] = [...mafaldaRouter.transports.values()];
  expect(copy!.appData).toEqual(appData);
  expect(cuts).toEqual([]);
});

/** The properties of an object travel together with its appData. */
test('beside properties that look like one, arrive', async () => {
  const { served, client, cuts } = await connect();
  const transport = await client
    .createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } })
    .createDirectTransport();
  const codecs = [{ mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: 111 }];
  const encodings = [{ ssrc: 1, _placeholder: true, num: 9, $ref: 1 }];
  const producer = await transport.produce({
    kind: 'audio',
    rtpParameters: { codecs, encodings },
    appData: { picture: Buffer.from('x') },
  });
  expect(producer.rtpParameters.encodings).toMatchObject(encodings);
  const other = opened(new RemoteMafaldaClient(served.url));
  const mafaldaRouter = other.createMafaldaRouter({ id: 'room' });
  await expect(mafaldaRouter.getRtpCapabilities()).resolves.toBeDefined();
  expect([mafaldaRouter.transports.size, cuts]).toEqual([1, []]);
});
