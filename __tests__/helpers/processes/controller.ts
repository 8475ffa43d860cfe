/** A process of its own that controls the nodes whose URLs it is given: makes a room on the first two, says so, and stays until it is killed. */
import { once } from 'node:events';
import { MafaldaHorizontal } from '../../../src/index.ts';
import { mediaCodecs } from '../rtp.ts';

const urls = process.argv.slice(2);
const mafalda = new MafaldaHorizontal(urls);
await once(mafalda, 'connected');
const mafaldaRouter = mafalda.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
const [source, sink] = [
  await mafaldaRouter.createDirectTransport({ placement: { node: urls[0]! } }),
  await mafaldaRouter.createDirectTransport({ placement: { node: urls[1]! } }),
];
const producer = await source.produce({
  kind: 'audio',
  rtpParameters: {
    codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
    encodings: [{ ssrc: 1111 }],
  },
});
const consumer = await sink.consume({
  producerId: producer.id,
  rtpCapabilities: await mafaldaRouter.getRtpCapabilities(),
});
process.send!({ transports: [source.id, sink.id], producerId: producer.id, consumerId: consumer.id });
process.on('disconnect', () => process.exit());
