/** A room is only where it is used. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import * as mediasoup from 'mediasoup';
import type { Router } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type MafaldaApi,
  type MafaldaRouter,
} from '../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import { ObjectTree } from '../../../src/core/objectTree.ts';
import { NodePool } from '../../../src/horizontal/nodePool.ts';
import { Parts } from '../../../src/horizontal/parts.ts';
import { concentrate } from '../../../src/placement/strategies.ts';
import { addRouter, type ImaginaryObject } from '../../helpers/imaginaryObjects.ts';
import { ImaginaryNode } from '../../helpers/imaginaryNode.ts';
import { mediaCodecs, opus } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

interface Controller {
  mafalda: MafaldaHorizontal;
  close(): Promise<void>;
}

async function control(urls: readonly (string | MafaldaApi)[]): Promise<Controller> {
  const mafalda = new MafaldaHorizontal(urls);
  await once(mafalda, 'connected');
  return { mafalda, close: () => mafalda.close() };
}

describe('three nodes, and a tier above', () => {
  const closing: { close: () => Promise<void> }[] = [];
  let nodes: Served[];
  let urls: string[];
  let one: MafaldaHorizontal;
  let other: MafaldaHorizontal;
  let top: MafaldaHorizontal;
  let middle: MafaldaHorizontal;
  let rooms = 0;

  function later<T extends { close: () => Promise<void> }>(thing: T): T {
    closing.push(thing);
    return thing;
  }

  beforeAll(async () => {
    nodes = await Promise.all([0, 1, 2].map(async () => later(await Served.create())));
    urls = nodes.map(({ url }) => url);
    one = later(await control(urls)).mafalda;
    other = later(await control(urls)).mafalda;
    middle = later(await control(urls.slice(0, 2))).mafalda;
    const server = later(new RemoteMafaldaServer(middle, { host: '127.0.0.1', auth: false }));
    await server.listen();
    top = later(await control([server.url, urls[2]!])).mafalda;
  });

  afterAll(async () => {
    for (const thing of closing.reverse()) await thing.close();
  });

  /** A room of its own for each test, with its nodes. */
  function newRoom(): {
    options: { id: string; routerOptions: object };
    places: () => number[];
    on: (node: number) => object;
  } {
    const id = `room ${++rooms}`;
    return {
      options: { id, routerOptions: { mediaCodecs } },
      places: () => nodes.flatMap(({ mafalda }, index) => (mafalda.mafaldaRouters.has(id) ? [index] : [])),
      on: node => ({ placement: { node: urls[node]! } }),
    };
  }

  test('two transports on one node: no other node has anything of the room, whoever asks for its capabilities', async () => {
    const { options, places, on } = newRoom();
    const room = one.createMafaldaRouter(options);
    const rtpCapabilities = await room.getRtpCapabilities();
    expect(places()).toEqual([]);
    await Promise.all([room.createDirectTransport(on(1)), room.createDirectTransport(on(1))]);
    const byId = other.createMafaldaRouter({ id: options.id });
    expect(await byId.getRtpCapabilities()).toEqual(rtpCapabilities);
    expect(await nodes[1]!.mafalda.mafaldaRouters.get(options.id)!.getRtpCapabilities()).toEqual(rtpCapabilities);
    await Promise.all([room.dump(), byId.dump(), room.getResourceUsages()]);
    expect(places()).toEqual([1]);
    const elsewhere = once(other.createMafaldaRouter({ id: options.id }), 'newrouter');
    await room.createDirectTransport(on(2));
    const [router] = (await elsewhere) as [Router];
    expect([places(), byId.routers.get(router.id)]).toEqual([[1, 2], router]);
    await room.close();
    await until('it is closed everywhere', () => byId.closed && places().length === 0);
  });

  test.each(['a cluster', 'a tier above'])('%s is shown what others have of a room as it comes', async which => {
    const { options, on } = newRoom();
    const source = await one.createMafaldaRouter(options).createDirectTransport(on(1));
    await Promise.all(Array.from({ length: 20 }, () => source.produceData()));
    const cluster = which === 'a cluster' ? other : top;
    const room = cluster.createMafaldaRouter({ id: options.id }) as MafaldaRouter & PipeableMafaldaRouter;
    /** Numbers of objects that have come, and are not shown yet, while each is shown. */
    const waiting: number[] = [];
    room.tree.on('add', () => {
      const parts = [...cluster].flatMap(node => node.mafaldaRouters.get(options.id) ?? []);
      const come = parts.map(part => (part as MafaldaRouter & PipeableMafaldaRouter).tree.size);
      waiting.push(come.reduce((sum, size) => sum + size, 0) - room.tree.size);
    });
    await room.attach();
    expect(room.tree.size).toBe(23);
    expect([waiting.length, Math.max(...waiting)]).toEqual([23, 0]);
    expect(room.routerOptions).toEqual(options.routerOptions);
    await room.close();
  });

  test('what one has just produced, where the other one has nothing yet, the other one consumes', async () => {
    const { options, on } = newRoom();
    const [here, there] = [one, other].map(mafalda => mafalda.createMafaldaRouter(options));
    const sink = await there!.createDirectTransport(on(0));
    const rtpCapabilities = await there!.getRtpCapabilities();
    const source = await here!.createDirectTransport(on(2));
    const { id: producerId } = await source.produce({ kind: 'audio', rtpParameters: opus(1) });
    expect((await sink.consume({ producerId, rtpCapabilities })).producerId).toBe(producerId);
    await expect(sink.consume({ producerId: 'unknown', rtpCapabilities })).rejects.toThrow(/not found/);
    await here!.close();
  });

  test('the question for a stream that is nowhere creates nothing', async () => {
    const { options, places } = newRoom();
    const room = one.createMafaldaRouter(options);
    expect(await room.canConsume({ producerId: 'unknown', rtpCapabilities: { codecs: [] } })).toBe(false);
    const above = top.createMafaldaRouter(options);
    expect(await above.canConsume({ producerId: 'unknown', rtpCapabilities: { codecs: [] } })).toBe(false);
    expect([places(), middle.mafaldaRouters.has(options.id)]).toEqual([[], false]);
    await Promise.all([room.close(), above.close()]);
  });

  test('a question finds what the nodes have not told: a room without Routers, through the tier as well', async () => {
    const { options, places } = newRoom();
    const own = nodes[0]!.mafalda.createMafaldaRouter(options);
    const [byId, above] = [one, top].map(mafalda => mafalda.createMafaldaRouter({ id: options.id }));
    expect((await byId!.getRtpCapabilities()).codecs).not.toEqual([]);
    expect((await above!.getRtpCapabilities()).codecs).not.toEqual([]);
    expect([places(), middle.mafaldaRouters.has(options.id)]).toEqual([[0], true]);
    await own.close();
    await until('all have closed it', () => byId!.closed && above!.closed);
  });

  test('through a tier: one node below has the room, and both sides see each other', async () => {
    const { options, places, on } = newRoom();
    const below = one.createMafaldaRouter(options);
    const above = top.createMafaldaRouter(options);
    const told = once(above, 'newrouter');
    const sink = await above.createDirectTransport(on(2));
    const source = await below.createDirectTransport(on(1));
    await told;
    const { id: producerId } = await source.produce({ kind: 'audio', rtpParameters: opus(1) });
    const rtpCapabilities = await above.getRtpCapabilities();
    expect((await sink.consume({ producerId, rtpCapabilities })).producerId).toBe(producerId);
    expect([places(), middle.mafaldaRouters.has(options.id)]).toEqual([[1, 2], true]);
    await until('each sees all', () => above.transports.size === below.transports.size);
    await below.close();
    await until('it is closed everywhere', () => above.closed && places().length === 0);
  });

  test('a local Mafalda is a node like the others', async () => {
    const { options, on } = newRoom();
    const local = later(new Mafalda(mediasoup, { workerBudget: false }));
    const mixed = later(await control([local, urls[0]!])).mafalda;
    const own = local.createMafaldaRouter(options);
    const source = await own.createDirectTransport();
    const room = mixed.createMafaldaRouter({ id: options.id });
    const sink = await room.createDirectTransport(on(0));
    expect(room.transports.get(source.id)).toBe(source);
    const { id: producerId } = await source.produce({ kind: 'audio', rtpParameters: opus(1) });
    await sink.consume({ producerId, rtpCapabilities: await room.getRtpCapabilities() });
    const nowhere = mixed.createMafaldaRouter();
    await nowhere.createDirectTransport(on(0));
    expect(local.mafaldaRouters.has(nowhere.id)).toBe(false);
    await room.close();
  });

  test('a client that is not a cluster’s is told of no rooms', async () => {
    const client = later(new RemoteMafaldaClient(urls[0]));
    const plain = later(new RemoteMafaldaClient(urls[0]));
    await Promise.all([once(client, 'connected'), once(plain, 'connected')]);
    const { heldRooms } = client;
    await heldRooms.known;
    const { options } = newRoom();
    const told = once(heldRooms, 'held');
    await plain.createMafaldaRouter(options).createDirectTransport();
    expect(await told).toEqual([options.id]);
    expect([...heldRooms]).toContain(options.id);
    expect([...plain.mafaldaRouters.keys()]).toEqual([options.id]);
  });

  test('one that means another room by the same id is refused on every node, from the first use on', async () => {
    const { options, places, on } = newRoom();
    await one.createMafaldaRouter(options).createDirectTransport(on(0));
    await until('it is told', () => other.heldRooms.has(options.id));
    const wrong = other.createMafaldaRouter({ id: options.id, routerOptions: { mediaCodecs: [] } });
    await expect(wrong.createDirectTransport(on(1))).rejects.toThrow(/different routerOptions/);
    await expect(wrong.getRtpCapabilities()).rejects.toThrow(/different routerOptions/);
    await wrong.close();
    await until('nothing of it is left', () => places().join() === '0');
  });
});

