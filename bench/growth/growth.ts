/**
 * How what is done once grows with what is there already. `npm run bench:growth`
 *
 * Each operation is done beside more and more objects. The exponent says how its time grows from the second size to the largest: 0 is flat, 1 as the number
 * of objects does. Where an operation goes through all of them, such as attaching to a room, what counts is how long the event loops are held up. Nothing
 * fails: times are this machine's.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import type { DirectTransport } from 'mediasoup/types';
import { Mafalda, RemoteMafaldaClient, type MafaldaRouter } from 'mafalda-horizontal';
import type { Order } from './node.ts';

const SIZES = [100, 1000, 10_000, 40_000];
/** Each of them is a pipe: four objects. */
const STREAMS = [100, 1000, 4000];
const ROUNDS = 20;

type Row = { what: string; figures: Map<number, number> };
const rows: Row[] = [];

function note(what: string, size: number, ms: number): void {
  const row = rows.find(other => other.what === what) ?? { what, figures: new Map<number, number>() };
  if (row.figures.size === 0) rows.push(row);
  row.figures.set(size, ms);
}

const node = fork(fileURLToPath(new URL('node.ts', import.meta.url)));
const [url] = (await once(node, 'message')) as [string];

async function order(what: Order): Promise<number> {
  node.send(what);
  const [answer] = (await once(node, 'message')) as [number];
  return answer;
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

async function reset(): Promise<void> {
  await order({ order: 'reset' });
  delay.reset();
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

function median(times: number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

async function several(act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; ++round) times.push(await timed(act));
  return median(times);
}

async function attached(room: string): Promise<{ client: RemoteMafaldaClient; mafaldaRouter: MafaldaRouter }> {
  const client = new RemoteMafaldaClient(url);
  await once(client, 'connected');
  return { client, mafaldaRouter: client.createMafaldaRouter({ id: room }) };
}

/** A room that is there, and one that a client has made by itself. */
async function rooms(objects: number): Promise<void> {
  const room = `room of ${objects}`;
  await order({ order: 'fill', room, objects });
  const { client, mafaldaRouter } = await attached(room);
  await reset();
  note('attach to a room: all of it', objects, await timed(() => mafaldaRouter.createDirectTransport()));
  note('attach: event loop of the node, max', objects, await order({ order: 'delay' }));
  note('attach: event loop of the client, max', objects, delay.max / 1e6);
  const transport = await mafaldaRouter.createDirectTransport();
  note('createDirectTransport()', objects, await several(() => mafaldaRouter.createDirectTransport()));
  note('produceData()', objects, await several(() => transport.produceData()));

  const own = await attached(`own ${objects}`);
  let target: DirectTransport | undefined;
  for (let made = 0; made < objects; made += 100) {
    if (made % 500 === 0) target = await own.mafaldaRouter.createDirectTransport();
    await Promise.all(Array.from({ length: 100 }, async () => target?.produceData()));
  }
  await reset();
  note('a client leaves: until it is gone', objects, await timed(() => own.client.close()));
  note('a client leaves: event loop of the node, max', objects, await order({ order: 'delay' }));
  note('a client leaves: its own event loop, max', objects, delay.max / 1e6);
  await client.close();
  await order({ order: 'close', room });
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
  note(
    'close consumers of all streams',
    streams,
    await timed(async () => consumers.forEach(consumer => consumer.close())),
  );
  delay.reset();
  await mafalda.close();
  note('close all of it: event loop, max', streams, delay.max / 1e6);
}

for (const size of SIZES) await rooms(size);
for (const streams of STREAMS) await pipes(streams);
node.disconnect();

console.log('ms'.padEnd(48) + 'at so many objects or streams, and the exponent');
for (const { what, figures } of rows) {
  const sizes = [...figures.keys()];
  const [from, to] = [sizes[1]!, sizes.at(-1)!];
  const exponent = Math.log(figures.get(to)! / figures.get(from)!) / Math.log(to / from);
  console.log(
    what.padEnd(48) +
      sizes.map(size => `${size}: ${figures.get(size)!.toFixed(1)}`.padStart(16)).join('') +
      exponent.toFixed(2).padStart(10),
  );
}
process.exit();
