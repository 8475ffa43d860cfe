/** RTP capabilities of clients, which mediasoup gets uncopied: it must not find anything to change in them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { PipeTransport, Producer, Router, RtpCapabilities, RtpParameters, Transport } from 'mediasoup/types';
import { copyingFast, readingUncopied } from '../../../../src/core/copies.ts';
import { Mafalda, type MafaldaRouter } from '../../../../src/index.ts';
import { acceptCapabilities } from '../../../../src/remote/server/acceptCapabilities.ts';

const mediaCodecs = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  {
    kind: 'video',
    mimeType: 'video/H264',
    clockRate: 90_000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f' },
  },
] as const;

const rtcpFeedback = [
  { type: 'nack' },
  { type: 'nack', parameter: 'pli' },
  { type: 'goog-remb' },
  { type: 'transport-cc' },
];
const parametersOf: Record<string, RtpParameters> = {
  opus: {
    mid: 'a',
    codecs: [
      { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: { useinbandfec: 1 } },
    ],
    encodings: [{ ssrc: 1111 }],
  },
  VP8: {
    mid: 'v',
    codecs: [
      { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, rtcpFeedback },
      { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
    ],
    encodings: ['r0', 'r1'].map(rid => ({ rid, scalabilityMode: 'L1T3', maxBitrate: 100_000 })),
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 2 }],
  },
  H264: {
    mid: 'h',
    codecs: [
      {
        mimeType: 'video/H264',
        payloadType: 98,
        clockRate: 90_000,
        rtcpFeedback,
        parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f' },
      },
    ],
    encodings: [{ ssrc: 3333 }],
  },
};

let mafalda: Mafalda;
let room: MafaldaRouter;
let transport: Transport;
let pipe: PipeTransport;

beforeAll(async () => {
  mafalda = new Mafalda(mediasoup, { workerBudget: false });
  room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs: [...mediaCodecs] }, maxWorkers: 1 });
  const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
  transport = await room.createWebRtcTransport({ listenInfos: [listenInfo] });
  pipe = await room.createPipeTransport({ listenInfo, enableRtx: true });
});

afterAll(() => mafalda.close());

/** Returns the object that mediasoup gets in the place of a copy. */
const given = <T extends object>(value: T): T => copyingFast(() => structuredClone(value));

/** Capabilities as they arrive: without what mediasoup adds. */
function arrived({ rtpCapabilities }: Router): RtpCapabilities {
  const { codecs = [], headerExtensions = [] } = JSON.parse(JSON.stringify(rtpCapabilities)) as RtpCapabilities;
  for (const codec of codecs) {
    if (codec.rtcpFeedback?.length === 0) delete codec.rtcpFeedback;
    for (const feedback of codec.rtcpFeedback ?? []) if (feedback.parameter === '') delete feedback.parameter;
  }
  return { codecs, headerExtensions };
}

test.each(Object.keys(parametersOf))('what is consumed of %s leaves the given data as it was', async name => {
  const kind = name === 'opus' ? 'audio' : 'video';
  const producer: Producer = await transport.produce({ kind, rtpParameters: parametersOf[name]! });
  const [router] = room.routers.values();
  const rtpCapabilities = acceptCapabilities(arrived(router!));
  const consumable = readingUncopied(() => producer.consumableRtpParameters);
  const uncopied = [given(rtpCapabilities), given(consumable)];
  expect(uncopied[0]).not.toBe(rtpCapabilities);
  expect(uncopied[1]).toBe(consumable);
  const before = structuredClone([rtpCapabilities, ...uncopied]);

  const plain = structuredClone(rtpCapabilities);
  const expected = await transport.consume({ producerId: producer.id, rtpCapabilities: plain });
  for (const options of [
    {},
    { enableRtx: false },
    { paused: true, preferredLayers: { spatialLayer: 0 } },
    { pipe: true },
  ]) {
    const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities, ...options });
    if (Object.keys(options).length === 0)
      expect(consumer.rtpParameters).toMatchObject({ codecs: expected.rtpParameters.codecs });
    // A Consumer gives away copies only.
    consumer.rtpParameters.codecs.length = 0;
    consumer.rtpParameters.headerExtensions!.length = 0;
  }
  await pipe.consume({ producerId: producer.id });
  expect(await room.canConsume({ producerId: producer.id, rtpCapabilities })).toBe(true);
  producer.consumableRtpParameters.codecs.length = 0;
  expect([rtpCapabilities, ...uncopied]).toEqual(before);
  expect([given(rtpCapabilities), given(consumable)].map((value, index) => value === uncopied[index])).toEqual([
    true,
    true,
  ]);
});

test('malformed capabilities are left to mediasoup, which tells the call that uses them', async () => {
  const rtpCapabilities = acceptCapabilities({ codecs: [{ kind: 'audio', mimeType: 'audio/opus' }] });
  expect(given(rtpCapabilities)).not.toBe(given(rtpCapabilities));
  const { id } = await transport.produce({
    kind: 'audio',
    rtpParameters: { ...parametersOf['opus']!, mid: 'b', encodings: [{ ssrc: 5 }] },
  });
  await expect(transport.consume({ producerId: id, rtpCapabilities })).rejects.toThrow('missing codec.clockRate');
});

test('what can’t be capabilities is refused at once', () => {
  expect(() => acceptCapabilities({ codecs: 'none' })).toThrow(TypeError);
});
