/**
 * Heap that one more Consumer takes, after a garbage collection: of mediasoup alone, of a media server, and of a controller.
 * `npm run bench:memory [consumers]`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import { heapUsed } from './heap.ts';
import { openClient, openOurs, subjectTransport } from './ours.ts';
import { listenInfos, mediaCodecs, rtpParametersOf, type Room } from './subject.ts';

const CONSUMERS = Number(process.argv[2] ?? 5000);
const TRANSPORTS = 50;
const AT_ONCE = 100;
/** Until what was acknowledged is forgotten. */
const SETTLE_MS = 1000;
const KINDS = ['audio', 'video'] as const;

type Heap = () => Promise<number> | number;

/** @returns KiB for each Consumer, in each of the heaps */
async function measure(
  room: Pick<Room, 'createTransport'>,
  kind: (typeof KINDS)[number],
  heaps: readonly Heap[],
): Promise<number[]> {
  const transports = await Promise.all(Array.from({ length: TRANSPORTS }, () => room.createTransport(0)));
  const id = await transports[0]!.produce(kind, rtpParametersOf(kind, 1));
  for (const transport of transports) await transport.consume(id, true);
  const read = async (): Promise<number[]> => {
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
    return Promise.all(heaps.map(async heap => heap()));
  };
  const before = await read();
  for (let made = 0; made < CONSUMERS; made += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => transports[(made + index) % TRANSPORTS]!.consume(id, true)),
    );
  }
  const after = await read();
  for (const transport of transports) transport.close();
  return after.map((bytes, index) => (bytes - before[index]!) / CONSUMERS / 1024);
}

const child = fork(fileURLToPath(new URL('node.ts', import.meta.url)), ['ours'], {
  execArgv: ['--import', 'tsx', '--expose-gc'],
});
const [url] = (await once(child, 'message')) as [string];
const nodeHeap = async (): Promise<number> => {
  child.send('heap');
  const [bytes] = (await once(child, 'message')) as [number];
  return bytes;
};

const worker = await mediasoup.createWorker();
const router = await worker.createRouter({ mediaCodecs: [...mediaCodecs] });
const { rtpCapabilities } = router;
const plain: Pick<Room, 'createTransport'> = {
  createTransport: async () =>
    subjectTransport(await router.createWebRtcTransport({ listenInfos: [...listenInfos] }), rtpCapabilities),
};
const rows = new Map<string, number[]>();
for (const kind of KINDS)
  rows.set('mediasoup', [...(rows.get('mediasoup') ?? []), ...(await measure(plain, kind, [heapUsed]))]);
worker.close();
for (const [name, open] of [
  ['RemoteMafaldaClient', () => openClient(url)],
  ['MafaldaHorizontal', () => openOurs([url])],
] as const) {
  const subject = await open();
  const room = await subject.openRoom(1);
  for (const kind of KINDS) {
    const [controller, node] = (await measure(room, kind, [heapUsed, nodeHeap])) as [number, number];
    rows.set(name, [...(rows.get(name) ?? []), controller]);
    rows.set(`server of a ${name}`, [...(rows.get(`server of a ${name}`) ?? []), node]);
  }
  await room.close();
  await subject.close();
}
console.log(`| KiB of heap for each of ${CONSUMERS} Consumers | ${KINDS.join(' | ')} |\n|---|---|---|`);
for (const [name, figures] of rows)
  console.log(`| ${name} | ${figures.map(figure => figure.toFixed(1)).join(' | ')} |`);
child.disconnect();
