/** A simulcast of VP8 in three spatial layers: real RTP, with the sender reports without which nobody can switch layers. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { PlainTransport, Producer } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';

const LAYERS = 3;
const PACKET_INTERVAL_MS = 10;
const REPORT_EVERY = 10;
const CLOCK_RATE = 90_000;
const NTP_EPOCH_S = 2_208_988_800;
const PAYLOAD_TYPE = 112;

export class SimulcastSender {
  readonly transport: PlainTransport;
  readonly producer: Producer;
  readonly #socket: Socket;
  readonly #ssrcs: number[];
  readonly #sending: NodeJS.Timeout;
  #packets = 0;

  /** Sends until its transport closes. */
  static async create(mafaldaRouter: MafaldaRouter): Promise<SimulcastSender> {
    const transport = await mafaldaRouter.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, comedia: true });
    const ssrcs = Array.from({ length: LAYERS }, (_, layer) => 5000 + layer);
    const producer = await transport.produce({
      kind: 'video',
      rtpParameters: {
        codecs: [{ mimeType: 'video/VP8', payloadType: PAYLOAD_TYPE, clockRate: CLOCK_RATE }],
        encodings: ssrcs.map(ssrc => ({ ssrc, scalabilityMode: 'L1T1' })),
      },
    });
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SimulcastSender(transport, producer, ssrcs, socket);
  }

  private constructor(transport: PlainTransport, producer: Producer, ssrcs: number[], socket: Socket) {
    this.transport = transport;
    this.producer = producer;
    this.#ssrcs = ssrcs;
    this.#socket = socket;
    this.#sending = setInterval(() => this.#send(), PACKET_INTERVAL_MS);
    transport.observer.once('close', () => {
      clearInterval(this.#sending);
      socket.close();
    });
  }

  #send(): void {
    const timestamp = (this.#packets * PACKET_INTERVAL_MS * CLOCK_RATE) / 1000;
    for (const [layer, ssrc] of this.#ssrcs.entries()) {
      if (this.#packets % REPORT_EVERY === 0) this.#transmit(senderReport(ssrc, timestamp, this.#packets));
      this.#transmit(keyFrame(ssrc, this.#packets & 0xffff, timestamp, layer));
    }
    ++this.#packets;
  }

  #transmit(packet: Buffer): void {
    this.#socket.send(packet, this.transport.tuple.localPort, '127.0.0.1');
  }
}

/** Each packet is a key frame of its own, and carries its layer where RtpReceiver reads a packet's number. */
function keyFrame(ssrc: number, sequence: number, timestamp: number, layer: number): Buffer {
  const packet = Buffer.alloc(60);
  packet.set([0x80, 0x80 | PAYLOAD_TYPE]);
  packet.writeUInt16BE(sequence, 2);
  packet.writeUInt32BE(timestamp, 4);
  packet.writeUInt32BE(ssrc, 8);
  packet.set([0x10, 0], 12);
  packet.writeUInt32BE(layer, 40);
  return packet;
}

function senderReport(ssrc: number, timestamp: number, packets: number): Buffer {
  const report = Buffer.alloc(28);
  report.set([0x80, 200, 0, 6]);
  report.writeUInt32BE(ssrc, 4);
  const seconds = Date.now() / 1000 + NTP_EPOCH_S;
  report.writeUInt32BE(Math.floor(seconds), 8);
  report.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 12);
  report.writeUInt32BE(timestamp, 16);
  report.writeUInt32BE(packets, 20);
  report.writeUInt32BE(packets * 48, 24);
  return report;
}
