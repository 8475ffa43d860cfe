/** A pipe that sleeps from its beginning is what mediasoup makes of a pipe, both by its base class and where that is another one than is expected. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { Consumer, PipeTransport, Producer, Router } from 'mediasoup/types';
import { consumeAsleep } from '../../../../src/piping/links/consumeAsleep.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { mediaCodecs } from '../../../helpers/rtp.ts';

const opened = closingAfterEach();
/** In which browsers answer no second request for a key frame, and a little more. */
const KEY_FRAME_INTERVAL_MS = 330;
const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
let routers: [Router, Router];
let producer: Producer;

beforeEach(async () => {
  const worker = opened(await mediasoup.createWorker());
  routers = [await worker.createRouter({ mediaCodecs }), await worker.createRouter({ mediaCodecs })];
  const source = await routers[0].createDirectTransport();
  producer = await source.produce({
    kind: 'video',
    rtpParameters: {
      codecs: [
        {
          mimeType: 'video/VP8',
          payloadType: 112,
          clockRate: 90000,
          rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
        },
      ],
      encodings: [{ ssrc: 1111 }],
    },
  });
});

afterEach(() => {
  jest.useRealTimers();
});

async function createTransport(enableRtx: boolean): Promise<PipeTransport> {
  return routers[0].createPipeTransport({ listenInfo, enableRtx });
}

function shapeOf({ type, kind, rtpParameters: { codecs, headerExtensions } }: Consumer): unknown {
  return { type, kind, codecs, headerExtensions };
}

function asleep(transport: PipeTransport, enableRtx: boolean, isConnected: boolean): Promise<Consumer> {
  return consumeAsleep(
    transport,
    producer,
    enableRtx,
    () => isConnected,
    consume => consume(producer.id),
  );
}

describe.each([false, true])('a pipe, with RTX: %s', enableRtx => {
  test('is paused, and else as PipeTransport.consume() makes it; the Producer is as before', async () => {
    const before = structuredClone(producer.consumableRtpParameters);
    const expected = await (await createTransport(enableRtx)).consume({ producerId: producer.id });
    const consumer = await asleep(await createTransport(enableRtx), enableRtx, true);
    expect(consumer.paused).toBe(true);
    expect(shapeOf(consumer)).toEqual(shapeOf(expected));
    expect(producer.consumableRtpParameters).toEqual(before);
    await consumer.resume();
    expect(consumer.paused).toBe(false);
  });

  test('is paused too where the base class has no such method, and on a link that is connected is not resumed before the browser is ready for it', async () => {
    for (const isConnected of [false, true]) {
      const transport = await createTransport(enableRtx);
      const expected = await (await createTransport(enableRtx)).consume({ producerId: producer.id });
      // An object of a class that is all its own, as other implementations of mediasoup's API have.
      const foreign = Object.create(Object.prototype, {
        consume: { value: transport.consume.bind(transport) },
      }) as PipeTransport;
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
      const consumer = await asleep(foreign, enableRtx, isConnected);
      expect(consumer.paused).toBe(true);
      expect(shapeOf(consumer)).toEqual(shapeOf(expected));
      const resumed = consumer.resume();
      // The Worker answers in the order in which it is asked.
      await consumer.getStats();
      expect(consumer.paused).toBe(isConnected);
      jest.advanceTimersByTime(KEY_FRAME_INTERVAL_MS);
      await resumed;
      expect(consumer.paused).toBe(false);
      jest.useRealTimers();
    }
  });

  test('is paused too where the base class makes another thing of it than PipeTransport does', async () => {
    const transport = await createTransport(enableRtx);
    class Base {
      async consume(): Promise<Consumer> {
        return transport.consume({ producerId: producer.id });
      }
    }
    class Other extends Base {
      override async consume(): Promise<Consumer> {
        return transport.consume({ producerId: producer.id });
      }
    }
    const consumer = await asleep(new Other() as unknown as PipeTransport, enableRtx, false);
    expect([consumer.paused, consumer.closed]).toEqual([true, false]);
    await consumer.resume();
    expect(consumer.paused).toBe(false);
  });
});
