/**
 * A process that produces on one of its nodes and consumes on the other; what is sent there and received is others' business.
 * When it is told to (by any message), it consumes once more.
 */
import { once } from 'node:events';
import type { PlainTransport } from 'mediasoup/types';
import { MafaldaHorizontal } from '../../../src/index.ts';
import { mediaCodecs } from '../rtp.ts';

export interface RootSetup {
  /** Their URLs. */
  nodes: string[];
  receiver: Address;
  ssrc: number;
  payloadType: number;
}

interface Address {
  ip: string;
  port: number;
}

/** What it tells: where packets go in and come out, at the machines that have mediasoup; that there is no such; and that it has closed. */
export type RootReport = { source: Address; sink: Address } | 'failed' | 'closed';

const { nodes, receiver, ssrc, payloadType } = JSON.parse(process.argv[2]!) as RootSetup;
const mafalda = new MafaldaHorizontal(nodes);
await once(mafalda, 'connected');
const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
const source = await mafaldaRouter.createPlainTransport({
  rtcpMux: true,
  comedia: true,
  placement: { node: nodes[0]! },
});
const producer = await source.produce({
  kind: 'audio',
  rtpParameters: {
    codecs: [{ mimeType: 'audio/opus', payloadType, clockRate: 48000, channels: 2 }],
    encodings: [{ ssrc }],
  },
});
await consume();
process.on('message', () => void consume().catch(() => tell('failed')));
process.on('disconnect', () => process.exit());

async function consume(): Promise<void> {
  const sink = await mafaldaRouter.createPlainTransport({ rtcpMux: true, placement: { node: nodes[1]! } });
  await sink.connect(receiver);
  await sink.consume({ producerId: producer.id, rtpCapabilities: await mafaldaRouter.getRtpCapabilities() });
  sink.observer.once('close', () => tell('closed'));
  tell({ source: addressOf(source), sink: addressOf(sink) });
}

function addressOf({ tuple: { localAddress: ip, localPort: port } }: PlainTransport): Address {
  return { ip, port };
}

function tell(report: RootReport): void {
  process.send!(report);
}