/** Parts on imaginary nodes, by an imaginary clock. */
class ImaginaryRoom {
  readonly pool = new NodePool(concentrate, 66, () => 0);
  readonly tree = new ObjectTree();
  readonly told: string[] = [];
  readonly parts = new Parts(this.pool, { id: 'room' }, this.tree, {
    onOptions: () => undefined,
    onRouter: ({ id }) => void this.told.push(`router ${id}`),
    onWorkerDied: () => undefined,
    onError: error => void this.told.push(error.message),
    onLost: ({ id }) => void this.told.push(`lost ${id}`),
    onClosed: () => void this.told.push('closed'),
  });
  /** Parts by their nodes. */
  readonly opened = new Map<string, ImaginaryPart>();

  constructor(names: string[]) {
    for (const name of names) {
      const node = new ImaginaryNode(name).connect(name);
      const createMafaldaRouter = (): ImaginaryPart => {
        const part = this.opened.get(name) ?? new ImaginaryPart();
        this.opened.set(name, part);
        part.once('close', () => this.opened.delete(name));
        return part;
      };
      this.pool.add(Object.assign(node, { createMafaldaRouter, mafaldaRouters: new Map() }).mafalda, false);
    }
  }

  open(name: string): ImaginaryPart {
    return this.parts.get(this.pool.findOrThrow(name)) as unknown as ImaginaryPart;
  }
}

