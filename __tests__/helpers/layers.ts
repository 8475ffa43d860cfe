/**
 * Video in three spatial layers: VP8 as a simulcast of three streams, VP9 as one scalable stream (SVC). Real RTP, with the
 * sender reports without which nobody can switch between streams.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { PlainTransport, Producer, RtpParameters } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';

export type Layering = 'simulcast' | 'svc';

const LAYERS = [0, 1, 2];
const PICTURE_INTERVAL_MS = 10;
const REPORT_EVERY = 10;
const CLOCK_RATE = 90_000;
const NTP_EPOCH_S = 2_208_988_800;
const PAYLOAD_TYPE = 112;
const SSRC = 5000;

const rtpParameters: Record<Layering, RtpParameters> = {
  simulcast: {
    codecs: [{ mimeType: 'video/VP8', payloadType: PAYLOAD_TYPE, clockRate: CLOCK_RATE }],
    encodings: LAYERS.map(layer => ({ ssrc: SSRC + layer, scalabilityMode: 'L1T1' })),
  },
  svc: {
    codecs: [{ mimeType: 'video/VP9', payloadType: PAYLOAD_TYPE, clockRate: CLOCK_RATE }],
    encodings: [{ ssrc: SSRC, scalabilityMode: 'L3T1' }],
  },
};

export class LayersSender {
  readonly transport: PlainTransport;
  readonly producer: Producer;
  readonly #layering: Layering;
  readonly #socket: Socket;
  readonly #sending: NodeJS.Timeout;
  #pictures = 0;

  /** Sends until it is stopped, or until its transport closes. */
  static async create(mafaldaRouter: MafaldaRouter, layering: Layering): Promise<LayersSender> {
    const transport = await mafaldaRouter.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
      comedia: true,
    });
    const producer = await transport.produce({ kind: 'video', rtpParameters: rtpParameters[layering] });
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new LayersSender(transport, producer, layering, socket);
  }

  private constructor(transport: PlainTransport, producer: Producer, layering: Layering, socket: Socket) {
    this.transport = transport;
    this.producer = producer;
    this.#layering = layering;
    this.#socket = socket;
    this.#sending = setInterval(() => this.#sendPicture(), PICTURE_INTERVAL_MS);
    transport.observer.once('close', () => {
      this.stop();
      socket.close();
    });
  }

  stop(): void {
    clearInterval(this.#sending);
  }

  /** The layers that arrive where this one is preferred: a layer of a scalable stream needs those below it. */
  layersOf(spatialLayer: number): number[] {
    return this.#layering === 'svc' ? LAYERS.filter(layer => layer <= spatialLayer) : [spatialLayer];
  }

  /** Each picture can be decoded by itself. */
  #sendPicture(): void {
    const timestamp = (this.#pictures * PICTURE_INTERVAL_MS * CLOCK_RATE) / 1000;
    for (const { ssrc } of rtpParameters[this.#layering].encodings!) {
      if (this.#pictures % REPORT_EVERY === 0) this.#transmit(senderReport(ssrc!, timestamp, this.#pictures));
    }
    for (const layer of LAYERS) {
      const packet =
        this.#layering === 'svc'
          ? rtpPacket(
              SSRC,
              this.#pictures * LAYERS.length + layer,
              timestamp,
              layer,
              vp9Descriptor(this.#pictures, layer),
              layer === 2,
            )
          : rtpPacket(SSRC + layer, this.#pictures, timestamp, layer, [0x10, 0], true);
      this.#transmit(packet);
    }
    ++this.#pictures;
  }

  #transmit(packet: Buffer): void {
    this.#socket.send(packet, this.transport.tuple.localPort, '127.0.0.1');
  }
}

/** With its layer where RtpReceiver reads a packet's number. */
function rtpPacket(
  ssrc: number,
  sequence: number,
  timestamp: number,
  layer: number,
  payloadStart: number[],
  isLast: boolean,
): Buffer {
  const packet = Buffer.alloc(60);
  packet.set([0x80, (isLast ? 0x80 : 0) | PAYLOAD_TYPE]);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(timestamp, 4);
  packet.writeUInt32BE(ssrc, 8);
  packet.set(payloadStart, 12);
  packet.writeUInt32BE(layer, 40);
  return packet;
}

/** A whole key frame of one layer, with 15 bits of picture id (RFC 9628, section 4.2). */
function vp9Descriptor(picture: number, layer: number): number[] {
  const dependsOnLowerLayer = layer > 0 ? 1 : 0;
  return [
    0b1010_1100,
    0x80 | ((picture >> 8) & 0x7f),
    picture & 0xff,
    (layer << 1) | dependsOnLowerLayer,
    picture & 0xff,
  ];
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
