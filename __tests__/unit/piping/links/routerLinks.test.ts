/** A controller may go while it makes a pipe: the ends of a pipe that is half made close by themselves. */
import { expect, test } from '@jest/globals';
import type { PipeTransport } from 'mediasoup/types';
import { Aliases } from '../../../../src/local/aliases.ts';
import { IdlePipes } from '../../../../src/piping/links/idlePipes.ts';
import { RouterLinks } from '../../../../src/piping/links/routerLinks.ts';
import { toPipedStream } from '../../../../src/piping/endpoint.ts';
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
