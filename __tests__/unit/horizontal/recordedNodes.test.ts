/** Nodes that a controller finds in a directory: when they come and go, and when it connects to them. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { pickPort } from 'pick-port';
import {
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type MafaldaRouter,
  type NodeRecord,
} from '../../../src/index.ts';
import { RecordedNode } from '../../../src/horizontal/recordedNode.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { MemoryStore, type MemoryDirectory } from '../../helpers/memoryDirectory.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const closing = closingAfterEach();

/** A server that has written itself into a directory of its own. */
async function serve(store: MemoryStore): Promise<Served & { directory: MemoryDirectory }> {
  const directory = store.open();
  const port = await pickPort({ type: 'tcp', ip: '127.0.0.1', reserveTimeout: 0 });
  const served = await Served.create({ port, directory, publicUrl: `ws://127.0.0.1:${port}` });
  return closing(Object.assign(served, { directory }));
}

async function control(store: MemoryStore, nodes?: string[]): Promise<MafaldaHorizontal> {
  const directory = store.open();
  const cluster = closing(nodes ? new MafaldaHorizontal(nodes, { directory }) : new MafaldaHorizontal({ directory }));
  await once(cluster, 'connected');
  return cluster;
}

/** Writes a record of a server that does not listen. */
async function writeDead(store: MemoryStore): Promise<NodeRecord> {
  const port = await pickPort({ type: 'tcp', ip: '127.0.0.1', reserveTimeout: 0 });
  const url = `ws://127.0.0.1:${port}`;
  // The strategy takes the fullest node below the watermark.
  const record = { url, serverId: 'dead', labels: {}, load: 50, draining: false };
  store.open().register(record);
  return record;
}

const clientsOf = (servers: Served[]): number[] => servers.map(({ server }) => server.counts.clients);
const room = { id: 'room', routerOptions: { mediaCodecs } };

async function produceData(mafaldaRouter: MafaldaRouter): Promise<string> {
  const transport = await mafaldaRouter.createDirectTransport();
  return (await transport.produceData()).id;
}

test('a controller needs no list, and connects only to nodes that it uses', async () => {
  const store = new MemoryStore();
  const servers = [await serve(store), await serve(store), await serve(store)];
  const cluster = await control(store);
  expect([cluster.size, ...clientsOf(servers)]).toEqual([3, 0, 0, 0]);
  const urls = [...cluster].map(node => (node as RemoteMafaldaClient).url);
  expect(urls.sort()).toEqual(servers.map(({ url }) => url).sort());

  const states = (): string[] => cluster.statistics.nodes.map(({ state }) => state).sort();
  expect(states()).toEqual(['dormant', 'dormant', 'dormant']);
  const central = closing(new RemoteMafaldaServer(cluster, { host: '127.0.0.1', auth: false }));
  await central.listen();
  expect(central.statistics.ready).toBe(true);

  const one = cluster.createMafaldaRouter(room);
  const producerId = await produceData(one);
  expect(clientsOf(servers).sort()).toEqual([0, 0, 1]);
  expect(states()).toEqual(['connected', 'dormant', 'dormant']);

  // Another controller finds the room where it is, and what is in it.
  const other = (await control(store)).createMafaldaRouter(room);
  const transport = await other.createDirectTransport();
  const consumer = await transport.consumeData({ dataProducerId: producerId });
  expect(consumer.dataProducerId).toBe(producerId);
  await until('the second one has joined the room on its node', () => other.routers.size > 0);
  expect(servers.filter(({ mafalda }) => mafalda.mafaldaRouters.size > 0).length).toBeLessThanOrEqual(2);
});

test('one that knows a room’s id only learns where it is, and what its options are', async () => {
  const store = new MemoryStore();
  const servers = [await serve(store), await serve(store)];
  const producerId = await produceData((await control(store)).createMafaldaRouter(room));
  const other = (await control(store)).createMafaldaRouter({ id: 'room' });
  const { codecs } = await other.getRtpCapabilities();
  expect(codecs!.length).toBeGreaterThanOrEqual(mediaCodecs.length);
  const transport = await other.createDirectTransport();
  await transport.consumeData({ dataProducerId: producerId });
  expect(clientsOf(servers).sort()).toEqual([0, 2]);
});

test('a node that is in the directory and does not live is passed over', async () => {
  const store = new MemoryStore();
  const dead = await writeDead(store);
  await serve(store);
  const cluster = await control(store);
  const failures: string[] = [];
  cluster.on('connecterror', ({ url }) => failures.push(url));
  const mafaldaRouter = cluster.createMafaldaRouter(room);
  const transports = await Promise.all([1, 2, 3].map(() => mafaldaRouter.createDirectTransport()));
  expect([transports.length, failures]).toEqual([3, [dead.url]]);
});

test('where none can be connected to, the reasons are told', async () => {
  const store = new MemoryStore();
  const dead = await writeDead(store);
  const cluster = await control(store);
  await expect(cluster.createMafaldaRouter(room).createDirectTransport()).rejects.toThrow(dead.url);
});

