/**
 * A peer of a swarm as a process of its own, with one Worker: it sends the streams that it is told to produce, consumes
 * those that it is told to, again whenever they are lost, and counts each packet.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { Consumer, PlainTransport } from 'mediasoup/types';
import { Mafalda } from '../../../src/index.ts';
import { MafaldaSwarm } from '../../../src/swarm/index.ts';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import type { TreeNode } from '../../../src/core/objectTree.ts';
import { Reception, StreamSender } from '../countedStream.ts';
import { mediaCodecs } from '../rtp.ts';

export interface TalkingPeerSetup {
  address: string;
  /** Distinguishes what the peer sends. */
  index: number;
  bootstrap: string[];
  /** Key of the group, in base64. */
  key: string;
  room: string;
  /** Pipes of a stream that leave a peer before it sends others on; default: as the library. */
  fanOut?: number | undefined;
  /** Silence after which a peer is given up, in ms; default: as the library. */
  nodeTimeout?: number | undefined;
}

/** Way of a stream that was lost. */
export interface LostWay {
  id: string;
  /** Time of `pathlost`, by the clock of the machine, which all peers share. */
  lostAt: number;
  /** Time of the first packet since; missing while there is none. */
  flowsAt?: number;
}

export interface TalkingPeerReport {
  /** Number of the next packet of each stream that it sends, by the stream's id. */
  sent: Record<string, number>;
  /** Producers of its own that are open. */
  producing: string[];
  /** Streams that it consumes at present. */
  consuming: string[];
  /** Most copies of one stream in its Routers. */
  copies: number;
  /** URLs of the other peers that it knows. */
  peers: string[];
  /** Pipes that lead to other peers. */
  pipesOut: number;
  pathsLost: LostWay[];
  /** Streams that end here, by the ids of the Routers that they come through. */
  ways: Record<string, string[]>;
  /** Ids of its Routers. */
  routers: string[];
  errors: string[];
  /** Latest failure to consume each stream, by its id. */
  failures: Record<string, string>;
}

/** Packets of a stream that a peer sends. */
export interface Sending {
  id: string;
  /** Index of the peer. */
  sender: number;
  /** Number of the first packet. */
  from: number;
  /** Number of the packet after the last. */
  to: number;
}

export interface Arrival {
  received: number;
  doubled: number;
}

export interface TalkingPeerCommands {
  produce: (id?: string) => Promise<string>;
  /** Consumes these streams beside those that it consumes already. */
  consume: (ids: string[]) => void;
  /** Tells how many packets of each have arrived, and how many of them more than once. */
  arrived: (sendings: Sending[]) => Arrival[];
  report: () => TalkingPeerReport;
  /**
   * Makes a Transport as if its own machine were full, and closes it again.
   * @returns the URL of the peer that it was made on; undefined for its own
   */
  place: () => Promise<string | undefined>;
  close: () => Promise<void>;
}

export type TalkingPeerCommand = {
  [Name in keyof TalkingPeerCommands]: { id: number; name: Name; args: Parameters<TalkingPeerCommands[Name]> };
}[keyof TalkingPeerCommands];

export interface TalkingPeerAnswer {
  id: number;
  result?: unknown;
  error?: string;
}

const RETRY_MS = 1000;

const setup = JSON.parse(process.argv[2]!) as TalkingPeerSetup;
const { address, index, bootstrap, key, room: roomId, fanOut, nodeTimeout } = setup;
const own = new Mafalda(mediasoup, { workerBudget: false, listenInfos: [{ protocol: 'udp', ip: address }] });
const swarm = new MafaldaSwarm(own, {
  bootstrap,
  key: Buffer.from(key, 'base64'),
  port: 4444,
  host: address,
  url: `ws://${address}:4443`,
  fanOut,
  nodeTimeout,
});
const errors: string[] = [];
const pathsLost: LostWay[] = [];
swarm.on('error', error => errors.push(String(error)));
await once(swarm, 'connected');
const room = swarm.createMafaldaRouter({
  id: roomId,
  maxWorkers: 1,
  routerOptions: { mediaCodecs },
}) as PipeableMafaldaRouter;
room.on('error', error => errors.push(String(error)));
room.on('pathlost', ({ producerId }) => {
  const way: LostWay = { id: producerId, lostAt: Date.now() };
  pathsLost.push(way);
  receptions.get(producerId)?.onNext(() => (way.flowsAt = Date.now()));
});

const senders = new Map<string, StreamSender>();
const receptions = new Map<string, Reception>();
const wanted = new Set<string>();
/** Latest failure to consume each stream. */
const failures = new Map<string, string>();
const consumers = new Map<string, Consumer>();
const bySsrc = new Map<number, Reception>();
let sink: Promise<PlainTransport> | undefined;

