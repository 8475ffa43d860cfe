/** A process that produces on one of its nodes and consumes on the other; what is sent there and received is others' business. */
import { once } from 'node:events';
import { MafaldaHorizontal } from '../../../src/index.ts';
import { mediaCodecs } from '../rtp.ts';

export interface RootSetup {
  /** Their URLs. */
  nodes: string[];
  receiver: { ip: string; port: number };
  ssrc: number;
  payloadType: number;
}

/** Where packets go in and come out, at the machines that have mediasoup. */
export interface RootReady {
  source: { ip: string; port: number };
  sink: { ip: string; port: number };
}

const { nodes, receiver, ssrc, payloadType } = JSON.parse(process.argv[2]!) as RootSetup;
const mafalda = new MafaldaHorizontal(nodes);
await once(mafalda, 'connected');
const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
const [source, sink] = await Promise.all(
  nodes.map(node => mafaldaRouter.createPlainTransport({ rtcpMux: true, comedia: node === nodes[0], placement: { node } })),
);
const producer = await source!.produce({
  kind: 'audio',
  rtpParameters: { codecs: [{ mimeType: 'audio/opus', payloadType, clockRate: 48000, channels: 2 }], encodings: [{ ssrc }] },
});
await sink!.connect(receiver);
await sink!.consume({ producerId: producer.id, rtpCapabilities: await mafaldaRouter.getRtpCapabilities() });
const [at, to] = [source!, sink!].map(({ tuple: { localAddress: ip, localPort: port } }) => ({ ip, port }));
const ready: RootReady = { source: at!, sink: to! };
process.send!(ready);
process.on('disconnect', () => process.exit());
