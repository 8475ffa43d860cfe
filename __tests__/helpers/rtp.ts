/** Real RTP over real sockets, counted in and out. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type {
  Consumer,
  PlainTransport,
  Producer,
  Router,
  RouterRtpCodecCapability,
  RtpCodecParameters,
  RtpParameters,
} from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';

export const mediaCodecs: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90000 },
];

type Kind = 'audio' | 'video';

const codecs: Record<Kind, RtpCodecParameters> = {
  audio: { mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 },
  video: { mimeType: 'video/VP8', payloadType: 112, clockRate: 90000 },
};

/** An audio stream, for tests in which no packet needs to flow. */
export function opus(ssrc: number): RtpParameters {
  return { mid: String(ssrc), codecs: [codecs.audio], encodings: [{ ssrc }] };
}

/** What mediasoup takes for a VP8 key frame: a consumer of video gets nothing before the first one. */
const payloadStart: Record<Kind, number[]> = { audio: [0], video: [0x10, 0] };

/** A MafaldaRouter, or a Router of mediasoup's. */
type Place = Pick<MafaldaRouter, 'createPlainTransport'> | Pick<Router, 'createPlainTransport'>;

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const PACKET_INTERVAL_MS = 5;
const PATH_TIMEOUT_MS = 60_000;
const STRAGGLERS_MS = 1000;

let nextSsrc = 1000;

/** A sender of RTP into a PlainTransport of its own. */
export class RtpSender {
  readonly transport: PlainTransport;
  readonly producer: Producer;
  readonly #socket: Socket;
  readonly #kind: Kind;
  readonly #ssrc: number;
  #sequence = 0;

  /** @param where more options of the transport, such as `placement` */
  static async create(router: Place, kind: Kind, id?: string, where: object = {}): Promise<RtpSender> {
    const ssrc = nextSsrc++;
    const transport = await router.createPlainTransport({ listenInfo, comedia: true, rtcpMux: true, ...where });
    const producer = await transport.produce({
      id,
      kind,
      rtpParameters: { codecs: [codecs[kind]], encodings: [{ ssrc }] },
    });
    return new RtpSender(transport, producer, kind, ssrc, await bind());
  }

  private constructor(transport: PlainTransport, producer: Producer, kind: Kind, ssrc: number, socket: Socket) {
    this.transport = transport;
    this.producer = producer;
    this.#kind = kind;
    this.#ssrc = ssrc;
    this.#socket = socket;
    transport.observer.once('close', () => socket.close());
  }

  /** Sends one packet, and tells the number by which it is recognised at the other end. */
  send(): number {
    const number = this.#sequence++;
    const packet = Buffer.alloc(60);
    packet[0] = 0x80;
    packet[1] = codecs[this.#kind].payloadType;
    packet.writeUInt16BE(number & 0xffff, 2);
    packet.writeUInt32BE((number * 960) >>> 0, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    packet.set(payloadStart[this.#kind], 12);
    packet.writeUInt32BE(number, 40);
    this.#socket.send(packet, this.transport.tuple.localPort, '127.0.0.1');
    return number;
  }

  /** Sends packets at a steady pace: all of them, or until `done()`. */
  async stream(count: number, done: () => boolean = () => false): Promise<number[]> {
    const sent: number[] = [];
    while (sent.length < count && !done()) {
      sent.push(this.send());
      await new Promise(resolve => setTimeout(resolve, PACKET_INTERVAL_MS));
    }
    return sent;
  }
}

/** A receiver of one Producer's RTP from a PlainTransport of its own. */
export class RtpReceiver {
  readonly transport: PlainTransport;
  readonly consumer: Consumer;
  readonly received = new Set<number>();

  /** @param where more options of the transport, such as `placement` */
  static async create(
    mafaldaRouter: MafaldaRouter,
    producerId: string,
    where: object = {},
    paused = false,
  ): Promise<RtpReceiver> {
    const transport = await mafaldaRouter.createPlainTransport({ listenInfo, rtcpMux: true, ...where });
    const socket = await bind();
    transport.observer.once('close', () => socket.close());
    await transport.connect({ ip: '127.0.0.1', port: socket.address().port });
    const consumer = await transport.consume({
      producerId,
      rtpCapabilities: await mafaldaRouter.getRtpCapabilities(),
      paused,
    });
    return new RtpReceiver(transport, consumer, socket);
  }

  private constructor(transport: PlainTransport, consumer: Consumer, socket: Socket) {
    this.transport = transport;
    this.consumer = consumer;
    const {
      encodings,
      codecs: [codec],
    } = consumer.rtpParameters;
    const ssrc = encodings![0]!.ssrc!;
    socket.on('message', packet => {
      const isRtcp = packet[1]! >= 200 && packet[1]! <= 206;
      if (isRtcp || packet.readUInt32BE(8) !== ssrc || (packet[1]! & 0x7f) !== codec!.payloadType) return;
      // What mediasoup added in between (header extensions) moves the payload: find it from the end.
      this.received.add(packet.readUInt32BE(packet.length - 20));
    });
  }
}

/** Sends until every receiver has got something: then all of the pipes in between are open. */
export async function openPath(sender: RtpSender, receivers: RtpReceiver[]): Promise<void> {
  const open = (): boolean => receivers.every(({ received }) => received.size > 0);
  await sender.stream(PATH_TIMEOUT_MS / PACKET_INTERVAL_MS, open);
  if (!open())
    throw new Error(`no RTP arrived at ${receivers.filter(({ received }) => !received.size).length} receivers`);
}

/** Sends packets through an open path, and tells how many of them each receiver got, waiting for stragglers. */
export async function countPackets(sender: RtpSender, receivers: RtpReceiver[], count = 50): Promise<number[]> {
  const sent = await sender.stream(count);
  const got = (receiver: RtpReceiver): number => sent.filter(number => receiver.received.has(number)).length;
  const sum = (): number => receivers.reduce((total, receiver) => total + got(receiver), 0);
  // On a busy machine stragglers take their time: it is over when nothing has come for a while.
  for (let quiet = 0, before = sum(); quiet < STRAGGLERS_MS && before < count * receivers.length; quiet += 20) {
    await new Promise(resolve => setTimeout(resolve, 20));
    const now = sum();
    if (now > before) quiet = 0;
    before = now;
  }
  return receivers.map(got);
}

async function bind(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
