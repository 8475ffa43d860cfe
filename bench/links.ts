/**
 * Traffic on the links between servers in a room of 50 people who see 9 tiles, and the same if pipes did not sleep:
 * `npm run bench:links`
 *
 * Three servers on the loopback address, each publisher with real RTP: video 200 kbit/s (25 packets of 1,000 bytes a second), audio 40 kbit/s. Counted are
 * the bytes that the PipeTransports of links have sent, at both of their ends, RTCP included. Audio is heard by everybody. On each server one viewer
 * of a stream stands for all that are there: a link carries a stream once, however many watch it. What would flow without the sleeping is what flows
 * when nobody's tiles are paused.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { Consumer, PlainTransport, RouterRtpCodecCapability, RtpParameters, Transport } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer } from '../src/index.ts';
import type { PipeableMafaldaRouter } from '../src/base/pipeableMafaldaRouter.ts';

const PEOPLE = 50;
const TILES = 9;
const SERVERS = 3;
const TICK_MS = 20;
const VIDEO_EVERY_TICKS = 2;
const MEASURE_MS = 5000;
/** Until pipes have fallen asleep, or are awake. */
const SETTLE_MS = 2000;

const mediaCodecs: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];
const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const token = 'bench';
/** A payload that mediasoup takes for a key frame of VP8: viewers get nothing before the first one. */
const media = {
  audio: { payloadType: 111, bytes: 100, start: [0], clockRate: 48000 },
  video: { payloadType: 112, bytes: 1000, start: [0x10, 0], clockRate: 90000 },
};

interface Person {
  server: number;
  transport: PlainTransport;
  audioId: string;
  videoId: string;
}

function rtpParametersOf(kind: 'audio' | 'video', ssrc: number): RtpParameters {
  const codec =
    kind === 'audio'
      ? { mimeType: 'audio/opus', clockRate: 48000, channels: 2 }
      : { mimeType: 'video/VP8', clockRate: 90000 };
  return { mid: kind, codecs: [{ ...codec, payloadType: media[kind].payloadType }], encodings: [{ ssrc }] };
}

function packet(kind: 'audio' | 'video', ssrc: number, sequence: number): Buffer {
  const { payloadType, bytes, start, clockRate } = media[kind];
  const rtp = Buffer.alloc(bytes);
  rtp.set([0x80, payloadType]);
  rtp.writeUInt16BE(sequence & 0xffff, 2);
  rtp.writeUInt32BE(
    Math.round((sequence * clockRate * TICK_MS * (kind === 'video' ? VIDEO_EVERY_TICKS : 1)) / 1000) >>> 0,
    4,
  );
  rtp.writeUInt32BE(ssrc, 8);
  rtp.set(start, 12);
  return rtp;
}

const rest = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
const leaves = Array.from({ length: SERVERS }, () => new Mafalda(mediasoup, { workerBudget: false }));
const servers = leaves.map(mafalda => new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: token }));
await Promise.all(servers.map(server => server.listen()));
const urls = servers.map(({ url }) => url);
const mafalda = new MafaldaHorizontal(urls, { token });
await once(mafalda, 'connected');
const router = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, maxWorkers: 1 });
const rtpCapabilities = await router.getRtpCapabilities();
const on = (server: number): { placement: { node: string } } => ({ placement: { node: urls[server]! } });

const people: Person[] = [];
for (let index = 0; index < PEOPLE; ++index) {
  const server = index % SERVERS;
  const transport = await router.createPlainTransport({ listenInfo, comedia: true, ...on(server) });
  const [audio, video] = await Promise.all([
    transport.produce({ kind: 'audio', rtpParameters: rtpParametersOf('audio', 2 * index + 1) }),
    transport.produce({ kind: 'video', rtpParameters: rtpParametersOf('video', 2 * index + 2) }),
  ]);
  people.push({ server, transport, audioId: audio.id, videoId: video.id });
}

const socket = createSocket('udp4').bind(0, '127.0.0.1');
// Packets to viewers go nowhere.
const sink = createSocket('udp4').bind(0, '127.0.0.1');
await Promise.all([once(socket, 'listening'), once(sink, 'listening')]);
let tick = 0;
const sending = setInterval(() => {
  for (const [index, { transport }] of people.entries()) {
    const port = transport.tuple.localPort;
    socket.send(packet('audio', 2 * index + 1, tick), port, '127.0.0.1');
    if (tick % VIDEO_EVERY_TICKS === 0)
      socket.send(packet('video', 2 * index + 2, tick / VIDEO_EVERY_TICKS), port, '127.0.0.1');
  }
  ++tick;
}, TICK_MS);

/** By server, then by the number of the person who is seen. */
const tiles: Map<number, Consumer>[] = [];
for (let server = 0; server < SERVERS; ++server) {
  const viewer = await router.createPlainTransport({ listenInfo, ...on(server) });
  await viewer.connect({ ip: '127.0.0.1', port: sink.address().port });
  const ofServer = new Map<number, Consumer>();
  for (const [index, { audioId, videoId }] of people.entries()) {
    await viewer.consume({ producerId: audioId, rtpCapabilities });
    ofServer.set(index, await viewer.consume({ producerId: videoId, rtpCapabilities, paused: true }));
  }
  tiles.push(ofServer);
}

const { tree } = router as PipeableMafaldaRouter;

async function bytesOnLinks(): Promise<number> {
  const links = [...router.transports.values()].filter(
    (transport): transport is Transport =>
      transport.type === 'pipe' && tree.nodeOf<'transport'>(transport) !== undefined,
  );
  const stats = await Promise.all(links.map(link => link.getStats() as Promise<{ bytesSent?: number }[]>));
  return stats.flat().reduce((sum, { bytesSent = 0 }) => sum + bytesSent, 0);
}

/** @param sees whom each person sees */
async function measure(sees: (viewer: number) => number[]): Promise<number> {
  const seen = tiles.map(() => new Set<number>());
  for (const [index, { server }] of people.entries()) for (const other of sees(index)) seen[server]!.add(other);
  await Promise.all(
    tiles.flatMap((ofServer, server) =>
      [...ofServer].map(([index, tile]) => (seen[server]!.has(index) ? tile.resume() : tile.pause())),
    ),
  );
  await rest(SETTLE_MS);
  const [before, began] = [await bytesOnLinks(), performance.now()];
  await rest(MEASURE_MS);
  const after = await bytesOnLinks();
  return ((after - before) * 8) / 1000 / (performance.now() - began);
}

const others = (viewer: number): number[] => people.map((_, index) => index).filter(index => index !== viewer);
const situations: [string, (viewer: number) => number[]][] = [
  ['all flow: without the sleeping', others],
  ['everybody sees the same nine (the last speakers)', viewer => others(viewer).slice(0, TILES)],
  [
    'everybody sees nine of their own choice',
    viewer =>
      others(viewer)
        .sort(() => Math.random() - 0.5)
        .slice(0, TILES),
  ],
  ['nobody looks, everybody listens', () => []],
];
const rows: Record<string, { 'Mbit/s': string; '%': number }> = {};
let all: number | undefined;
for (const [what, sees] of situations) {
  const rate = await measure(sees);
  all ??= rate;
  rows[what] = { 'Mbit/s': rate.toFixed(1), '%': Math.round((100 * rate) / all) };
}
console.log(`${PEOPLE} people on ${SERVERS} servers, ${TILES} tiles: what all links between servers carry`);
console.table(rows);
clearInterval(sending);
await mafalda.close();
for (const server of servers) await server.close();
for (const leaf of leaves) await leaf.close();
socket.close();
sink.close();
