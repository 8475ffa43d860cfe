/**
 * What the wire costs. `npm run bench:remote`
 *
 * Each call is made on a RemoteMafaldaClient, and compared with what can't be avoided: the same call on local mediasoup, plus a
 * bare acknowledged round trip of socket.io with the same data both ways. All of it over loopback, in turns within one run.
 * The ratio is what counts; milliseconds are this machine's.
 *
 * `by hand` is what an application would have without this library: a socket.io server that makes just these three calls on mediasoup,
 * and answers with what the caller needs. With more processes than cores, it costs more than the two figures together: mediasoup itself
 * is slower in a process that has slept.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import type { Router, RtpParameters, Transport } from 'mediasoup/types';
import { io, type Socket } from 'socket.io-client';
import { RemoteMafaldaClient, type MafaldaRouter } from 'mafalda-horizontal';

const WARM_UP = 200;
const ROUNDS = 1000;
const PIPELINED = 1000;

const mediaCodecs = [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] as const;
const listenInfos = [{ protocol: 'udp', ip: '127.0.0.1' }] as const;

interface Subject {
  createWebRtcTransport(): Promise<Transport>;
  produce(transport: Transport, ssrc: number): Promise<{ id: string; close(): void }>;
  consume(transport: Transport, producerId: string): Promise<{ close(): void }>;
}

function rtpParametersOf(ssrc: number): RtpParameters {
  const codecs = [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }] as const;
  return { mid: String(ssrc), codecs: [...codecs], encodings: [{ ssrc }] };
}

function subjectOf(router: Router | MafaldaRouter, rtpCapabilities: Router['rtpCapabilities']): Subject {
  return {
    createWebRtcTransport: () => router.createWebRtcTransport({ listenInfos: [...listenInfos] }),
    produce: (transport, ssrc) => transport.produce({ kind: 'audio', rtpParameters: rtpParametersOf(ssrc) }),
    consume: (transport, producerId) => transport.consume({ producerId, rtpCapabilities }),
  };
}

type Times = Record<string, number[]>;

async function timed<T>(times: Times, name: string, call: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await call();
  (times[name] ??= []).push(performance.now() - started);
  return result;
}

/** One of each, on a subject. */
async function round(subject: Subject, times: Times, prefix: string, ssrc: number): Promise<void> {
  const transport = await timed(times, `${prefix} createWebRtcTransport`, () => subject.createWebRtcTransport());
  const producer = await timed(times, `${prefix} produce`, () => subject.produce(transport, ssrc));
  await timed(times, `${prefix} consume`, () => subject.consume(transport, producer.id));
  transport.close();
}

/** What the calls above send and get, as data. */
async function payloadsOf(router: Router, rtpCapabilities: Router['rtpCapabilities']): Promise<Record<string, { request: unknown; answer: unknown }>> {
  const transport = await router.createWebRtcTransport({ listenInfos: [...listenInfos] });
  const producer = await transport.produce({ kind: 'audio', rtpParameters: rtpParametersOf(1) });
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities });
  const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
  const { rtpParameters, consumableRtpParameters } = producer;
  transport.close();
  return {
    createWebRtcTransport: { request: { listenInfos }, answer: { id, iceParameters, iceCandidates, dtlsParameters } },
    produce: {
      request: { kind: 'audio', rtpParameters: rtpParametersOf(1) },
      answer: { id: producer.id, rtpParameters, consumableRtpParameters },
    },
    consume: {
      request: { producerId: producer.id, rtpCapabilities },
      answer: { id: consumer.id, rtpParameters: consumer.rtpParameters },
    },
  };
}

async function roundByHand(times: Times, ssrc: number): Promise<void> {
  const call = <T>(name: string, options: unknown): Promise<T> => timed(times, `hand ${name}`, () => bare.emitWithAck(name, options) as Promise<T>);
  await call('createWebRtcTransport', { listenInfos });
  const { id } = await call<{ id: string }>('produce', { kind: 'audio', rtpParameters: rtpParametersOf(ssrc) });
  await call('consume', { producerId: id, rtpCapabilities });
  bare.emit('close');
}

function p50(times: number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

const child = fork(fileURLToPath(new URL('remoteServer.ts', import.meta.url)));
const [urls] = (await once(child, 'message')) as [{ mafalda: string; bare: string }];
const client = new RemoteMafaldaClient(urls.mafalda);
const bare: Socket = io(urls.bare, { transports: ['websocket'] });
await Promise.all([once(client, 'connected'), new Promise<void>(resolve => bare.once('connect', resolve))]);

const worker = await mediasoup.createWorker();
const router = await worker.createRouter({ mediaCodecs: [...mediaCodecs] });
const mafaldaRouter = client.createMafaldaRouter({ routerOptions: { mediaCodecs: [...mediaCodecs] } });
const { rtpCapabilities } = router;
const payloads = await payloadsOf(router, rtpCapabilities);
const local = subjectOf(router, rtpCapabilities);
const remote = subjectOf(mafaldaRouter, rtpCapabilities);

await bare.emitWithAck('answers', Object.fromEntries(Object.entries(payloads).map(([name, { answer }]) => [name, answer])));

let times: Times = {};
for (let index = 0; index < WARM_UP + ROUNDS; ++index) {
  if (index === WARM_UP) times = {};
  await round(local, times, 'local', index + 1);
  await round(remote, times, 'remote', index + 1);
  await roundByHand(times, index + 1);
  for (const [name, { request }] of Object.entries(payloads)) {
    await timed(times, `bare ${name}`, () => bare.emitWithAck('call', name, request));
  }
}

const columns = ['p50, ms', 'local', 'bare trip', 'both', 'by hand', 'remote', 'to both', 'to by hand'];
console.log(columns[0]!.padEnd(24) + columns.slice(1).map(name => name.padStart(11)).join(''));
for (const name of Object.keys(payloads)) {
  const [here, trip, there] = [p50(times[`local ${name}`]!), p50(times[`bare ${name}`]!), p50(times[`remote ${name}`]!)];
  const byHand = p50(times[`hand ${name}`]!);
  const row = [here, trip, here + trip, byHand, there, there / (here + trip), there / byHand];
  console.log(name.padEnd(24) + row.map(value => value.toFixed(3).padStart(11)).join(''));
}

const transport = await remote.createWebRtcTransport();
const { id } = await remote.produce(transport, 1);
const started = performance.now();
await Promise.all(Array.from({ length: PIPELINED }, () => remote.consume(transport, id)));
console.log(`\npipelined: ${Math.round((1000 * PIPELINED) / (performance.now() - started))} consume() per second`);

await client.close();
bare.disconnect();
worker.close();
child.disconnect();
