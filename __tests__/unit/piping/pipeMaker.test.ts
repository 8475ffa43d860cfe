/** Pipes over a known link: both sides are asked at once, and what turns out otherwise than foretold leaves nothing behind. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Consumer, Producer, Router } from 'mediasoup/types';
import { StaleLinkError, type OfferRequest, type PipeEndpoint } from '../../../src/piping/endpoint.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { LinkedRouters } from '../../helpers/routers.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

let linked: LinkedRouters;
let source: Router;
let destination: Router;
let asked: string[];

const second = { producerId: 'second' };

beforeEach(async () => {
  linked = opened(await LinkedRouters.create(2));
  [source, destination] = linked.routers as [Router, Router];
  await linked.produce(source, 'first');
  await linked.produce(source, 'second');
  await linked.piper.bring({ producerId: 'first' }, destination);
  asked = [];
  change();
});

/** Changes what the endpoints answer, and notes what they are asked. */
function change({ offerPipe, acceptPipe }: Partial<PipeEndpoint> = {}): void {
  const { links } = linked;
  for (const router of [source, destination])
    linked.change(router, {
      openLink: request => (asked.push('openLink'), links.openLink(request)),
      offerPipe: request => (asked.push('offerPipe'), (offerPipe ?? links.offerPipe.bind(links))(request)),
      acceptPipe: (...args) => (asked.push('acceptPipe'), (acceptPipe ?? links.acceptPipe.bind(links))(...args)),
    });
}

function copyOf(id: string): Producer | undefined {
  return linked.streams.findPiped(id, destination, source.id)?.producer as Producer | undefined;
}

/** The open Consumers of pipes that a stream leaves its source by. */
function pipesOf(id: string): Consumer[] {
  return [...linked.tree.nodes()].flatMap(node =>
    node.type === 'consumer' && node.object.producerId === id ? [node.object] : [],
  );
}

/** Numbers of ends in the Workers themselves, beside the first stream and its pipe. */
async function left(): Promise<unknown> {
  const [atSource, atDestination] = [await linked.count(source), await linked.count(destination)];
  return { consumers: atSource.consumers - 1, producers: atDestination.producers - 1 };
}

