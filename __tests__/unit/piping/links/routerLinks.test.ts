/** A controller may go while it makes a pipe: the ends of a pipe that is half made close by themselves. */
import { expect, test } from '@jest/globals';
import type { Consumer, PipeTransport, Router } from 'mediasoup/types';
import { Aliases } from '../../../../src/local/aliases.ts';
import { IdlePipes } from '../../../../src/piping/links/idlePipes.ts';
import { RouterLinks } from '../../../../src/piping/links/routerLinks.ts';
import { toPipedStream } from '../../../../src/piping/endpoint.ts';
import { drawSsrcs, type Ssrcs } from '../../../../src/piping/foretold.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { LinkedRouters } from '../../../helpers/routers.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();
const COMPLETION_MS = 200;
const LONG_MS = 600_000;

test('an end that nobody connects closes, and so does a pipe that its destination has not accepted; one that is whole stays', async () => {
  const linked = opened(await LinkedRouters.create());
  const {
    tree,
    streams,
    routers: [source, destination],
  } = linked;
  const links = new RouterLinks(tree.routers, streams, new Aliases(), new IdlePipes(tree, LONG_MS), COMPLETION_MS);
  const [first, second] = [await linked.produce(source!, 'first'), await linked.produce(source!, 'second')];
  const outwards = { routerId: source!.id, remoteRouterId: destination!.id, link: 'media' } as const;
  const inwards = { routerId: destination!.id, remoteRouterId: source!.id, link: 'media' } as const;
  const consumers = (): number => [...tree.nodes()].filter(({ type }) => type === 'consumer').length;
  const pipes = (): number => [...tree.transports.values()].filter(({ type }) => type === 'pipe').length;

  await Promise.all([
    links.offerPipe({ ...outwards, network: false, stream: { producerId: 'first' } }),
    links.openLink({ ...inwards, network: false }),
  ]);
  expect([consumers(), pipes()]).toEqual([1, 2]);
  await until('both ends have closed', () => pipes() === 0);

  const [offered, farEnd] = await Promise.all([
    links.offerPipe({ ...outwards, network: false, stream: { producerId: 'first' } }),
    links.openLink({ ...inwards, network: false }),
  ]);
  await Promise.all([
    links.connectLink({ ...outwards, remote: farEnd }),
    links.acceptPipe({ ...inwards, remote: offered.end, stream: toPipedStream({ producerId: 'first' }, offered) }),
  ]);
  await links.confirmPipes({ ...outwards, consumerIds: [offered.consumer.id] });
  const offer = await links.offerPipe({ ...outwards, network: false, stream: { producerId: 'second' } });
  await links.connectLink({ ...outwards, remote: farEnd });
  expect(consumers()).toBe(2);
  await until('the second one has closed', () => consumers() === 1);
  expect([pipes(), first.producer.closed, second.producer.closed]).toEqual([2, false, false]);
  // It can be offered again.
  expect((await links.offerPipe({ ...outwards, network: false, stream: { producerId: 'second' } })).consumer).not.toBe(
    offer.consumer,
  );
});

test('a destination asks its Worker for all at once: nothing waits for the answer to what comes before', async () => {
  const linked = opened(await LinkedRouters.create());
  const {
    links,
    tree,
    routers: [source, destination],
  } = linked;
  await linked.produce(source!, 'mic');
  const outwards = { routerId: source!.id, remoteRouterId: destination!.id, link: 'media' } as const;
  const inwards = { routerId: destination!.id, remoteRouterId: source!.id, link: 'media' } as const;
  const [offered, farEnd] = await Promise.all([
    links.offerPipe({ ...outwards, network: false, stream: { producerId: 'mic' } }),
    links.openLink({ ...inwards, network: false }),
  ]);
  const transport = tree.transports.get(farEnd.transportId) as PipeTransport;
  const [produce, connect] = [transport.produce.bind(transport), transport.connect.bind(transport)];
  const told: string[] = [];
  let connecting!: () => void;
  const connected = new Promise<void>(resolve => (connecting = resolve));
  transport.produce = async options => {
    told.push('produce');
    const producer = await produce(options);
    await connected;
    return producer;
  };
  transport.connect = async remote => {
    told.push('connect');
    connecting();
    await connect(remote);
  };
  await links.acceptPipe(
    { ...inwards, remote: offered.end, stream: toPipedStream({ producerId: 'mic' }, offered) },
    () => told.push('produced'),
  );
  expect(told).toEqual(['produce', 'connect', 'produced']);
});

test('an offer with SSRCs is a pipe of its own, made once however often it is asked for; one without them takes the pipe that is there', async () => {
  const linked = opened(await LinkedRouters.create());
  const { links, routers } = linked;
  const [source, destination] = routers as [Router, Router];
  await linked.produce(source, 'mic');
  const request = {
    routerId: source.id,
    remoteRouterId: destination.id,
    link: 'media',
    network: false,
    stream: { producerId: 'mic' },
  } as const;
  const offer = async (ssrcs?: Ssrcs): Promise<unknown> => (await links.offerPipe({ ...request, ssrcs })).consumer;
  const [ours, theirs] = [drawSsrcs(), drawSsrcs()];
  const first = await offer(ours);
  expect(first).toMatchObject({ rtpParameters: { encodings: [{ ssrc: ours.media }] } });
  expect(await offer(ours)).toBe(first);
  const second = await offer(theirs);
  expect(second).toMatchObject({ rtpParameters: { encodings: [{ ssrc: theirs.media }] } });
  expect(await offer()).toBe(first);
  (first as Consumer).close();
  expect([await offer(), (await linked.count(source)).consumers]).toEqual([second, 1]);
  // However many callers there are, or one says that there are.
  const all = await Promise.all(Array.from({ length: 50 }, () => offer(drawSsrcs())));
  expect([new Set(all).size, (await linked.count(source)).consumers]).toEqual([8, 8]);
});

test('an offer with wrong SSRCs changes nothing', async () => {
  const linked = opened(await LinkedRouters.create());
  const { links, routers } = linked;
  const [source, destination] = routers as [Router, Router];
  await linked.produce(source, 'mic');
  const offering = links.offerPipe({
    routerId: source.id,
    remoteRouterId: destination.id,
    link: 'media',
    network: false,
    stream: { producerId: 'mic' },
    ssrcs: { media: 5, rtx: 6 },
  });
  await expect(offering).rejects.toThrow(TypeError);
  expect(await linked.count(source)).toEqual({ producers: 1, consumers: 0, pipes: 0 });
});
