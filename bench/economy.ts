/**
 * What piping costs: the classic full mesh, which pipes every producer to every other Worker whether anybody there wants it
 * or not, and ours beside it. `npm run bench:economy`
 *
 * Each of P peers has two producers and consumes everybody else's. *useful* are the consumers of people. *mesh* are the pipe
 * consumers of a full mesh over W Workers: producers × (W − 1). Ours are counted
 *   - *quiet*: on objects that were really created, with Workers below their watermark;
 *   - *busy*: where a Worker is full with 300 consumers (the usual 500, up to a watermark of 60 %), by the placement's pure function;
 *   - *full*: where each Worker is full from the beginning, on objects that were really created where it has `*`, else by that function.
 */
import { rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as mediasoup from 'mediasoup';
import type { DirectTransport, RtpParameters } from 'mediasoup/types';
import { Mafalda } from '../src/index.ts';
import { placeOnWorker } from '../src/placement/placeOnWorker.ts';

const PEERS = [5, 10, 15, 20, 30, 40];
const WORKERS = [1, 2, 4, 8, 16];
const PRODUCERS_PER_PEER = 2;
const CONSUMERS_PER_WORKER = 500;
const WATERMARK = 60;

/** Other processes' Workers are none of this machine's, for once. */
const budgetFile = join(tmpdir(), `mafalda-economy-${process.pid}.json`);
process.once('exit', () => rmSync(budgetFile, { force: true }));

const mediaCodecs = [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] as const;

/** Really creates the objects, and counts the pipe consumers among them. */
async function create(peers: number, workers: number, watermarkWorker: number): Promise<number> {
  const mafalda = new Mafalda(mediasoup, { workerBudget: { max: workers, file: budgetFile } });
  const router = mafalda.createMafaldaRouter({
    routerOptions: { mediaCodecs: [...mediaCodecs] },
    watermarkWorker,
    maxWorkers: workers,
  });
  const rtpCapabilities = await router.getRtpCapabilities();
  const joined: { transport: DirectTransport; producerIds: string[] }[] = [];
  for (let peer = 0; peer < peers; ++peer) {
    const transport = await router.createDirectTransport();
    const producerIds: string[] = [];
    for (let index = 0; index < PRODUCERS_PER_PEER; ++index) {
      producerIds.push((await transport.produce({ kind: 'audio', rtpParameters: rtpParametersOf(peer, index) })).id);
    }
    for (const other of joined) {
      for (const producerId of other.producerIds) await transport.consume({ producerId, rtpCapabilities });
      for (const producerId of producerIds) await other.transport.consume({ producerId, rtpCapabilities });
    }
    joined.push({ transport, producerIds });
  }
  const { pipes } = await router.dump();
  await mafalda.close();
  return pipes.length;
}

/** The same by the placement's pure function. A Worker's load is its share of the consumers that it can take, pipes' included. */
function simulate(peers: number, maxWorkers: number, watermark: number): number {
  const workers: { load: number; placed: number; hasRouter: boolean; peers: number; streams: Set<string> }[] = [];
  const joined: { worker: (typeof workers)[number]; producerIds: string[] }[] = [];
  let pipes = 0;
  const consume = (to: (typeof workers)[number], from: (typeof workers)[number], id: string): void => {
    if (!to.streams.has(id)) {
      to.streams.add(id);
      from.load += 100 / CONSUMERS_PER_WORKER;
      ++pipes;
    }
    to.load += 100 / CONSUMERS_PER_WORKER;
  };
  for (let peer = 0; peer < peers; ++peer) {
    const choice = placeOnWorker({ workers, watermark, mayCreateWorker: workers.length < maxWorkers });
    const worker =
      choice === 'new' || !choice
        ? { load: 0, placed: 0, hasRouter: true, peers: 0, streams: new Set<string>() }
        : choice;
    if (!workers.includes(worker)) workers.push(worker);
    ++worker.placed;
    const producerIds = Array.from({ length: PRODUCERS_PER_PEER }, (_, index) => `${peer}/${index}`);
    for (const id of producerIds) worker.streams.add(id);
    for (const other of joined) {
      for (const id of other.producerIds) consume(worker, other.worker, id);
      for (const id of producerIds) consume(other.worker, worker, id);
    }
    joined.push({ worker, producerIds });
  }
  return pipes;
}

function rtpParametersOf(peer: number, index: number): RtpParameters {
  const codecs = [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }] as const;
  return { mid: String(index), codecs: [...codecs], encodings: [{ ssrc: 1000 + peer * PRODUCERS_PER_PEER + index }] };
}

const columns = ['peers', 'workers', 'useful', 'mesh', 'quiet', 'busy', 'full'];
console.log(columns.map(name => name.padStart(8)).join(''));
for (const peers of PEERS) {
  for (const workers of WORKERS) {
    const useful = peers * (peers - 1) * PRODUCERS_PER_PEER;
    const mesh = peers * PRODUCERS_PER_PEER * (workers - 1);
    const quiet = await create(peers, workers, WATERMARK);
    const busy = simulate(peers, workers, WATERMARK);
    const isReal = workers <= 2 * availableParallelism() && peers <= 20;
    const full = isReal ? await create(peers, workers, 0) : simulate(peers, workers, 0);
    if (isReal && full > mesh)
      throw new Error(`${peers} peers on ${workers} workers: ${full} pipes are more than a full mesh has`);
    const row = [peers, workers, useful, mesh, quiet, busy, `${full}${isReal ? '*' : ''}`];
    console.log(row.map(value => String(value).padStart(8)).join(''));
  }
}
