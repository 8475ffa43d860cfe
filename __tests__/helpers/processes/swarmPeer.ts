/** A peer of a swarm in a process of its own, which can be killed: it produces, or consumes, a stream in a room. */
import { SwarmPeer } from '../swarmPeer.ts';
import { DirectSender } from '../directRtp.ts';
import { mediaCodecs } from '../rtp.ts';

export interface SwarmPeerSetup {
  bootstrap: string[];
  /** Key of the group, in base64. */
  key: string;
  fanOut: number;
  /** @default as the library */
  sessionTimeout?: number;
}

export interface SwarmPeerState {
  address: string;
  url: string;
}

export type SwarmPeerCommand = { do: 'produce' | 'consume'; room: string; stream: string };

const { key, ...setup } = JSON.parse(process.argv[2]!) as SwarmPeerSetup;
const { swarm } = await SwarmPeer.join({ ...setup, key: Buffer.from(key, 'base64') });
const state: SwarmPeerState = { address: await swarm.address(), url: swarm.url };
process.on('message', (command: SwarmPeerCommand) => void perform(command).then(() => process.send!(state)));
process.on('disconnect', () => process.exit());
process.send!(state);

async function perform({ do: what, room, stream }: SwarmPeerCommand): Promise<void> {
  const mafaldaRouter = swarm.createMafaldaRouter({ id: room, routerOptions: { mediaCodecs } });
  if (what === 'produce') return (await DirectSender.create(mafaldaRouter, 'video', stream)).start();
  const transport = await mafaldaRouter.createDirectTransport();
  await transport.consume({ producerId: stream, rtpCapabilities: await mafaldaRouter.getRtpCapabilities() });
}
