import { beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import * as mediasoup from 'mediasoup';
import type { DirectTransport } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  type DrainOptions,
  type MafaldaApi,
  type RemoteMafaldaClient,
  type Strategy,
} from '../../../src/index.ts';
import { offerOf, toPipedStream } from '../../../src/piping/endpoint.ts';
import { evenly } from '../../helpers/evenly.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { delayProxy } from '../../helpers/delayProxy.ts';
import { inside } from '../../helpers/inside.ts';
import { busyFor } from '../../helpers/madeUpLoad.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';

import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

/** Long enough for whatever is to happen before it, and never waited for. */
const LONG_MS = 60_000;

type Room = ReturnType<MafaldaHorizontal['createMafaldaRouter']>;

let a: Served;
let b: Served;
let mafalda: MafaldaHorizontal;
let mafaldaRouter: Room;

beforeEach(async () => {
  [a, b] = [opened(await Served.create({}, busyFor(80))), opened(await Served.create({}, busyFor(0)))];
  mafalda = opened(new MafaldaHorizontal([a.url, b.url], { strategy: evenly }));
  await once(mafalda, 'connected');
  mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
});

function at(url: string): { placement: { node: string } } {
  return { placement: { node: url } };
}

/** Three nodes, all above their watermark, so that the least loaded one with a stream passes it on: not A, where it comes from. */
async function busySource() {
  const c = opened(await Served.create({}, busyFor(0)));
  const where = { url: a.url };
  const strategy: Strategy = nodes => nodes.find(({ id }) => id === where.url);
  const busy = opened(new MafaldaHorizontal([a.url, b.url, c.url], { watermarkNode: 0, strategy }));
  await once(busy, 'connected');
  const room = busy.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const sender = await RtpSender.create(room, 'audio');
  const [source] = busy;
  await until('A has told its load', () => (source as RemoteMafaldaClient).load > 20);
  return { busy, c, room, where, sender };
}

