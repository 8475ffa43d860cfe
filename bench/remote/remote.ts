/**
 * The cost of the wire: `npm run bench:remote`, or with the number of calls, and the ms that everything takes on its way, each
 * way: `npm run bench:remote 400 1`
 *
 * Each call is made with this library; *by hand*, with a socket.io server of some 80 lines that does just this (`byHandServer.ts`); and compared with its *floor*:
 * the same call on local mediasoup, plus a bare acknowledged round trip of socket.io with the same data both ways. Each media server is a process of its own,
 * everything goes over loopback, and all take turns within one run. The ratios are what counts; milliseconds are this machine's.
 *
 * Prints a table in Markdown, with medians, and draws it into `docs/images/remote-calls.svg` if there is no delay.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import * as mediasoup from 'mediasoup';
import { io } from 'socket.io-client';
import { openByHand } from './byHandClient.ts';
import {
  calls,
  measureCalls,
  measureCallsCpu,
  measureJoins,
  measurePipelined,
  measurePipes,
  Times,
} from './measures.ts';
import { openClient, openOurs, subjectTransport } from './ours.ts';
import { drawReport, tableOf } from './report.ts';
import { startNode, type NodeProcess } from './startNode.ts';
import { listenInfos, mediaCodecs, rtpParametersOf, type Room } from './subject.ts';
import { inTurns, repeat } from './turns.ts';

/** Calls of each kind before they count: V8 is at work on the code of a call for more than a thousand of them. */
const WARM_UP_CALLS = 2000;
const CALLS = Number(process.argv[2] ?? 800);
const DELAY_MS = Number(process.argv[3] ?? 0);
const PIPES = Math.ceil(CALLS / 6);
const BURSTS = Math.ceil(CALLS / 80);
/** Calls one after the other whose CPU is counted together. */
const COUNTED = 40;
const JOINS = Math.ceil(CALLS / 80);
/** Rooms with pipes, and rooms that people join, before these count, for the same reason. */
const WARM_UP_PIPES = 400;
const WARM_UP_JOINS = 30;
const PIPELINED = 500;
const PEOPLE = 10;

async function cpuOf(nodes: readonly NodeProcess[]): Promise<number> {
  const { user, system } = process.cpuUsage();
  const others = await Promise.all(
    nodes.map(async ({ child }) => {
      child.send('cpu');
      const [ms] = (await once(child, 'message')) as [number];
      return ms;
    }),
  );
  return (user + system) / 1000 + others.reduce((sum, ms) => sum + ms, 0);
}

const nodes = {
  ours: await Promise.all([startNode('ours', DELAY_MS), startNode('ours', DELAY_MS)]),
  byHand: await Promise.all([startNode('by hand', DELAY_MS), startNode('by hand', DELAY_MS)]),
};
const ours = await openOurs(nodes.ours.map(({ url }) => url));
const byHand = await openByHand(nodes.byHand.map(({ url }) => url));
const client = await openClient(nodes.ours[0].url);
const bare = io(nodes.byHand[0].url, { transports: ['websocket'] });
await new Promise<void>(resolve => bare.once('connect', resolve));

const worker = await mediasoup.createWorker();
const router = await worker.createRouter({ mediaCodecs: [...mediaCodecs] });
const { rtpCapabilities } = router;
const local: Pick<Room, 'createTransport'> = {
  createTransport: async () =>
    subjectTransport(await router.createWebRtcTransport({ listenInfos: [...listenInfos] }), rtpCapabilities),
};

/** The data that calls send and get. */
async function payloads(): Promise<Record<(typeof calls)[number], { request: unknown; answer: unknown }>> {
  const transport = await router.createWebRtcTransport({ listenInfos: [...listenInfos] });
  const producer = await transport.produce({ kind: 'audio', rtpParameters: rtpParametersOf('audio', 1) });
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities });
  const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
  transport.close();
  return {
    createWebRtcTransport: { request: { listenInfos }, answer: { id, iceParameters, iceCandidates, dtlsParameters } },
    produce: { request: { kind: 'audio', rtpParameters: rtpParametersOf('audio', 1) }, answer: { id: producer.id } },
    consume: {
      request: { producerId: producer.id, rtpCapabilities },
      answer: { id: consumer.id, rtpParameters: consumer.rtpParameters },
    },
  };
}

const data = await payloads();
await bare.emitWithAck('answers', Object.fromEntries(calls.map(name => [name, data[name].answer])));

const times = new Times();
const clientRoom = await client.openRoom(1);
const handRoom = await byHand.openRoom(1);
await repeat(
  BURSTS,
  times,
  (into, index) =>
    inTurns(index, [
      () => measureCallsCpu(into, client.name, clientRoom, COUNTED, () => cpuOf(nodes.ours)),
      () => measureCallsCpu(into, byHand.name, handRoom, COUNTED, () => cpuOf(nodes.byHand)),
    ]),
  WARM_UP_CALLS / COUNTED,
);
await repeat(CALLS, times, async (into, index) => {
  await inTurns(index, [
    () => measureCalls(into, 'local', local, index + 1),
    () => measureCalls(into, client.name, clientRoom, index + 1),
    () => measureCalls(into, byHand.name, handRoom, index + 1),
    async () => {
      for (const name of calls) await into.time(name, 'bare', () => bare.emitWithAck('bare', name, data[name].request));
    },
  ]);
});
await repeat(BURSTS, times, (into, index) =>
  inTurns(index, [
    () => measurePipelined(into, client, clientRoom, PIPELINED, () => cpuOf(nodes.ours)),
    () => measurePipelined(into, byHand, handRoom, PIPELINED, () => cpuOf(nodes.byHand)),
  ]),
);
await Promise.all([clientRoom.close(), handRoom.close()]);
await repeat(
  PIPES,
  times,
  (into, index) => inTurns(index, [() => measurePipes(into, ours), () => measurePipes(into, byHand)]),
  WARM_UP_PIPES,
);
for (const count of [1, 2]) {
  await repeat(
    JOINS,
    times,
    (into, index) =>
      inTurns(index, [
        () => measureJoins(into, ours, count, PEOPLE, () => cpuOf(nodes.ours)),
        () => measureJoins(into, byHand, count, PEOPLE, () => cpuOf(nodes.byHand)),
      ]),
    WARM_UP_JOINS,
  );
}

console.log(
  `${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}, ${DELAY_MS} ms each way, medians of ${CALLS} calls, ${PIPES} pipes, ${JOINS} rooms\n`,
);
console.log(tableOf(times, PEOPLE));
if (DELAY_MS === 0)
  await writeFile(new URL('../../docs/images/remote-calls.svg', import.meta.url), drawReport(times, PEOPLE));

await Promise.all([ours.close(), client.close(), byHand.close()]);
bare.disconnect();
worker.close();
for (const node of [...nodes.ours, ...nodes.byHand]) node.stop();
