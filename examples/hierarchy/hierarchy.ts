/**
 * Servers below servers: a root over two middle servers over two leaves each. Produces on a leaf, consumes on a leaf of the
 * other branch, and shows which way the calls go, and which way the media. Ends by itself; the exit code tells whether all went well.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PipeTransport, PlainTransport, RouterRtpCodecCapability } from 'mediasoup/types';
import { MafaldaHorizontal, type MafaldaRouter } from 'mafalda-horizontal';
import type { Tier } from './tier.ts';

const PACKETS = 200;
const PACKET_INTERVAL_MS = 5;
const TIMEOUT_MS = 60_000;

const opus = { mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
const mediaCodecs: RouterRtpCodecCapability[] = [{ kind: 'audio', ...opus }];
const SSRC = 1111;
const PAYLOAD_TYPE = 111;

/** All of 127.0.0.0/8 is this machine: each server gets an address of its own, as if it were on one of its own. */
const leaves = { 'leaf 1': '127.0.1.1', 'leaf 2': '127.0.1.2', 'leaf 3': '127.0.2.1', 'leaf 4': '127.0.2.2' };
const middles = { 'middle 1': '127.0.1.100', 'middle 2': '127.0.2.100' };
const names = new Map(Object.entries({ ...leaves, ...middles }).map(([name, address]) => [address, name]));

const token = randomUUID();
const processes: ChildProcess[] = [];

const timeout = setTimeout(() => {
  console.error(`not done after ${TIMEOUT_MS} ms`);
  for (const child of processes) child.kill('SIGKILL');
  process.exit(1);
}, TIMEOUT_MS);
try {
  await run();
} finally {
  clearTimeout(timeout);
  // From above: nobody loses a server that it still uses.
  for (const child of processes.reverse()) await stop(child);
}

async function run(): Promise<void> {
  const below = await Promise.all(Object.values(leaves).map(address => start({ address })));
  const nodes = await Promise.all(
    Object.values(middles).map((address, index) => start({ address, below: below.slice(2 * index, 2 * index + 2) })),
  );
  const root = new MafaldaHorizontal(nodes, { token });
  try {
    await once(root, 'connected');
    console.log('root');
    for (const [index, node] of nodes.entries()) {
      console.log(`├─ ${nameOf(node)}  ${node}`);
      for (const leaf of below.slice(2 * index, 2 * index + 2)) console.log(`│  ├─ ${nameOf(leaf)}  ${leaf}`);
    }
    await talk(root, nodes);
  } finally {
    await root.close();
  }
}

async function talk(root: MafaldaHorizontal, [here, there]: string[]): Promise<void> {
  const room = root.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const microphone = await bind();
  const loudspeaker = await bind();
  try {
    // Where exactly is for the middle servers to decide.
    const source = await room.createPlainTransport({ comedia: true, rtcpMux: true, placement: { node: here } });
    const sink = await room.createPlainTransport({ rtcpMux: true, placement: { node: there } });
    const producer = await source.produce({
      kind: 'audio',
      rtpParameters: { codecs: [{ ...opus, payloadType: PAYLOAD_TYPE }], encodings: [{ ssrc: SSRC }] },
    });
    await sink.connect({ ip: '127.0.0.1', port: loudspeaker.address().port });
    await sink.consume({ producerId: producer.id, rtpCapabilities: await room.getRtpCapabilities() });

    let received = 0;
    loudspeaker.on('message', packet => {
      const isRtcp = packet[1]! >= 200 && packet[1]! <= 206;
      if (!isRtcp) ++received;
    });
    for (let number = 0; number < PACKETS; ++number) {
      microphone.send(rtpPacket(number), source.tuple.localPort, source.tuple.localAddress);
      await new Promise(resolve => setTimeout(resolve, PACKET_INTERVAL_MS));
    }
    const { rtpBytes, way } = await pipeOf(room, source);
    console.log(
      `\ncalls:  root → ${nameOf(here!)} → ${nameAt(source)}, and root → ${nameOf(there!)} → ${nameAt(sink)}`,
    );
    console.log(`media:  microphone → ${way.join(' → ')} → loudspeaker`);
    console.log(
      `${PACKETS} packets sent, ${received} received, ${rtpBytes} bytes through the pipe between the two leaves`,
    );
    if (way.join() !== [nameAt(source), nameAt(sink)].join()) throw new Error('the media took another way');
    // The first ones may come before the pipe is open.
    if (received < PACKETS / 2) throw new Error(`only ${received} of ${PACKETS} packets arrived`);
  } finally {
    microphone.close();
    loudspeaker.close();
  }
}

/** The pipe that leaves a Transport's server: from which leaf to which, and what it has carried. */
async function pipeOf(room: MafaldaRouter, { tuple }: PlainTransport): Promise<{ way: string[]; rtpBytes: number }> {
  const pipes = [...room.transports.values()].filter(
    (transport): transport is PipeTransport => transport.type === 'pipe',
  );
  const pipe = pipes.find(({ tuple: { localAddress } }) => localAddress === tuple.localAddress);
  const [stats] = (await pipe?.getStats()) ?? [];
  if (!stats) throw new Error(`no pipe leaves ${tuple.localAddress}`);
  const { localAddress, remoteIp = '' } = stats.tuple;
  return { way: [localAddress, remoteIp].map(address => names.get(address) ?? address), rtpBytes: stats.rtpBytesSent };
}

function rtpPacket(number: number): Buffer {
  const packet = Buffer.alloc(60);
  packet.set([0x80, PAYLOAD_TYPE]);
  packet.writeUInt16BE(number, 2);
  packet.writeUInt32BE(number * 960, 4);
  packet.writeUInt32BE(SSRC, 8);
  return packet;
}

async function start(tier: Tier): Promise<string> {
  const child = fork(fileURLToPath(new URL('tier.ts', import.meta.url)), [JSON.stringify(tier)], {
    execArgv: ['--import', 'tsx'],
    // Not among the arguments, which everybody on the machine can read.
    env: { ...process.env, HIERARCHY_TOKEN: token },
  });
  processes.push(child);
  const ended = once(child, 'exit').then((): never => {
    throw new Error(`the server at ${tier.address} ended`);
  });
  ended.catch(() => undefined);
  const [url] = (await Promise.race([once(child, 'message'), ended])) as [string];
  return url;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

async function bind(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

function nameAt({ tuple }: PlainTransport): string {
  return names.get(tuple.localAddress) ?? tuple.localAddress;
}

function nameOf(url: string): string {
  return names.get(new URL(url).hostname) ?? url;
}
