/** A pipe is foretold as mediasoup makes it. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import crypto from 'node:crypto';
import * as mediasoup from 'mediasoup';
import type { Consumer, PipeTransport, Producer, Router, RtpParameters } from 'mediasoup/types';
import {
  assertSsrcs,
  drawSsrcs,
  foretell,
  isAsForetold,
  isOnePipe,
  withSsrcs,
  type Ssrcs,
} from '../../../src/piping/foretold.ts';
import { consumeAsleep } from '../../../src/piping/links/consumeAsleep.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';

const opened = closingAfterEach();
const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
let router: Router;

beforeEach(async () => {
  const worker = opened(await mediasoup.createWorker());
  router = await worker.createRouter({ mediaCodecs });
});

const streams: Readonly<Record<string, { kind: 'audio' | 'video'; rtpParameters: RtpParameters }>> = {
  audio: {
    kind: 'audio',
    rtpParameters: {
      codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
      headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 }],
      encodings: [{ ssrc: 1111 }],
    },
  },
  'simulcast with RTX': {
    kind: 'video',
    rtpParameters: {
      mid: 'video',
      codecs: [
        {
          mimeType: 'video/VP8',
          payloadType: 112,
          clockRate: 90000,
          rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }],
        },
        { mimeType: 'video/rtx', payloadType: 113, clockRate: 90000, parameters: { apt: 112 } },
      ],
      headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 }],
      encodings: ['low', 'mid', 'high'].map(rid => ({ rid, scalabilityMode: 'L1T3' })),
    },
  },
};

function consume(transport: PipeTransport, { id }: Producer, ssrcs: Ssrcs): Promise<Consumer> {
  return withSsrcs(ssrcs, () => transport.consume({ producerId: id }));
}

describe.each(Object.keys(streams))('of %s', name => {
  test.each([true, false])('is exactly what mediasoup makes, with RTX: %s', async enableRtx => {
    const producer = await (await router.createDirectTransport()).produce(streams[name]!);
    const ssrcs = drawSsrcs();
    const foretold = foretell(producer, ssrcs, enableRtx);
    const transport = await router.createPipeTransport({ listenInfo, enableRtx });
    const { rtpParameters } = await consume(transport, producer, ssrcs);
    expect(rtpParameters).toEqual(foretold);
    expect(rtpParameters.encodings![0]!.ssrc).toBe(ssrcs.media);
  });

  test.each([true, false])('is what mediasoup makes of a pipe that sleeps, with RTX: %s', async enableRtx => {
    const producer = await (await router.createDirectTransport()).produce(streams[name]!);
    const ssrcs = drawSsrcs();
    const transport = await router.createPipeTransport({ listenInfo, enableRtx });
    const asleep = await consumeAsleep(
      transport,
      producer,
      enableRtx,
      () => true,
      call => withSsrcs(ssrcs, () => call(producer.id)),
    );
    expect([asleep.paused, isAsForetold(asleep, foretell(producer, ssrcs, enableRtx))]).toEqual([true, true]);
  });

  test('is not what mediasoup makes with SSRCs of its own', async () => {
    const producer = await (await router.createDirectTransport()).produce(streams[name]!);
    const transport = await router.createPipeTransport({ listenInfo, enableRtx: true });
    const consumer = await transport.consume({ producerId: producer.id });
    expect(isAsForetold(consumer, foretell(producer, drawSsrcs(), true))).toBe(false);
  });
});

test('two ends are of one pipe if packets of the one arrive at the other', async () => {
  const producer = await (await router.createDirectTransport()).produce(streams['audio']!);
  const near = await router.createPipeTransport({ listenInfo });
  const far = await (
    await router.createPipeTransport({ listenInfo })
  ).produce({
    kind: 'audio',
    rtpParameters: foretell(producer, { media: 200_000_000, rtx: 300_000_000 }, false),
  });
  const ours = await consume(near, producer, { media: 200_000_000, rtx: 300_000_000 });
  const others = await consume(near, producer, { media: 200_000_001, rtx: 300_000_001 });
  expect([isOnePipe(ours, far), isOnePipe(others, far)]).toEqual([true, false]);
});

test('only mediasoup’s draw in that call is replaced, also if it fails', () => {
  const draw = crypto.randomInt;
  const drawn = withSsrcs({ media: 100_000_001, rtx: 100_000_002 }, () =>
    Array.from({ length: 3 }, () => crypto.randomInt(5, 6)),
  );
  expect(drawn).toEqual([100_000_001, 100_000_002, 5]);
  const failing = (): never => {
    throw new Error('it failed');
  };
  expect(() => withSsrcs(drawSsrcs(), failing)).toThrow('it failed');
  expect(crypto.randomInt).toBe(draw);
});

test.each([0, 99_999_999, 1e9, 100_000_000.5, NaN, '123456789'])('%p is no SSRC', ssrc => {
  expect(() => assertSsrcs({ media: ssrc as number, rtx: 123_456_789 })).toThrow(TypeError);
  expect(() => assertSsrcs({ media: 123_456_789, rtx: ssrc as number })).toThrow('ssrcs must be integers');
  expect(() => assertSsrcs(drawSsrcs())).not.toThrow();
});
