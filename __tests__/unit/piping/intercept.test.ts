import { beforeEach, describe, expect, test } from '@jest/globals';
import { NotFoundError, UnsupportedError } from 'mediasoup/errors';
import type { ConsumerOptions, DirectTransport, Router } from 'mediasoup/types';
import { streamKey, type StreamId } from '../../../src/piping/endpoint.ts';
import { interceptRtpObserver, interceptTransport, type StreamAccess } from '../../../src/piping/intercept.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { LinkedRouters } from '../../helpers/routers.ts';

const opened = closingAfterEach();

let linked: LinkedRouters;
let transport: DirectTransport;
let asked: StreamId[];
let find: StreamAccess['find'];
let access: StreamAccess;

beforeEach(async () => {
  linked = opened(await LinkedRouters.create(2));
  const [source, destination] = linked.routers as [Router, Router];
  await linked.produce(source, 'mic');
  transport = await destination.createDirectTransport();
  asked = [];
  find = async stream => {
    asked.push(stream);
    await linked.piper.bring(stream, destination);
    return { id: streamKey(stream) };
  };
  access = {
    streams: linked.streams,
    find: (stream, surely) => find(stream, surely),
    isHere: router => router === destination,
    isArriving: () => false,
  };
  interceptTransport(transport, destination, access);
});

function options(changes: object = {}): ConsumerOptions {
  return { producerId: 'mic', rtpCapabilities: linked.routers[0]!.rtpCapabilities, ...changes };
}

describe('an intercepted Transport', () => {
  test('consumes what is elsewhere, and stays the same object', async () => {
    const consumer = await transport.consume(options({ appData: { by: 'me' } }));
    expect([consumer.producerId, consumer.appData]).toEqual(['mic', { by: 'me' }]);
    expect(asked).toEqual([{ producerId: 'mic' }]);
    expect(linked.tree.transports.get(transport.id)).toBe(transport);
  });

  test('does not change the options that it is given', async () => {
    await expect(transport.consume(Object.freeze(options()))).resolves.toBeDefined();
  });

  test('refuses what nobody has, in mediasoup’s words', async () => {
    await expect(transport.consume(options({ producerId: 'nobody' }))).rejects.toThrow(
      new NotFoundError('Producer with id "nobody" not found'),
    );
    await expect(transport.consumeData({ dataProducerId: 'nobody' })).rejects.toThrow(
      new NotFoundError('DataProducer with id "nobody" not found'),
    );
    // What is wrong with the call itself is told first, as mediasoup does.
    await expect(
      transport.consume(options({ producerId: 'nobody', rtpCapabilities: { codecs: 'VP8' } })),
    ).rejects.toThrow(TypeError);
    expect(asked).toEqual([]);
  });

  test.each([
    ['no options', undefined],
    ['no producerId', { producerId: undefined }],
    ['an empty producerId', { producerId: '' }],
    ['a producerId that is no text', { producerId: 5 }],
    ['appData that is no object', { appData: 'text' }],
    ['a mid that is no text', { mid: 5 }],
    ['RTP capabilities that are none', { rtpCapabilities: { codecs: 'VP8' } }],
    ['no RTP capabilities', { rtpCapabilities: undefined }],
  ])('finds nothing for %s, which is refused', async (_what, changes) => {
    const given = changes ? options(changes) : undefined;
    await expect(transport.consume(given as ConsumerOptions)).rejects.toThrow(TypeError);
    expect(asked).toEqual([]);
  });

  test('finds nothing for RTP capabilities that do not go with the Producer', async () => {
    await expect(transport.consume(options({ rtpCapabilities: { codecs: [] } }))).rejects.toThrow(UnsupportedError);
    expect(asked).toEqual([]);
  });

  test('checks RTP capabilities once for all streams of the same codecs', async () => {
    const { codecs } = linked.routers[0]!.rtpCapabilities;
    let reads = 0;
    const rtpCapabilities = {
      get codecs() {
        ++reads;
        return codecs;
      },
    };
    const readsOf = async (producerId: string): Promise<number> => {
      const before = reads;
      await transport.consume(options({ producerId, rtpCapabilities }));
      return reads - before;
    };
    await linked.produce(linked.routers[0]!, 'second mic');
    expect(await readsOf('mic')).toBeGreaterThan(await readsOf('second mic'));
    expect(asked).toEqual([{ producerId: 'mic' }, { producerId: 'second mic' }]);
  });

  test('finds nothing once it is closed', async () => {
    transport.close();
    await expect(transport.consume(options())).rejects.toThrow();
    await expect(transport.consumeData({ dataProducerId: 'chat' })).rejects.toThrow();
    expect(asked).toEqual([]);
  });

  test('passes on why a stream could not be brought', async () => {
    find = () => Promise.reject(new Error('no way there'));
    await expect(transport.consume(options())).rejects.toThrow('no way there');
  });

  test('that closes while the stream is brought rejects', async () => {
    const bring = find;
    find = async (stream, surely) => {
      const found = await bring(stream, surely);
      transport.close();
      return found;
    };
    await expect(transport.consume(options())).rejects.toThrow();
  });
});

describe('an intercepted RtpObserver', () => {
  test('takes Producers from elsewhere, and leaves what makes no sense to mediasoup', async () => {
    const observer = await linked.routers[1]!.createAudioLevelObserver();
    interceptRtpObserver(observer, access);
    await observer.addProducer({ producerId: 'mic' });
    expect(asked).toEqual([{ producerId: 'mic' }]);
    await expect(observer.addProducer({ producerId: 5 as unknown as string })).rejects.toThrow();
    await expect(observer.addProducer({ producerId: 'nobody' })).rejects.toThrow(NotFoundError);
    expect(asked).toHaveLength(1);
  });
});