describe('over a known link', () => {
  test('the destination is asked before the source has answered, and packets arrive', async () => {
    let answer!: () => void;
    const held = new Promise<void>(resolve => (answer = resolve));
    change({ offerPipe: request => held.then(() => linked.links.offerPipe(request)) });
    const { transport, producer } = await linked.produce(source, 'third');
    const bringing = linked.piper.bring({ producerId: 'third' }, destination);
    await until('it is produced there', () => copyOf('third') !== undefined);
    expect(asked).toEqual(['offerPipe', 'acceptPipe']);
    answer();
    await bringing;
    const sink = await destination.createDirectTransport();
    const consumer = await sink.consume({ producerId: 'third', rtpCapabilities: destination.rtpCapabilities });
    let received = 0;
    consumer.on('rtp', () => ++received);
    const packet = Buffer.alloc(40);
    packet[0] = 0x80;
    packet[1] = 111;
    packet.writeUInt32BE(1111, 8);
    const sending = setInterval(() => {
      packet.writeUInt16BE((packet.readUInt16BE(2) + 1) % 65536, 2);
      producer.send(packet);
    }, 5);
    await until('packets arrive', () => received > 10).finally(() => clearInterval(sending));
    transport.close();
  });

  test('the ends share their fate', async () => {
    await linked.piper.bring(second, destination);
    const [pipe] = pipesOf('second');
    copyOf('second')!.close();
    expect(pipe!.closed).toBe(true);
  });

  test('a source that chooses SSRCs of its own is asked first from then on', async () => {
    const { links } = linked;
    change({ offerPipe: (request: OfferRequest) => links.offerPipe({ ...request, ssrcs: undefined }) });
    await linked.produce(source, 'third');
    await linked.piper.bring(second, destination);
    expect([copyOf('second')?.closed, pipesOf('second').length]).toEqual([false, 1]);
    expect(await left()).toEqual({ consumers: 1, producers: 1 });
    asked.length = 0;
    let isOffered = false;
    change({
      offerPipe: async ({ ssrcs, ...request }: OfferRequest) => {
        expect(ssrcs).toBeUndefined();
        const offer = await links.offerPipe(request);
        isOffered = true;
        return offer;
      },
      acceptPipe: request => (expect(isOffered).toBe(true), links.acceptPipe(request)),
    });
    await linked.piper.bring({ producerId: 'third' }, destination);
    expect(copyOf('third')?.closed).toBe(false);
  });

  test('a pipe that had to be made anew is no arrival of what was announced, and one of what is brought', async () => {
    const { links } = linked;
    change({ offerPipe: (request: OfferRequest) => links.offerPipe({ ...request, ssrcs: undefined }) });
    const { arrived } = await linked.piper.announce(second, destination);
    const brought = linked.piper.bring(second, destination);
    await expect(arrived).rejects.toThrow(StaleLinkError);
    await brought;
    expect(copyOf('second')?.closed).toBe(false);
  });

  test('a stream whose origin has ended leaves nothing at its destination', async () => {
    const { links } = linked;
    const { producer } = await linked.produce(source, 'third');
    change({ offerPipe: request => (producer.close(), links.offerPipe(request)) });
    await linked.piper.bring({ producerId: 'third' }, destination).catch(() => undefined);
    expect([pipesOf('third'), copyOf('third')]).toEqual([[], undefined]);
    expect(await left()).toEqual({ consumers: 0, producers: 0 });
  });

  test.each(['offerPipe', 'acceptPipe'] as const)('%s fails: the other side is withdrawn', async name => {
    const failure = new Error('it failed');
    change({ [name]: () => Promise.reject(failure) });
    await expect(linked.piper.bring(second, destination)).rejects.toBe(failure);
    expect(await left()).toEqual({ consumers: 0, producers: 0 });
    change();
    await linked.piper.bring(second, destination);
    expect(await left()).toEqual({ consumers: 1, producers: 1 });
  });

  test.each(['source', 'destination'] as const)('an end at the %s that was closed is noticed', async where => {
    const { links } = linked;
    const pipes = [...linked.tree.transports.values()].filter(({ type }) => type === 'pipe');
    const end = pipes.find(
      transport =>
        linked.tree.nodeOf<'transport'>(transport)?.parent?.object === (where === 'source' ? source : destination),
    )!;
    let calls = 0;
    const closing = (): void => void (++calls === 1 && end.close());
    change(
      where === 'source'
        ? { offerPipe: request => (closing(), links.offerPipe(request)) }
        : { acceptPipe: request => (closing(), links.acceptPipe(request)) },
    );
    await linked.piper.bring(second, destination);
    expect([copyOf('second')?.closed, pipesOf('second').map(({ closed }) => closed)]).toEqual([false, [false]]);
  });

  test('a copy that another controller has made is left alone, and used', async () => {
    const { links } = linked;
    const others = await links.offerPipe({
      routerId: source.id,
      remoteRouterId: destination.id,
      link: 'media',
      network: false,
      stream: second,
      ssrcs: { media: 111_111_111, rtx: 222_222_222 },
    });
    const { near } = { near: others.end };
    // The other controller's request comes first; a MafaldaRouter accepts a stream once.
    change({
      acceptPipe: ({ stream, ...request }) =>
        links.acceptPipe({
          ...request,
          remote: near,
          stream: { ...stream, rtpParameters: (others.consumer as Consumer).rtpParameters } as typeof stream,
        }),
    });
    await linked.piper.bring(second, destination);
    expect(copyOf('second')?.closed).toBe(false);
    expect(pipesOf('second')).toEqual([others.consumer]);
  });
});