class ImaginaryPart extends EnhancedEventEmitter<{ close: [] }> {
  readonly tree = new ObjectTree();
  readonly routers = this.tree.routers;
  closed = false;

  addRouter(id: string): ImaginaryObject {
    return addRouter(this.tree, id);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.emit('close');
  }

  async leave(): Promise<void> {
    await this.close();
  }

  get asPart(): PipeableMafaldaRouter {
    return this as unknown as PipeableMafaldaRouter;
  }
}

describe('an empty part', () => {
  function withFakeTimers(run: () => void): () => void {
    return () => {
      jest.useFakeTimers();
      try {
        run();
      } finally {
        jest.useRealTimers();
      }
    };
  }

  test(
    'is left after a while, if the room lives elsewhere',
    withFakeTimers(() => {
      const room = new ImaginaryRoom(['a', 'b', 'c']);
      const routers = ['a', 'b', 'c'].map(name => room.open(name).addRouter(`router of ${name}`));
      routers[0]!.close();
      jest.advanceTimersByTime(5000);
      routers[1]!.close();
      expect([...room.opened.keys()]).toEqual(['a', 'b', 'c']);
      jest.advanceTimersByTime(5000);
      expect([...room.opened.keys()]).toEqual(['b', 'c']);
      room.open('b').addRouter('another');
      jest.advanceTimersByTime(60_000);
      expect([...room.opened.keys()]).toEqual(['b', 'c']);
      expect(room.told).toEqual([]);
      void room.parts.end('close');
      expect([room.opened.size, jest.getTimerCount()]).toEqual([0, 0]);
    }),
  );

  test(
    'stays while the whole room is empty, so that its end is heard of, which ends it altogether',
    withFakeTimers(() => {
      const room = new ImaginaryRoom(['a', 'b']);
      const routers = ['a', 'b'].map(name => room.open(name).addRouter(`router of ${name}`));
      for (const router of routers) router.close();
      jest.advanceTimersByTime(60_000);
      expect([...room.opened.keys()]).toEqual(['a', 'b']);
      void room.open('a').close();
      expect(room.told).toEqual(['closed']);
      void room.parts.end('close');
    }),
  );
});

test('the Routers of a part that was there before are announced when it is opened, and of a closed one none is left', async () => {
  const room = new ImaginaryRoom(['a', 'b']);
  const early = new ImaginaryPart();
  early.addRouter('early');
  room.opened.set('a', early);
  early.once('close', () => room.opened.delete('a'));
  const node = room.pool.findOrThrow('a');
  expect(room.parts.isBusy(node)).toBe(false);
  expect(room.parts.get(node)).toBe(early.asPart);
  expect([room.told, room.parts.isBusy(node), [...room.parts.routersOn(node)]]).toEqual([
    ['router early'],
    true,
    ['early'],
  ]);
  room.open('b').addRouter('other');
  await early.close();
  expect([room.told, room.tree.routers.size]).toEqual([['router early'], 1]);
  await room.parts.end('leave');
});
