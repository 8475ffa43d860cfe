/**
 * A controller that produces on its first node, or finds what another one produces, consumes on the second, and tells what happens to it.
 * A lost way is taken up again at once.
 */
import { once } from 'node:events';
import type { Consumer } from 'mediasoup/types';
import { MafaldaHorizontal, type MafaldaApi } from '../../../src/index.ts';
import { inside } from '../inside.ts';
import { mediaCodecs } from '../rtp.ts';

export interface WatcherSetup {
  /** The id of the MafaldaRouter. */
  room: string;
  /** Their URLs. */
  nodes: string[];
  receiver: { ip: string; port: number };
  ssrc: number;
  payloadType: number;
  /** Another one produces. */
  producerId?: string;
  nodeTimeout?: number;
}

export type WatcherCommand = { do: 'consume'; node: number } | { do: 'pause' } | { do: 'close consumers' };

/** An event, its time, and the numbers of the nodes that it concerns. */
export interface WatcherReport {
  event: string;
  at: number;
  nodes?: number[];
  producerId?: string;
  /** How many pairs of nodes don't reach each other. */
  linksDown?: number;
  /** Where packets go in. */
  source?: { ip: string; port: number };
  /** Of the pipes: the numbers of the nodes. */
  pipes?: [number, number][];
}

const {
  room,
  nodes: urls,
  receiver,
  ssrc,
  payloadType,
  nodeTimeout,
  ...setup
} = JSON.parse(process.argv[2]!) as WatcherSetup;
let isReady = false;
const mafalda = new MafaldaHorizontal(urls, { nodeTimeout });
await once(mafalda, 'connected');
for (const event of ['nodeunreachable', 'nodereachable'] as const)
  mafalda.on(event, node => tell({ event, nodes: [numberOf(node)] }));
for (const event of ['linkdown', 'linkup'] as const)
  mafalda.on(event, ({ from, to }) =>
    tell({ event, nodes: [numberOf(from), numberOf(to)], linksDown: mafalda.statistics.linksDown }),
  );
mafalda.on('error', error => tell({ event: `error ${error.message}` }));

const mafaldaRouter = mafalda.createMafaldaRouter({ id: room, routerOptions: { mediaCodecs } });
let { producerId } = setup;
let source: WatcherReport['source'];
if (producerId === undefined) {
  const transport = await mafaldaRouter.createPlainTransport({
    rtcpMux: true,
    comedia: true,
    placement: { node: urls[0]! },
  });
  const producer = await transport.produce({
    kind: 'audio',
    rtpParameters: {
      codecs: [{ mimeType: 'audio/opus', payloadType, clockRate: 48000, channels: 2 }],
      encodings: [{ ssrc }],
    },
  });
  producerId = producer.id;
  source = { ip: transport.tuple.localAddress, port: transport.tuple.localPort };
  for (const { observer } of [transport, producer])
    (observer as typeof transport.observer).once('close', () => tell({ event: 'source closed' }));
}
const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
const open = new Map<Consumer, number>();
await consume(1);
mafaldaRouter.on('pathlost', ({ consumers }) => {
  tell({ event: 'pathlost' });
  for (const consumer of consumers) {
    const node = open.get(consumer as Consumer);
    if (node !== undefined) void consume(node).catch(error => tell({ event: `not consumed again: ${String(error)}` }));
  }
});

process.on('message', (command: WatcherCommand) => {
  if (command.do === 'consume') void consume(command.node);
  if (command.do === 'close consumers') for (const consumer of open.keys()) consumer.close();
  if (command.do === 'pause')
    for (const { object, type } of inside(mafaldaRouter).tree.nodes())
      if (type === 'producer' && object.id === producerId) void object.pause();
});
process.on('disconnect', () => process.exit());
isReady = true;
tell({ event: 'ready', source, producerId });

async function consume(node: number): Promise<void> {
  const transport = await mafaldaRouter.createPlainTransport({ rtcpMux: true, placement: { node: urls[node]! } });
  await transport.connect(receiver);
  const consumer = await transport.consume({ producerId: producerId!, rtpCapabilities });
  open.set(consumer, node);
  consumer.on('producerpause', () => tell({ event: 'producerpause' }));
  consumer.observer.once('close', () => {
    open.delete(consumer);
    tell({ event: 'consumer closed' });
    transport.close();
  });
  const { pipes } = await mafaldaRouter.dump();
  tell({ event: 'consuming', pipes: pipes.map(({ from, to }) => [nodeOfRouter(from), nodeOfRouter(to)]) });
}

function nodeOfRouter(id: string): number {
  const router = mafaldaRouter.routers.get(id);
  const node = router && mafalda.nodeOf(router);
  return node ? numberOf(node) : -1;
}

function numberOf(node: MafaldaApi): number {
  return urls.indexOf((node as { url?: string }).url ?? '');
}

function tell(report: Omit<WatcherReport, 'at'>): void {
  if (isReady) process.send!({ ...report, at: Date.now() });
}