test('nodes come and go with their records; one that is connected stays until it is lost', async () => {
  const store = new MemoryStore();
  const cluster = await control(store);
  expect(cluster.size).toBe(0);
  const first = await serve(store);
  await until('the node has come', () => cluster.size === 1);
  const transport = await cluster.createMafaldaRouter(room).createDirectTransport();
  const second = await serve(store);
  await until('the second one has', () => cluster.size === 2);

  await second.directory.close();
  await until('what was not used has gone', () => cluster.size === 1);
  await first.directory.close();
  await until('no record is left', () => store.nodes.size === 0);
  await cluster.createMafaldaRouter(room).createDirectTransport();
  expect([cluster.size, transport.closed]).toEqual([1, false]);
});

test('a node may be given as well: it is one node, and stays connected', async () => {
  const store = new MemoryStore();
  const [both, given] = [await serve(store), closing(await Served.create())];
  const cluster = await control(store, [both.url, given.url]);
  expect([cluster.size, ...clientsOf([both, given])]).toEqual([2, 1, 1]);
});

test('a node that the application has removed stays away until it is added', async () => {
  const store = new MemoryStore();
  const { url, server, directory } = await serve(store);
  const cluster = await control(store);
  expect(cluster.delete(url)).toBe(true);
  const record = store.nodes.get(url)!;
  // The server itself writes its load anew, and leaves the labels.
  directory.register({ ...record, labels: { told: 'again' } });
  const observer = store.open();
  await until('the new record is told', () => observer.nodes.get(url)?.labels?.['told'] === 'again');
  expect([cluster.has(url), cluster.size]).toEqual([false, 0]);
  cluster.add(url);
  expect([cluster.size, server.counts.clients]).toEqual([1, 0]);
  await cluster.createMafaldaRouter(room).createDirectTransport();
});

test('a node that is being drained by its record gets nothing new', async () => {
  const store = new MemoryStore();
  const dead = await writeDead(store);
  store.open().register({ ...dead, draining: true });
  const { url } = await serve(store);
  const cluster = await control(store);
  const transport = await cluster.createMafaldaRouter(room).createDirectTransport();
  expect((cluster.nodeOf(transport) as RemoteMafaldaClient).url).toBe(url);
  await expect(cluster.createMafaldaRouter().createDirectTransport({ placement: { node: dead.url } })).rejects.toThrow(
    'drained',
  );
});

test('a connection without objects ends after a while, and comes back when it is needed', async () => {
  const store = new MemoryStore();
  const { url, server } = await serve(store);
  const client = closing(new RemoteMafaldaClient(url, {}, 'controller', false));
  const node = new RecordedNode(client, store.nodes.get(url)!, () => 0);
  expect([node.isUsable, node.isOpen, node.load]).toEqual([true, false, store.nodes.get(url)!.load]);
  await Promise.all([node.open(), node.open()]);
  expect([client.readyState, server.counts.clients]).toEqual([4, 1]);

  const mafaldaRouter = client.createMafaldaRouter(room);
  await mafaldaRouter.createDirectTransport();
  expect([node.closeIfIdle(1000, 0), node.closeIfIdle(1000, 5000)]).toEqual([false, false]);
  await mafaldaRouter.close();
  expect([node.closeIfIdle(1000, 6000), node.closeIfIdle(1000, 6999)]).toEqual([false, false]);
  expect(node.closeIfIdle(1000, 7000)).toBe(true);
  await until('the server has lost its client', () => server.counts.clients === 0);
  expect([client.readyState, client.closed, node.isOpen]).toEqual([3, false, false]);
  await node.open();
  await client.createMafaldaRouter(room).createDirectTransport();
});

test('an outage of the directory is told as an error of the controller, and closes nothing', async () => {
  const store = new MemoryStore();
  await serve(store);
  const directory = store.open();
  const cluster = closing(new MafaldaHorizontal({ directory }));
  await once(cluster, 'connected');
  const transport = await cluster.createMafaldaRouter(room).createDirectTransport();
  const failed = new Promise(resolve => cluster.once('error', resolve));
  directory.emit('error', new Error('ill'));
  await failed;
  expect([transport.closed, cluster.size]).toEqual([false, 1]);
  await cluster.close();
  expect([directory.listenerCount('error'), directory.listenerCount('node')]).toEqual([0, 0]);
});

test('a central server that takes a client over finds its rooms on nodes that it is not connected to', async () => {
  const store = new MemoryStore();
  const media = [await serve(store), await serve(store)];
  const clusters = [await control(store), await control(store)];
  const servers = await Promise.all(
    clusters.map(async cluster => {
      const server = closing(new RemoteMafaldaServer(cluster, { host: '127.0.0.1', auth: false }));
      await server.listen();
      return server;
    }),
  );
  const client = closing(new RemoteMafaldaClient(servers.map(({ url }) => url)));
  const mafaldaRouter = client.createMafaldaRouter(room);
  const transport = await mafaldaRouter.createDirectTransport();
  const { id } = await transport.produceData();
  expect(clientsOf(media).sort()).toEqual([0, 1]);

  const [first] = client.url === servers[0]!.url ? servers : servers.reverse();
  const again = once(client, 'connected');
  await first!.close();
  await again;
  const other = await mafaldaRouter.createDirectTransport();
  const consumer = await other.consumeData({ dataProducerId: id });
  expect([transport.closed, consumer.dataProducerId]).toEqual([false, id]);
});

test('anything but a directory is refused', () => {
  expect(() => new MafaldaHorizontal({ directory: {} as MemoryDirectory })).toThrow('directory');
  expect(() => new MafaldaHorizontal('wss://media-1')).toThrow(TypeError);
});
