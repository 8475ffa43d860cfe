import { beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import {
  concentrate,
  leastLoaded,
  Mafalda,
  MafaldaHorizontal,
  type MafaldaApi,
  type NodeState,
  type PlacementRequest,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { evenly } from '../../helpers/evenly.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

const opus = { mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 } as const;

let a: Served;
let b: Served;
let mafalda: MafaldaHorizontal;

beforeEach(async () => {
  [a, b] = [opened(await Served.create()), opened(await Served.create())];
  mafalda = opened(new MafaldaHorizontal([a.url, b.url]));
  await once(mafalda, 'connected');
});

function nodeAt(url: string): MafaldaApi {
  return [...mafalda].find(node => (node as { url?: string }).url === url)!;
}

describe('placement.node', () => {
  test.each(['its URL', 'its id', 'the node itself'])('binds to %s', async what => {
    const mafaldaRouter = mafalda.createMafaldaRouter();
    for (const { url, mafalda: served } of [a, b, a]) {
      const before = served.transports.size;
      const transport = await mafaldaRouter.createDirectTransport({
        placement: { node: what === 'the node itself' ? nodeAt(url) : url },
      });
      expect(served.transports.size).toBe(before + 1);
      expect(mafalda.nodeOf(transport)).toBe(nodeAt(url));
    }
  });

  test('holds for everything that is created', async () => {
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const placement = { node: b.url };
    const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
    await mafaldaRouter.createWebRtcTransport({ listenInfos: [listenInfo], placement });
    await mafaldaRouter.createPlainTransport({ listenInfo, placement });
    await mafaldaRouter.createPipeTransport({ listenInfo, placement });
    await mafaldaRouter.createActiveSpeakerObserver({ placement });
    await mafaldaRouter.createAudioLevelObserver({ placement });
    expect([a.mafalda.workers.size, b.mafalda.transports.size, b.mafalda.rtpObservers.size]).toEqual([0, 3, 2]);
  });

  test('that is not one of them is refused', async () => {
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const stranger = opened(new Mafalda(mediasoup, { workerBudget: false }));
    for (const node of ['wss://nobody', '', stranger]) {
      await expect(mafaldaRouter.createDirectTransport({ placement: { node } })).rejects.toThrow(
        /is not one of this MafaldaHorizontal's/,
      );
    }
    expect([a, b].every(served => served.mafalda.workers.size === 0)).toBe(true);
  });
});

describe('a wish', () => {
  test('for a region is heeded, and is only a wish', async () => {
    const local = Object.assign(opened(new Mafalda(mediasoup, { workerBudget: false })), { region: 'eu' });
    mafalda.add(local);
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const there = await mafaldaRouter.createDirectTransport({ placement: { region: 'eu' } });
    const nobodysRegion = await mafaldaRouter.createDirectTransport({ placement: { region: 'as' } });
    expect([there, nobodysRegion].map(transport => mafalda.nodeOf(transport))).toEqual([local, local]);
    const elsewhere = await mafalda
      .createMafaldaRouter()
      .createDirectTransport({ placement: { region: 'as', node: b.url } });
    expect(mafalda.nodeOf(elsewhere)).toBe(nodeAt(b.url));
  });

  test('to be near Producers is heeded: consuming them there takes no pipe', async () => {
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    await mafaldaRouter.createDirectTransport({ placement: { node: a.url } });
    const far = await mafaldaRouter.createDirectTransport({ placement: { node: b.url } });
    const ids = ['one', 'two', 'three'];
    for (const [index, id] of ids.entries()) {
      await far.produce({
        id,
        kind: 'audio',
        rtpParameters: { mid: id, codecs: [opus], encodings: [{ ssrc: 1000 + index }] },
      });
    }
    mafalda.strategy = leastLoaded;
    // Without the wish it would be the other one.
    for (let count = 0; count < 3; ++count) await mafaldaRouter.createDirectTransport({ placement: { node: b.url } });
    const near = await mafaldaRouter.createDirectTransport({ placement: { near: [...ids, 'nobody’s'] } });
    expect(mafalda.nodeOf(near)).toBe(nodeAt(b.url));
    for (const producerId of ids)
      await near.consume({ producerId, rtpCapabilities: await mafaldaRouter.getRtpCapabilities() });
    expect((await mafaldaRouter.dump()).pipes).toEqual([]);
    const distant = await mafaldaRouter.createDirectTransport();
    expect(mafalda.nodeOf(distant)).toBe(nodeAt(a.url));
    // The same by anything else that is there.
    const consumer = await far.consume({
      producerId: 'one',
      rtpCapabilities: await mafaldaRouter.getRtpCapabilities(),
    });
    const data = await far.produceData();
    for (const { id } of [far, consumer, data, await far.consumeData({ dataProducerId: data.id })]) {
      const beside = await mafaldaRouter.createDirectTransport({ placement: { near: [id] } });
      expect(mafalda.nodeOf(beside)).toBe(nodeAt(b.url));
    }
    consumer.close();
    const elsewhere = await mafaldaRouter.createDirectTransport({ placement: { near: [consumer.id] } });
    expect(mafalda.nodeOf(elsewhere)).toBe(nodeAt(a.url));
  });

  test.each([
    ['a region', { region: 7 }],
    ['Producers', { near: 'one' }],
    ['Producers', { near: [1] }],
    ['anything', { near: [], nod: 'x' }],
  ])('for %s that can’t be one fails the call, and creates nothing', async (_what, placement) => {
    await expect(
      mafalda.createMafaldaRouter().createDirectTransport({ placement: placement as object }),
    ).rejects.toThrow(TypeError);
    expect([a, b].every(served => served.mafalda.workers.size === 0)).toBe(true);
  });
});

describe('dump()', () => {
  test('tells the node of each object, also of one that can’t be asked at present', async () => {
    const proxy = await CutProxy.create(b.url);
    mafalda.delete(b.url);
    mafalda.add(proxy.url);
    await once(mafalda, 'nodeconnected');
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const transports = [
      await mafaldaRouter.createDirectTransport({ placement: { node: a.url } }),
      await mafaldaRouter.createDirectTransport({ placement: { node: proxy.url } }),
    ];
    const nodesOf = async (): Promise<string[]> => {
      const { workers } = (await mafalda.dump()).mafaldaRouters[0]!;
      return transports.map(({ id }) => workers.find(({ routers }) => routers[0]!.transports[0]!.id === id)!.node!);
    };
    expect(await nodesOf()).toEqual([a.url, proxy.url]);
    const disconnected = once(mafalda, 'nodedisconnected');
    await proxy.close();
    await disconnected;
    expect(await nodesOf()).toEqual([a.url, proxy.url]);
    expect((await mafalda.dump()).nodes).toMatchObject([
      { id: a.url, connected: true, draining: false },
      { id: proxy.url, connected: false, draining: false },
    ]);
    mafalda.delete(proxy.url);
  });
});

describe('nodeOf()', () => {
  test('tells the node of whatever the Maps have', async () => {
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const sender = await RtpSender.create(mafaldaRouter, 'audio');
    const observer = await mafaldaRouter.createAudioLevelObserver({ placement: { node: b.url } });
    const receiver = await RtpReceiver.create(mafaldaRouter, sender.producer.id);
    for (const map of [mafalda.workers, mafalda.routers, mafalda.transports, mafalda.rtpObservers]) {
      expect(map.size).toBeGreaterThan(0);
      for (const object of map.values()) expect([nodeAt(a.url), nodeAt(b.url)]).toContain(mafalda.nodeOf(object));
    }
    expect(mafalda.nodeOf(observer)).toBe(nodeAt(b.url));
    expect(mafalda.nodeOf(sender.producer)).toBe(mafalda.nodeOf(sender.transport));
    expect(mafalda.nodeOf(receiver.consumer)).toBe(mafalda.nodeOf(receiver.transport));
  });

  test('tells the node of a Transport and of a Router, until it closes', async () => {
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport({ placement: { node: b.url } });
    const [router] = [...mafaldaRouter.routers.values()];
    expect(mafalda.nodeOf(transport)).toBe(nodeAt(b.url));
    expect(mafalda.nodeOf(router!)).toBe(nodeAt(b.url));
    transport.close();
    expect(mafalda.nodeOf(transport)).toBeUndefined();
  });
});

describe('the strategy', () => {
  test('can be replaced while running', async () => {
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const create = (): Promise<unknown[]> =>
      Promise.all(Array.from({ length: 6 }, () => mafaldaRouter.createDirectTransport()));
    expect(mafalda.strategy).toBe(concentrate);
    await create();
    expect([a, b].map(served => served.mafalda.transports.size).sort()).toEqual([0, 6]);
    mafalda.strategy = evenly;
    await create();
    await create();
    expect([a, b].every(served => served.mafalda.transports.size >= 5)).toBe(true);
    expect(() => (mafalda.strategy = undefined as never)).toThrow(TypeError);
    expect(mafalda.strategy).toBe(evenly);
  });

  test('sees the nodes, and whom it chooses for', async () => {
    const seen: [readonly NodeState[], PlacementRequest][] = [];
    mafalda.strategy = (candidates, request) => {
      seen.push([candidates, request]);
      return candidates[1];
    };
    const mafaldaRouter = mafalda.createMafaldaRouter({ id: 'room' });
    await mafaldaRouter.createDirectTransport();
    await mafaldaRouter.createDirectTransport();
    expect(seen[0]![1]).toEqual({ mafaldaRouterId: 'room', watermark: 66, seed: expect.any(Number) });
    expect(seen[1]![1].seed).not.toBe(seen[0]![1].seed);
    expect(seen[0]![0]).toMatchObject([
      { id: a.url, placed: 0, hasRouter: false },
      { id: b.url, placed: 0, hasRouter: false },
    ]);
    expect(seen[1]![0]).toMatchObject([{ hasRouter: false }, { placed: 1, hasRouter: true }]);
    expect(seen[1]![0].every(({ load }) => Number.isFinite(load))).toBe(true);
  });

  test.each([
    ['nothing', () => undefined],
    ['a stranger', () => ({ id: 'x', load: 0, placed: 0, hasRouter: false })],
  ])('that returns %s fails the call, not the process', async (_what, strategy) => {
    mafalda.strategy = strategy;
    await expect(mafalda.createMafaldaRouter().createDirectTransport()).rejects.toThrow(/one of its candidates/);
  });

  test('that throws fails the call', async () => {
    mafalda.strategy = () => {
      throw new RangeError('no idea');
    };
    await expect(mafalda.createMafaldaRouter().createDirectTransport()).rejects.toThrow(/no idea/);
  });

  test('leastLoaded spreads a burst of rooms evenly', async () => {
    mafalda.strategy = leastLoaded;
    await Promise.all(Array.from({ length: 50 }, () => mafalda.createMafaldaRouter().createDirectTransport()));
    const [atA, atB] = [a, b].map(served => served.mafalda.transports.size) as [number, number];
    expect(atA + atB).toBe(50);
    expect(Math.abs(atA - atB)).toBeLessThanOrEqual(4);
  });
});

describe('two MafaldaHorizontals over the same nodes', () => {
  test('share a MafaldaRouter by its id, and one that closes leaves it to the other', async () => {
    const second = opened(new MafaldaHorizontal([a.url, b.url]));
    await once(second, 'connected');
    const [here, there] = [mafalda.createMafaldaRouter({ id: 'room' }), second.createMafaldaRouter({ id: 'room' })];
    const mine = await here.createDirectTransport({ placement: { node: a.url } });
    const other = await there.createDirectTransport({ placement: { node: a.url } });
    await until('each sees the other’s', () => here.transports.has(other.id) && there.transports.has(mine.id));
    await second.close();
    await until('it has left', () => a.server.counts.clients === 1);
    expect([here.closed, mine.closed, other.closed]).toEqual([false, false, true]);
    await expect(mine.dump()).resolves.toBeDefined();
  });
});

describe('a local Mafalda and remote ones as nodes', () => {
  test('exchange media, both ways, and let go of everything', async () => {
    const local = opened(new Mafalda(mediasoup, { workerBudget: false }));
    mafalda.add(local);
    const nodes = [local, a.url, b.url];
    let next = 0;
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    mafalda.strategy = candidates => candidates.toSorted((one, other) => one.placed - other.placed)[0];
    const senders = [
      await RtpSender.create(mafaldaRouter, 'audio'),
      await RtpSender.create(mafaldaRouter, 'video'),
      await RtpSender.create(mafaldaRouter, 'audio'),
    ];
    const places = senders.map(({ transport }) => mafalda.nodeOf(transport));
    expect(new Set(places)).toEqual(new Set([local, nodeAt(a.url), nodeAt(b.url)]));
    for (const sender of senders) {
      const receivers = await Promise.all(nodes.map(() => RtpReceiver.create(mafaldaRouter, sender.producer.id)));
      next += new Set(receivers.map(({ transport }) => mafalda.nodeOf(transport))).size;
      await openPath(sender, receivers);
      expect(await countPackets(sender, receivers, 20)).toEqual([20, 20, 20]);
    }
    expect(next).toBe(9);
    await mafaldaRouter.close();
    expect([local.mafaldaRouters.size, local.transports.size]).toEqual([0, 0]);
    await Promise.all([a, b].map(served => until('nothing is left', () => served.mafalda.transports.size === 0)));
  });
});