const commands: TalkingPeerCommands = {
  produce: async id => {
    const sender = await StreamSender.create(room, address, index, id);
    senders.set(sender.producer.id, sender);
    return sender.producer.id;
  },
  consume: ids => {
    for (const id of ids) {
      if (wanted.has(id)) continue;
      wanted.add(id);
      receptions.set(id, new Reception());
      void keepConsuming(id);
    }
  },
  arrived: sendings => sendings.map(sending => receptions.get(sending.id)!.count(sending)),
  report: () => ({
    sent: Object.fromEntries([...senders].map(([id, { next }]) => [id, next])),
    producing: [...senders].flatMap(([id, { producer }]) => (producer.closed ? [] : [id])),
    consuming: [...consumers.keys()],
    copies: mostCopies(),
    peers: [...swarm.peers].map(({ url }) => url),
    pipesOut: pipesOut(),
    pathsLost,
    ways: Object.fromEntries([...consumers.keys()].map(id => [id, wayOf(id)])),
    routers: partHere().flatMap(({ type, id }) => (type === 'router' ? [id] : [])),
    errors,
    failures: Object.fromEntries(failures),
  }),
  place: async () => {
    const { strategy } = swarm;
    swarm.strategy = (candidates, request) => strategy(candidates, { ...request, watermark: 0 });
    const transport = await room.createDirectTransport();
    swarm.strategy = strategy;
    const node = swarm.nodeOf(transport) as { url?: string } | undefined;
    transport.close();
    return node?.url;
  },
  close: async () => {
    for (const { stop } of senders.values()) stop();
    await swarm.close();
    await own.close();
  },
};

process.on('message', message => void answer(message as TalkingPeerCommand));
process.on('disconnect', () => process.exit());
process.send!(await swarm.address());

async function answer({ id, name, args }: TalkingPeerCommand): Promise<void> {
  const command = commands[name] as (...given: unknown[]) => unknown;
  const said: TalkingPeerAnswer = await Promise.resolve()
    .then(() => command(...args))
    .then(
      result => ({ id, result }),
      (error: unknown) => ({ id, error: String(error) }),
    );
  process.send!(said);
}

/** Consumes the stream as soon as it is there, and again whenever it has gone. */
async function keepConsuming(id: string): Promise<void> {
  while (!room.closed) {
    const consumer = await tryToConsume(id);
    if (!consumer) await new Promise(resolve => setTimeout(resolve, RETRY_MS));
    // It may have closed while it was resumed.
    else if (!consumer.closed) await new Promise(resolve => consumer.observer.once('close', () => resolve(undefined)));
    consumers.delete(id);
  }
}

async function tryToConsume(id: string): Promise<Consumer | undefined> {
  try {
    const transport = await (sink ??= createSink());
    const rtpCapabilities = await room.getRtpCapabilities();
    // Packets that came before it is known which stream they belong to would not be counted.
    const consumer = await transport.consume({ producerId: id, rtpCapabilities, paused: true });
    bySsrc.set(consumer.rtpParameters.encodings![0]!.ssrc!, receptions.get(id)!);
    consumers.set(id, consumer);
    await consumer.resume();
    return consumer;
  } catch (error) {
    // The stream is not in sight, or has gone while it was asked for: it is tried again.
    failures.set(id, String(error));
    return undefined;
  }
}

async function createSink(): Promise<PlainTransport> {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  socket.setRecvBufferSize(1 << 20);
  socket.on('message', packet => bySsrc.get(packet.readUInt32BE(8))?.note(packet));
  const transport = await room.createPlainTransport({ rtcpMux: true });
  await transport.connect({ ip: address, port: socket.address().port });
  return transport;
}

/** Producers of one id in one Router of this machine would be doubled streams. */
function mostCopies(): number {
  const counts = new Map<string, number>();
  for (const { type, id } of partHere()) if (type === 'producer') counts.set(id, (counts.get(id) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

/** Routers that the stream comes through to this peer, the origin's first. */
function wayOf(id: string): string[] {
  const way: string[] = [];
  const [router] = partHere().flatMap(node => (node.type === 'router' ? [node.id] : []));
  for (let at = router; at !== undefined && way.length < 10; at = room.streams.sourceOf(id, at)) way.unshift(at);
  return way.slice(0, -1);
}

function pipesOut(): number {
  return partHere().filter(
    ({ type, parent }) => type === 'consumer' && parent?.type === 'transport' && parent.object.type === 'pipe',
  ).length;
}

function partHere(): TreeNode[] {
  const part = own.mafaldaRouters.get(roomId) as PipeableMafaldaRouter | undefined;
  return [...(part?.tree.nodes() ?? [])];
}
