/**
 * How what is done once grows with what is there already. `npm run bench:growth`
 *
 * Each operation is done beside more and more objects. The exponent says how its time grows from the second size to the largest: 0 is flat, 1 as the number
 * of objects does. Where an operation goes through all of them, such as attaching to a room, what counts is how long the event loops are held up. Nothing
 * fails: times are this machine's.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import type { DirectTransport } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  type MafaldaRouter,
  type RemoteMafaldaClientOptions,
} from 'mafalda-horizontal';
import { fill } from './fill.ts';
import { HeldMeter, type Held } from './held.ts';
import type { Order } from './node.ts';

const SIZES = [100, 1000, 10_000, 40_000];
/** Each of them is a pipe: four objects. */
const STREAMS = [100, 1000, 4000];
const ROUNDS = 20;

interface Figure {
  readonly ms: number;
  /** Longest collection of garbage in the meantime, in ms. */
  readonly collection?: number;
}

type Row = { what: string; figures: Map<number, Figure> };
const rows: Row[] = [];

function note(what: string, size: number, figure: Figure): void {
  const row = rows.find(other => other.what === what) ?? { what, figures: new Map<number, Figure>() };
  if (row.figures.size === 0) rows.push(row);
  row.figures.set(size, figure);
}

interface Node {
  readonly process: ChildProcess;
  readonly url: string;
}

async function startNode(): Promise<Node> {
  const process = fork(fileURLToPath(new URL('node.ts', import.meta.url)));
  const [url] = (await once(process, 'message')) as [string];
  return { process, url };
}

async function order({ process }: Node, what: Order): Promise<Held> {
  process.send(what);
  const [answer] = (await once(process, 'message')) as [Held];
  return answer;
}

const held = new HeldMeter();

/** Notes how long something takes, and how long the event loops of both sides are held up by it. */
async function during(what: string, size: number, node: Node | undefined, act: () => Promise<unknown>): Promise<void> {
  if (node) await order(node, { order: 'reset' });
  held.reset();
  // The first turn after that is not measured.
  await new Promise(resolve => setTimeout(resolve, 5));
  const ms = await timed(act);
  const ofClient = await held.read();
  note(what, size, { ms });
  if (node) note(`${what}: event loop of the node`, size, figureOf(await order(node, { order: 'held' })));
  note(`${what}: event loop of the client`, size, figureOf(ofClient));
}

function figureOf({ longest, longestCollection }: Held): Figure {
  return { ms: longest, collection: longestCollection };
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

function median(times: number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

async function several(act: () => Promise<unknown>): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; ++round) times.push(await timed(act));
  return { ms: median(times) };
}

interface Attached {
  readonly client: RemoteMafaldaClient;
  readonly mafaldaRouter: MafaldaRouter;
}

async function attached({ url }: Node, room: string, options: RemoteMafaldaClientOptions = {}): Promise<Attached> {
  const client = new RemoteMafaldaClient(url, options);
  await once(client, 'connected');
  return { client, mafaldaRouter: client.createMafaldaRouter({ id: room }) };
}

/** A room that is there: it is attached to and used, its only client leaves, and it closes with another one attached. */
async function existing(node: Node, objects: number): Promise<void> {
  const room = `room of ${objects}`;
  await order(node, { order: 'fill', room, objects });
  const { client, mafaldaRouter } = await attached(node, room);
  await during('attach to a room', objects, node, () => mafaldaRouter.createDirectTransport());
  const transport = await mafaldaRouter.createDirectTransport();
  note('createDirectTransport()', objects, await several(() => mafaldaRouter.createDirectTransport()));
  note('produceData()', objects, await several(() => transport.produceData()));
  await during('its only client leaves', objects, node, () => client.close());
  const cluster = new MafaldaHorizontal([node.url]);
  await once(cluster, 'connected');
  const shared = cluster.createMafaldaRouter({ id: room });
  await during('attach with a MafaldaHorizontal', objects, node, () => shared.createDirectTransport());
  await cluster.close();
  const other = await attached(node, room);
  await other.mafaldaRouter.createDirectTransport();
  const closed = once(other.mafaldaRouter, 'close');
  await during('it closes at its node', objects, node, () =>
    Promise.all([order(node, { order: 'close', room }), closed]),
  );
  await other.client.close();
}