describe('a node that is being drained', () => {
  test('gets nothing new, and keeps what it has', async () => {
    const staying = await mafaldaRouter.createDirectTransport(at(a.url));
    const drained = mafalda.drain(a.url, { deadline: LONG_MS });
    const others = await Promise.all(Array.from({ length: 10 }, () => mafaldaRouter.createDirectTransport()));
    expect(new Set(others.map(transport => mafalda.nodeOf(transport)))).toEqual(new Set([[...mafalda][1]]));
    await expect(mafaldaRouter.createDirectTransport(at(a.url))).rejects.toThrow(/is being drained/);
    expect([staying.closed, mafalda.size, a.mafalda.transports.size]).toEqual([false, 2, 1]);
    await expect(staying.dump()).resolves.toBeDefined();
    expect((await mafalda.dump()).nodes).toMatchObject([{ draining: true }, { draining: false }]);
    staying.close();
    expect(await drained).toEqual({ transports: [], rtpObservers: [], pipes: [], underway: 0 });
    await expect(mafaldaRouter.createDirectTransport(at(a.url))).rejects.toThrow(/is being drained/);
  });

  test('reports what is left at the deadline', async () => {
    const transports = [
      await mafaldaRouter.createDirectTransport(at(a.url)),
      await mafaldaRouter.createDirectTransport(at(a.url)),
    ];
    const observer = await mafaldaRouter.createAudioLevelObserver(at(a.url));
    await mafaldaRouter.createDirectTransport(at(b.url));
    const drained = mafalda.drain(a.url, { deadline: 300 });
    transports[0]!.close();
    expect(await drained).toEqual({ transports: [transports[1]], rtpObservers: [observer], pipes: [], underway: 0 });
    expect(await mafalda.drain(a.url, { deadline: 0 })).toMatchObject({ transports: [transports[1]] });
    expect([transports[1]!.closed, observer.closed]).toEqual([false, false]);
    mafalda.delete(a.url);
    expect([transports[1]!.closed, observer.closed, mafalda.size]).toEqual([true, true, 1]);
  });

  test('is empty at once if nothing is there, and waits for all that drain it', async () => {
    expect((await mafalda.drain(a.url)).transports).toEqual([]);
    const transport = await mafaldaRouter.createDirectTransport(at(b.url));
    const both = Promise.all([mafalda.drain(b.url), mafalda.drain([...mafalda][1]!, { deadline: LONG_MS })]);
    const created = mafaldaRouter.createDirectTransport();
    await expect(created).rejects.toThrow(
      /none of the 2 nodes takes anything new: those that are connected are being drained/,
    );
    await expect(mafalda.createMafaldaRouter().getRtpCapabilities()).resolves.toBeDefined();
    transport.close();
    expect(await both).toHaveLength(2);
  });

  test('is not empty while something is being created there', async () => {
    const slow = opened(await delayProxy(a.url, 200));
    const other = opened(new MafaldaHorizontal([slow.url]));
    await once(other, 'connected');
    const creating = other.createMafaldaRouter().createDirectTransport();
    // The node is chosen by then, and the answer is not there.
    await setImmediate();
    const drained = other.drain(slow.url, { deadline: LONG_MS });
    expect((await other.drain(slow.url, { deadline: 0 })).underway).toBe(1);
    const first = await Promise.race([drained, creating]);
    const transport = await creating;
    expect(first).toBe(transport);
    transport.close();
    expect((await drained).transports).toEqual([]);
  });

  test('is used again when it is added again, which ends the waiting', async () => {
    const staying = await mafaldaRouter.createDirectTransport(at(a.url));
    const drained = mafalda.drain(a.url);
    expect(mafalda.add(a.url).size).toBe(2);
    expect((await drained).transports).toEqual([staying]);
    const again = await mafaldaRouter.createDirectTransport(at(a.url));
    expect(mafalda.nodeOf(again)).toBe(mafalda.nodeOf(staying));
  });

  test.each([
    ['delete()', () => mafalda.delete(a.url)],
    ['close()', () => mafalda.close()],
  ])('is waited for no longer after %s', async (_what, end) => {
    const local: MafaldaApi = opened(new Mafalda(mediasoup, { workerBudget: false }));
    mafalda.add(local);
    const transport = await mafaldaRouter.createDirectTransport(at(a.url));
    const drained = mafalda.drain(a.url);
    await end();
    expect([(await drained).transports, transport.closed]).toEqual([[], true]);
  });

  test('gives no new pipes if others can, and is not empty while there are pipes from it', async () => {
    const { busy, c, room, where, sender } = await busySource();
    where.url = b.url;
    const nearB = await RtpReceiver.create(room, sender.producer.id);
    await openPath(sender, [nearB]);
    const drained = busy.drain(b.url, { deadline: LONG_MS });
    where.url = c.url;
    const nearC = await RtpReceiver.create(room, sender.producer.id);
    await openPath(sender, [nearC]);
    nearB.transport.close();
    expect((await drained).pipes).toEqual([]);
    expect(await countPackets(sender, [nearC], 20)).toEqual([20]);

    const { transports, pipes } = await busy.drain(a.url, { deadline: 0 });
    expect(transports).toContain(sender.transport);
    expect(pipes.length).toBeGreaterThan(0);
    for (const transport of transports) transport.close();
    expect((await busy.drain(a.url, { deadline: LONG_MS })).pipes).toEqual([]);
    await until('the consumer elsewhere knows', () => nearC.consumer.closed);
  });

  test('is not empty while a stream goes on through it', async () => {
    const { busy, c, room, where, sender } = await busySource();
    where.url = b.url;
    const nearB = await RtpReceiver.create(room, sender.producer.id);
    where.url = c.url;
    const nearC = await RtpReceiver.create(room, sender.producer.id);
    await openPath(sender, [nearB, nearC]);
    nearB.transport.close();
    const left = await busy.drain(b.url, { deadline: 0 });
    expect([left.transports, left.pipes.map(({ closed }) => closed)]).toEqual([[], [false]]);
    const drained = busy.drain(b.url, { deadline: LONG_MS });
    nearC.transport.close();
    expect((await drained).pipes).toEqual([]);
  });
});

