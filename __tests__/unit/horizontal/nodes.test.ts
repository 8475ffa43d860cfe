import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import {
  leastLoaded,
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type Strategy,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

let a: Served;
let b: Served;

beforeEach(async () => {
  [a, b] = [opened(await Served.create()), opened(await Served.create())];
});

afterEach(async () => {
  await Promise.all([a, b].map(served => until('no client is left', () => served.server.counts.clients === 0)));
});

async function cluster(...nodes: ConstructorParameters<typeof MafaldaHorizontal>): Promise<MafaldaHorizontal> {
  const mafalda = opened(new MafaldaHorizontal(...nodes));
  await once(mafalda, 'connected');
  return mafalda;
}

/** A URL where nobody listens. */
async function deadUrl(): Promise<string> {
  const served = await Served.create();
  const { url } = served;
  await served.close();
  return url;
}

describe('a MafaldaHorizontal is a Set of nodes', () => {
  test('by URL, by client or by local Mafalda', async () => {
    const client = opened(new RemoteMafaldaClient(b.url));
    const local = opened(new Mafalda(mediasoup, { workerBudget: false }));
    const mafalda = await cluster([a.url, client, local]);
    expect(mafalda.size).toBe(3);
    expect([a.url, b.url, client, local].map(node => mafalda.has(node))).toEqual([true, true, true, true]);
    expect(
      [a.url.replace('127.0.0.1', '127.0.0.2'), opened(new Mafalda(mediasoup, { workerBudget: false }))].some(node =>
        mafalda.has(node),
      ),
    ).toBe(false);
    const nodes = [...mafalda];
    expect(nodes.slice(1)).toEqual([client, local]);
    expect(nodes[0]).toBeInstanceOf(RemoteMafaldaClient);
    expect((nodes[0] as RemoteMafaldaClient).url).toBe(a.url);
    expect(mafalda.has(nodes[0]!)).toBe(true);
  });

  test('which takes each of them once', async () => {
    const mafalda = await cluster([a.url]);
    const [node] = [...mafalda];
    expect(mafalda.add(a.url).add(node!).add(a.url)).toBe(mafalda);
    expect(mafalda.size).toBe(1);
    // Another client of the same server would be the same machine twice.
    mafalda.add(opened(new RemoteMafaldaClient(a.url)));
    expect(mafalda.size).toBe(1);
  });

  test('which takes a server that two URLs lead to once', async () => {
    const proxy = opened(await CutProxy.create(a.url));
    const mafalda = opened(new MafaldaHorizontal([a.url]));
    await once(mafalda, 'connected');
    const [node] = [...mafalda];
    const told: unknown[] = [];
    mafalda.on('nodeconnected', connected => told.push(connected));
    mafalda.add(proxy.url);
    const [, twin] = [...mafalda];
    await until('it has turned out', () => mafalda.size === 1);
    expect([...mafalda]).toEqual([node]);
    expect([mafalda.has(proxy.url), mafalda.has(a.url), mafalda.has(twin!), twin!.closed, told.length]).toEqual([
      true,
      true,
      true,
      true,
      0,
    ]);
    const transport = await mafalda.createMafaldaRouter().createDirectTransport({ placement: { node: proxy.url } });
    expect(mafalda.nodeOf(transport)).toBe(node);
    expect(mafalda.add(proxy.url).size).toBe(1);
    // A client that is connected already, and not ours to close.
    const other = opened(await CutProxy.create(a.url));
    const client = opened(new RemoteMafaldaClient(other.url));
    await once(client, 'connected');
    expect([mafalda.add(client).size, mafalda.has(client), mafalda.has(other.url), client.closed]).toEqual([
      1,
      true,
      true,
      false,
    ]);
    expect([mafalda.delete(other.url), mafalda.size, transport.closed]).toEqual([true, 0, true]);
  });

  test('of which the two URLs may be there from the beginning', async () => {
    const proxy = opened(await CutProxy.create(a.url));
    const mafalda = await cluster([a.url, proxy.url, b.url]);
    expect([mafalda.size, mafalda.has(a.url), mafalda.has(proxy.url), mafalda.has(b.url)]).toEqual([
      2,
      true,
      true,
      true,
    ]);
  });

  test('which refuses a server with another major version of mediasoup, and says so', async () => {
    const newer = opened(new Mafalda({ ...mediasoup, version: '4.1.0' }, { workerBudget: false }));
    const server = opened(new RemoteMafaldaServer(newer, { host: '127.0.0.1', auth: false }));
    await server.listen();
    const mafalda = opened(new MafaldaHorizontal([server.url, a.url]));
    const refused = new Promise<Error>(resolve => mafalda.once('error', resolve));
    await once(mafalda, 'connected');
    expect((await refused).message).toMatch(/has mediasoup 4\.1\.0, and this is 3\./);
    expect([mafalda.size, mafalda.has(server.url), mafalda.has(a.url)]).toEqual([1, false, true]);
    await until('it is left alone', () => server.counts.clients === 0);
    // One of this process is there at once, and its refusal is still heard by whoever listens from the beginning.
    const local = opened(new MafaldaHorizontal([newer]));
    const heard = new Promise<Error>(resolve => local.once('error', resolve));
    await once(local, 'connected');
    expect([(await heard).message, local.size]).toEqual([expect.stringMatching(/has mediasoup 4\.1\.0/), 0]);

    const again = new Promise<Error>(resolve => mafalda.once('error', resolve));
    mafalda.add(newer);
    expect([(await again).message, mafalda.size]).toEqual([expect.stringMatching(/has mediasoup 4\.1\.0/), 1]);
  });

  test('which refuses what is no node', async () => {
    const mafalda = await cluster([]);
    expect(() => mafalda.add('media-1')).toThrow(/URL/);
    expect(() => mafalda.add({} as Mafalda)).toThrow(TypeError);
    expect(mafalda.size).toBe(0);
    expect(() => new MafaldaHorizontal([], { strateg: leastLoaded } as object)).toThrow(/unknown option strateg/);
    expect(() => new MafaldaHorizontal([], { watermarkNode: -1 })).toThrow(/watermarkNode/);
    for (const nodeTimeout of [0, -1, NaN, Infinity, '3000' as unknown as number]) {
      expect(() => new MafaldaHorizontal([], { nodeTimeout })).toThrow(/nodeTimeout/);
    }
    expect(() => new MafaldaHorizontal([], { sessionTimeout: 1000 } as object)).toThrow(
      /unknown option sessionTimeout/,
    );
    expect(() => new MafaldaHorizontal([], { strategy: 'leastLoaded' as unknown as Strategy })).toThrow(/strategy/);
  });

  test('delete() closes what is there, and what it opened itself', async () => {
    const client = opened(new RemoteMafaldaClient(b.url));
    const mafalda = await cluster([a.url, client], { strategy: leastLoaded });
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const [atA, atB] = [
      await mafaldaRouter.createDirectTransport({ placement: { node: a.url } }),
      await mafaldaRouter.createDirectTransport({ placement: { node: client } }),
    ];
    expect(mafalda.delete(a.url)).toBe(true);
    expect([atA.closed, atB.closed, mafalda.size, mafalda.has(a.url)]).toEqual([true, false, 1, false]);
    expect(mafalda.delete(a.url)).toBe(false);
    await a.untilEmpty();
    expect(mafalda.delete(client)).toBe(true);
    expect([atB.closed, client.closed]).toEqual([true, false]);
    await until('nothing is left there', () => b.mafalda.mafaldaRouters.size === 0);
    await expect(mafaldaRouter.createDirectTransport()).rejects.toThrow(/none of the 0 nodes/);
    mafalda.add(a.url);
    await expect(mafaldaRouter.createDirectTransport()).resolves.toBeDefined();
  });

  test('delete() while something is being created there fails that, and leaves nothing', async () => {
    const mafalda = await cluster([a.url]);
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const creating = Array.from({ length: 5 }, () => mafaldaRouter.createDirectTransport());
    const settled = Promise.allSettled(creating);
    mafalda.delete(a.url);
    for (const { status } of await settled) expect(status).toBe('rejected');
    await a.untilEmpty();
    expect([mafaldaRouter.transports.size, mafaldaRouter.routers.size]).toEqual([0, 0]);
  });

  test('a local node that closes by itself is not a node any more', async () => {
    const local = new Mafalda(mediasoup, { workerBudget: false });
    const mafalda = await cluster([local]);
    const transport = await mafalda.createMafaldaRouter().createDirectTransport();
    await local.close();
    expect([mafalda.size, transport.closed]).toEqual([0, true]);
  });
});

describe('`connected` fires', () => {
  test('with no nodes, and creating then says so', async () => {
    const mafalda = await cluster();
    await expect(mafalda.createMafaldaRouter().createDirectTransport()).rejects.toThrow(
      /none of the 0 nodes is connected/,
    );
    await expect(mafalda.createMafaldaRouter().getRtpCapabilities()).rejects.toThrow(/none of the 0 nodes/);
  });

  test('when a node can’t be reached, and the others are used', async () => {
    const mafalda = opened(new MafaldaHorizontal([await deadUrl(), a.url]));
    const connected: unknown[] = [];
    mafalda.on('nodeconnected', node => connected.push((node as RemoteMafaldaClient).url));
    await once(mafalda, 'connected');
    expect(connected).toEqual([a.url]);
    const mafaldaRouter = mafalda.createMafaldaRouter();
    await Promise.all(Array.from({ length: 4 }, () => mafaldaRouter.createDirectTransport()));
    expect(a.mafalda.transports.size).toBe(4);
  });

  test('and one that can’t be used among the first leaves no client behind', async () => {
    expect(() => new MafaldaHorizontal([a.url, 'ftp://nobody'])).toThrow(TypeError);
    const other = await cluster([a.url]);
    await until('only the other one’s client is there', () => a.server.counts.clients === 1);
    await other.close();
  });

  test('and one that is added later and can’t be reached holds up nobody', async () => {
    const mafalda = await cluster([a.url]);
    mafalda.add(await deadUrl());
    const told = once(mafalda, 'connected').then(() => 'gave the node up');
    const created = mafalda
      .createMafaldaRouter()
      .createDirectTransport()
      .then(() => 'created');
    expect(await Promise.race([told, created])).toBe('created');
    const typo = { placement: { nod: a.url } } as object;
    await expect(mafalda.createMafaldaRouter().createDirectTransport(typo)).rejects.toThrow(/unknown option nod/);
    await told;
  });

  test('when nodes refuse us, which `error` tells after it', async () => {
    const strict = [opened(await Served.create({ auth: 'secret' })), opened(await Served.create({ auth: 'secret' }))];
    const mixed = opened(new MafaldaHorizontal([strict[0]!.url, a.url, strict[1]!.url], { token: 'wrong' }));
    const errors: Error[] = [];
    mixed.on('error', refused => errors.push(refused));
    // This rejects with an error that comes before the event.
    await once(mixed, 'connected');
    await until('each has told', () => errors.length === 2);
    await expect(mixed.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();

    const mafalda = opened(new MafaldaHorizontal([strict[0]!.url], { token: 'wrong' }));
    const error = new Promise<Error>(resolve => mafalda.once('error', resolve));
    await once(mafalda, 'connected');
    expect((await error).message).toMatch(/token/);
    await expect(mafalda.createMafaldaRouter().createDirectTransport()).rejects.toThrow(/none of the 1 nodes/);
  });

  test('when a node lets us in after all, which add() asks for at once', async () => {
    let known = false;
    const strict = opened(await Served.create({ auth: () => known }));
    const mafalda = opened(new MafaldaHorizontal([strict.url]));
    const told: string[] = [];
    mafalda.on('error', ({ name }) => told.push(name));
    await once(mafalda, 'connected');
    // Why it does not let us in, and that there is no other.
    await until('both are told', () => told.length === 2);
    known = true;
    mafalda.add(strict.url);
    await once(mafalda, 'nodeconnected');
    await expect(mafalda.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
    expect([mafalda.size, told]).toEqual([1, ['RefusedError', 'NodeUnavailableError']]);
  });
});

describe('a node that is disconnected', () => {
  test('gets nothing new, until it is back', async () => {
    const proxy = opened(await CutProxy.create(a.url));
    const mafalda = await cluster([proxy.url, b.url], { strategy: leastLoaded });
    const mafaldaRouter = mafalda.createMafaldaRouter();
    const atA = await mafaldaRouter.createDirectTransport({ placement: { node: proxy.url } });
    const told: string[] = [];
    mafalda.on('nodedisconnected', (node, reason) =>
      told.push(`${(node as RemoteMafaldaClient).url} ${typeof reason}`),
    );
    const disconnected = once(mafalda, 'nodedisconnected');
    proxy.blocked = true;
    proxy.cut();
    await disconnected;
    expect(told).toEqual([`${proxy.url} string`]);
    await expect(mafaldaRouter.createDirectTransport({ placement: { node: proxy.url } })).rejects.toThrow(
      /not connected/,
    );
    const others = await Promise.all(Array.from({ length: 4 }, () => mafaldaRouter.createDirectTransport()));
    expect(others.every(transport => mafalda.nodeOf(transport) !== mafalda.nodeOf(atA))).toBe(true);
    expect(atA.closed).toBe(false);
    const back = once(mafalda, 'nodeconnected');
    proxy.blocked = false;
    await back;
    await expect(mafaldaRouter.createDirectTransport({ placement: { node: proxy.url } })).resolves.toBeDefined();
  });

  test('does not keep close() of a MafaldaRouter or of its usages waiting for ever', async () => {
    const proxy = await CutProxy.create(a.url);
    const mafalda = await cluster([proxy.url, b.url]);
    const mafaldaRouter = mafalda.createMafaldaRouter();
    for (const node of [proxy.url, b.url]) await mafaldaRouter.createDirectTransport({ placement: { node } });
    const disconnected = once(mafalda, 'nodedisconnected');
    await proxy.close();
    await disconnected;
    const timeout = new Promise((_resolve, reject) => setTimeout(reject, 3000, new Error('it never settles')).unref());
    await Promise.race([mafaldaRouter.getResourceUsages(), timeout]);
    await Promise.race([mafaldaRouter.close(), timeout]);
    expect(mafaldaRouter.transports.size).toBe(0);
  });
});
