/**
 * A process of its own that controls the nodes whose URLs it is given, and has a viewer on the second one. It can be killed in the moment in which its
 * viewer is told to have been resumed, or paused: before it does what follows from that.
 */
import { once } from 'node:events';
import { MafaldaHorizontal } from '../../../src/index.ts';
import { mediaCodecs } from '../rtp.ts';

export interface ViewerCommand {
  do: 'pause' | 'resume';
  die: boolean;
}

const [producerId, port, ...urls] = process.argv.slice(2);
const mafalda = new MafaldaHorizontal(urls);
await once(mafalda, 'connected');
const room = mafalda.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const transport = await room.createPlainTransport({ listenInfo, rtcpMux: true, placement: { node: urls[1]! } });
await transport.connect({ ip: '127.0.0.1', port: Number(port) });
const consumer = await transport.consume({
  producerId: producerId!,
  rtpCapabilities: await room.getRtpCapabilities(),
  paused: true,
});
process.on('message', ({ do: act, die }: ViewerCommand) => {
  if (die) consumer.observer.prependOnceListener(act, () => process.kill(process.pid, 'SIGKILL'));
  void consumer[act]().then(() => process.send!('done'));
});
process.on('disconnect', () => process.exit());
process.send!('ready');
