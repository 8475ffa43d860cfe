/** A process that sends RTP where it is told, and counts what it receives. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface PeerSetup {
  address: string;
}

export type PeerCommand =
  | {
      do: 'send';
      to: { ip: string; port: number };
      count: number;
      ssrc: number;
      payloadType: number;
      burstIntervalMs?: number;
    }
  /** How many have arrived so far? */
  | { do: 'count' };

/** After each command: how many packets it has sent, and received, in all. Before the first: the port that it receives on. */
export interface PeerState {
  sent: number;
  received: number;
}

const BURST = 10;
const BURST_INTERVAL_MS = 10;

const { address } = JSON.parse(process.argv[2]!) as PeerSetup;
const state: PeerState = { sent: 0, received: 0 };
const socket = createSocket('udp4');
socket.on('message', packet => {
  const isRtcp = packet[1]! >= 200 && packet[1]! <= 206;
  if (!isRtcp) ++state.received;
});
socket.bind(0, address);
await once(socket, 'listening');
process.on('message', (command: PeerCommand) => {
  if (command.do === 'count') process.send!(state);
  else void send(command).then(() => process.send!(state));
});
process.send!(socket.address().port);
process.on('disconnect', () => process.exit());

async function send({
  to,
  count,
  ssrc,
  payloadType,
  burstIntervalMs = BURST_INTERVAL_MS,
}: Extract<PeerCommand, { do: 'send' }>): Promise<void> {
  for (let sent = 0; sent < count; ++sent) {
    const packet = Buffer.alloc(60);
    packet.set([0x80, payloadType]);
    packet.writeUInt16BE(state.sent & 0xffff, 2);
    packet.writeUInt32BE(state.sent * 960, 4);
    packet.writeUInt32BE(ssrc, 8);
    socket.send(packet, to.port, to.ip);
    ++state.sent;
    if (sent % BURST === BURST - 1) await new Promise(resolve => setTimeout(resolve, burstIntervalMs));
  }
}