describe('pipes that are half made when the controller goes that makes them', () => {
  const stages = ['offered', 'connected', 'accepted'] as const;

  /** Makes a pipe as far as that. */
  async function makePipe(
    room: Room,
    from: string,
    to: string,
    dataProducerId: string,
    stage: (typeof stages)[number],
  ): Promise<void> {
    const outwards = { routerId: from, remoteRouterId: to, link: 'data' } as const;
    const inwards = { routerId: to, remoteRouterId: from, link: 'data' } as const;
    const [offer, farEnd] = await Promise.all([
      inside(room)
        .offerPipe({ ...outwards, network: false, stream: { dataProducerId } })
        .then(offerOf),
      inside(room).openLink({ ...inwards, network: false }),
    ]);
    if (stage === 'offered') return;
    await inside(room).connectLink({ ...outwards, remote: farEnd });
    // That it has been accepted is not told to its source.
    if (stage === 'accepted')
      await inside(room).acceptPipe({
        ...inwards,
        remote: offer.end,
        stream: toPipedStream({ dataProducerId }, offer),
      });
  }

  test('close by themselves at both ends, and keep nobody waiting', async () => {
    const proxies = await Promise.all([a, b].map(async ({ url }) => opened(await CutProxy.create(url))));
    const leave: ((maker: MafaldaHorizontal) => unknown)[] = [
      maker => maker.close(),
      maker => [...maker].map(node => maker.delete(node)),
      () => proxies.map(proxy => (proxy.blocked = true) && proxy.cut()),
    ];
    const sources: DirectTransport[] = [];
    const routerOf = (room: Room, { id }: DirectTransport): string =>
      inside(room).tree.nodeOf<'transport'>(room.transports.get(id)!)!.parent!.id;
    const untilSeen = (room: Room, { id }: DirectTransport): Promise<void> =>
      until('it is seen', () => room.transports.has(id));
    const makers = await Promise.all(
      leave.map(async (_leave, index) => {
        const nodes = (index < 2 ? [a, b] : proxies).map(({ url }) => url);
        const maker = opened(new MafaldaHorizontal(nodes));
        await once(maker, 'connected');
        for (const stage of stages) {
          const options = { id: `${index} ${stage}` };
          const [ours, theirs] = [mafalda.createMafaldaRouter(options), maker.createMafaldaRouter(options)];
          const source = await ours.createDirectTransport(at(a.url));
          const sink = await theirs.createDirectTransport(at(nodes[1]!));
          await Promise.all([untilSeen(theirs, source), untilSeen(ours, sink)]);
          const { id } = await source.produceData();
          await until('it is known', () => inside(theirs).streams.find(id).length > 0);
          await makePipe(theirs, routerOf(theirs, source), routerOf(theirs, sink), id, stage);
          sources.push(source);
        }
        return maker;
      }),
    );
    await until(
      'all are seen',
      async () => (await mafalda.drain(a.url, { deadline: 0 })).pipes.length === sources.length,
    );
    for (const [index, maker] of makers.entries()) leave[index]!(maker);
    await until('none is left', async () => (await mafalda.drain(a.url, { deadline: 0 })).pipes.length === 0, LONG_MS);
    await until(
      'nor a link',
      () => [a, b].every(served => [...served.mafalda.transports.values()].every(({ type }) => type !== 'pipe')),
      LONG_MS,
    );
    expect(sources.map(({ closed }) => closed)).toEqual(sources.map(() => false));
    const drained = mafalda.drain(a.url, { deadline: LONG_MS });
    for (const source of sources) source.close();
    expect(await drained).toEqual({ transports: [], rtpObservers: [], pipes: [], underway: 0 });
    // Objects of a controller that is cut off wait for its return.
    await mafalda.closeAllMafaldaRouters();
    await until('nothing is left', () => [a, b].every(({ mafalda: { workers } }) => workers.size === 0));
  });
});

test.each([
  [{ deadline: -1 }, /deadline/],
  [{ deadline: NaN }, /deadline/],
  [{ deadline: '1000' }, /deadline/],
  [{ deadline: Infinity }, /deadline/],
  [{ dedline: 1 }, /unknown option dedline/],
])('drain() refuses %j, and the node goes on being used', async (options, message) => {
  await expect(mafalda.drain(a.url, options as DrainOptions)).rejects.toThrow(message);
  await expect(mafalda.drain('ws://nobody')).rejects.toThrow(/is not one of this MafaldaHorizontal's/);
  await expect(mafaldaRouter.createDirectTransport(at(a.url))).resolves.toBeDefined();
});
