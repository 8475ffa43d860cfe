/** Who has not been let in gets nothing, and costs little; what arguments are made of is looked at before mediasoup is. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Transport } from 'mediasoup/types';
import { RemoteMafaldaClient, type MafaldaRouter } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { RawWebSocket } from '../../helpers/rawWebSocket.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

const opened = closingAfterEach();

describe('a stranger', () => {
  let asked: number;
  let served: Served;
  let raw: RawWebSocket;

  beforeEach(async () => {
    asked = 0;
    // Who is not told at once might ask again and again.
    const auth = async (): Promise<boolean> => {
      ++asked;
      return new Promise(() => undefined);
    };
    served = opened(await Served.create({ auth }));
    raw = opened(await RawWebSocket.connect(served.url));
  });

  test('is cut off when it says much', async () => {
    for (let index = 0; index < 30; ++index) raw.send({ opcode: 1, payload: '40{"protocol":1}' });
    await raw.untilClosed();
    expect(asked).toBeLessThanOrEqual(20);
    expect(served.server.counts.clients).toBe(0);
  });

  test('is cut off when it says something long, or what belongs to no packet', async () => {
    raw.send({ opcode: 1, payload: `40{"protocol":1,"token":"${'x'.repeat(70_000)}"}` });
    await raw.untilClosed();
    const other = opened(await RawWebSocket.connect(served.url));
    other.send({ opcode: 1, payload: '451-["message",{"_placeholder":true,"num":0}]' });
    for (let index = 0; index < 3; ++index) other.send({ opcode: 2, payload: Buffer.alloc(30_000) });
    await other.untilClosed();
    expect(asked).toBe(0);
  });

  test('is cut off when it says nothing of itself', async () => {
    // Within the time that a handshake may take.
    await raw.untilClosed();
    expect([asked, served.server.counts.clients]).toEqual([0, 0]);
  });
});

/** Of these mediasoup would begin to write a message to its Worker, and never be able to write another one. */
describe('arguments of a wrong type do no harm to a Worker that others use:', () => {
  const codecs = [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }];
  const evil = { toString: 1, valueOf: 1 };
  let mafaldaRouter: MafaldaRouter;
  let transport: Transport;

  beforeEach(async () => {
    const served = opened(await Served.create());
    const client = opened(new RemoteMafaldaClient(served.url));
    await untilConnected(client);
    mafaldaRouter = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    transport = await mafaldaRouter.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
  });

  const wrong: [string, () => Promise<unknown>, RegExp][] = [
    [
      'a bitrate that is no integer',
      () =>
        transport.produce({ kind: 'audio', rtpParameters: { codecs, encodings: [{ ssrc: 1, maxBitrate: 1000.5 }] } }),
      /produce\(\)\.rtpParameters\.encodings\[0\]\.maxBitrate must be an integer/,
    ],
    ['another one', () => transport.setMaxIncomingBitrate(evil as unknown as number), /argument 1 must be an integer/],
    [
      'an object for a number',
      () => transport.produceData({ sctpStreamParameters: { streamId: evil as unknown as number } }),
      /streamId must be a number/,
    ],
    [
      'an object for a boolean',
      () =>
        mafaldaRouter.createPlainTransport({
          listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
          comedia: evil as unknown as boolean,
        }),
      /comedia must be a boolean/,
    ],
    [
      'a long list of nothing',
      () => transport.consumeData({ dataProducerId: 'x', subchannels: { length: 1e9 } as unknown as number[] }),
      /subchannels must be an array of numbers/,
    ],
    [
      'a text for an object',
      () => transport.produce({ kind: 'audio', rtpParameters: 'x' as unknown as { codecs: [] } }),
      /rtpParameters must be an object/,
    ],
    [
      'another object for options',
      () => transport.produce(transport as unknown as { kind: 'audio'; rtpParameters: { codecs: [] } }),
      /argument 1 must be an object/,
    ],
  ];

  test.each(wrong)('%s', async (what, call, message) => {
    await expect(call()).rejects.toThrow(message);
    // As mediasoup, where it does not notice before it is in the middle of a message to the Worker.
    await expect(call()).rejects.toThrow(what === 'a bitrate that is no integer' ? RangeError : TypeError);
    expect(await transport.dump()).toMatchObject({ id: transport.id });
    await expect(
      transport.produce({ kind: 'audio', rtpParameters: { codecs, encodings: [{ ssrc: 1, maxBitrate: 1000 }] } }),
    ).resolves.toBeDefined();
  });
});