/** Rooms that a client has made by itself: it leaves, and closes one. */
async function own(node: Node, objects: number): Promise<void> {
  const leaving = await attached(node, `left ${objects}`);
  await fill(leaving.mafaldaRouter, objects);
  await during('a client leaves', objects, node, () => leaving.client.close());
  const closing = await attached(node, `closed ${objects}`);
  await fill(closing.mafaldaRouter, objects);
  await during('mafaldaRouter.close()', objects, node, () => closing.mafaldaRouter.close());
  await closing.client.close();
}

/** A node that is killed. */
async function lost(objects: number): Promise<void> {
  const node = await startNode();
  await order(node, { order: 'fill', room: 'lost', objects });
  const { client, mafaldaRouter } = await attached(node, 'lost', { sessionTimeout: 500 });
  await mafaldaRouter.createDirectTransport();
  const closed = once(mafaldaRouter, 'close');
  await during('its node is killed', objects, undefined, async () => {
    node.process.kill('SIGKILL');
    await once(client, 'lost');
    await closed;
  });
  await client.close();
}

/** `router.close()` of mediasoup, and of a Mafalda in this process, which close all at once. */
async function atOnce(objects: number): Promise<void> {
  const worker = await mediasoup.createWorker();
  const router = await worker.createRouter();
  await fill(router, objects);
  note('router.close() of mediasoup', objects, { ms: await timed(async () => router.close()) });
  worker.close();
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  const mafaldaRouter = mafalda.createMafaldaRouter();
  await fill(mafaldaRouter, objects);
  const [own] = mafaldaRouter.routers.values();
  note('router.close() of a Mafalda', objects, { ms: await timed(async () => own?.close()) });
  await mafalda.close();
}

/** Two Workers, and a link between them. */
async function pipes(streams: number): Promise<void> {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  const room = mafalda.createMafaldaRouter({ watermarkWorker: 0 });
  const transports: DirectTransport[] = [];
  while (room.routers.size < 2) transports.push(await room.createDirectTransport());
  const [source, sink] = [transports[0]!, transports.at(-1)!];
  const pipe = async (): Promise<{ close(): void }> => {
    const { id } = await source.produceData();
    return sink.consumeData({ dataProducerId: id });
  };
  const consumers: { close(): void }[] = [];
  while (consumers.length < streams)
    consumers.push(...(await Promise.all(Array.from({ length: Math.min(50, streams - consumers.length) }, pipe))));
  note('one more stream over a link', streams, await several(pipe));
  note('close consumers of all streams', streams, {
    ms: await timed(async () => consumers.forEach(consumer => consumer.close())),
  });
  held.reset();
  await mafalda.close();
  note('close all of it: event loop', streams, figureOf(await held.read()));
}

const node = await startNode();
for (const size of SIZES) {
  await existing(node, size);
  await own(node, size);
  await lost(size);
  await atOnce(size);
}
for (const streams of STREAMS) await pipes(streams);
node.process.disconnect();

console.log('ms'.padEnd(48) + 'at so many objects or streams (longest collection of garbage), and the exponent');
for (const { what, figures } of rows) {
  const sizes = [...figures.keys()];
  const [from, to] = [sizes[1]!, sizes.at(-1)!];
  const exponent = Math.log(figures.get(to)!.ms / figures.get(from)!.ms) / Math.log(to / from);
  const textOf = ({ ms, collection }: Figure): string =>
    ms.toFixed(1) + (collection === undefined ? '' : ` (${collection.toFixed(1)})`);
  console.log(
    what.padEnd(48) +
      sizes.map(size => `${size}: ${textOf(figures.get(size)!)}`.padStart(22)).join('') +
      exponent.toFixed(2).padStart(10),
  );
}
process.exit();
