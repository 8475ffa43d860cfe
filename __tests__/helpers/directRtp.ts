/** RTP made by hand and sent through `producer.send()` of a DirectTransport, with the header extensions that mediasoup reads. */
import type { DirectTransport, Producer, Router, RtpParameters } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';

type Kind = 'audio' | 'video';

const PACKET_INTERVAL_MS = 10;
/** Longer than any test takes: media that flowed on after a test that fails would fail those that follow. */
const STOPS_AFTER_MS = 180_000;
const EXTENSION_ID = 5;
/** RFC 8285, section 4.2: extensions of one byte. */
const ONE_BYTE_EXTENSIONS = 0xbede;

const codecs: Record<Kind, RtpParameters['codecs'][number]> = {
  audio: { mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 },
  video: {
    mimeType: 'video/VP8',
    payloadType: 112,
    clockRate: 90000,
    rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
  },
};

const extensions = {
  audio: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  video: 'urn:3gpp:video-orientation',
} as const;

/** Of video one in so many packets is a whole key frame, and the others are frames between (VP8, RFC 7741, section 4.3). */
export const KEY_FRAME_EVERY = 10;

let nextSsrc = 7000;

export class DirectSender {
  readonly transport: DirectTransport;
  readonly producer: Producer;
  readonly ssrc: number;
  /** What the one header extension says: of audio the level, in -dBov, where 127 is silence; of video the orientation. */
  extension = 127;
  readonly #kind: Kind;
  #sequence = 0;
  #sending: NodeJS.Timeout | undefined;

  /** @param where more options of the transport, such as `placement` */
  static async create(
    router: MafaldaRouter | Router,
    kind: Kind,
    id?: string,
    where: object = {},
  ): Promise<DirectSender> {
    const ssrc = nextSsrc++;
    const transport = await router.createDirectTransport(where);
    const rtpParameters: RtpParameters = {
      codecs: [codecs[kind]],
      encodings: [{ ssrc }],
      headerExtensions: [{ uri: extensions[kind], id: EXTENSION_ID }],
    };
    return new DirectSender(transport, await transport.produce({ id, kind, rtpParameters }), kind, ssrc);
  }

  private constructor(transport: DirectTransport, producer: Producer, kind: Kind, ssrc: number) {
    this.transport = transport;
    this.producer = producer;
    this.ssrc = ssrc;
    this.#kind = kind;
    transport.observer.once('close', () => this.stop());
  }

  /** Sends one packet, and tells the number at its end. */
  send(): number {
    const number = this.#sequence++;
    const packet = Buffer.alloc(60);
    packet.set([0x90, codecs[this.#kind].payloadType]);
    packet.writeUInt16BE(number & 0xffff, 2);
    packet.writeUInt32BE((number * 480) >>> 0, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    packet.writeUInt16BE(ONE_BYTE_EXTENSIONS, 12);
    packet.writeUInt16BE(1, 14);
    packet.set([EXTENSION_ID << 4, this.extension], 16);
    if (this.#kind === 'video') packet.set([0x10, number % KEY_FRAME_EVERY === 0 ? 0 : 1], 20);
    packet.writeUInt32BE(number, 56);
    this.producer.send(packet);
    return number;
  }

  /** Sends at a steady pace until {@link stop}, until its transport closes, or until no test can need it any more. */
  start(intervalMs = PACKET_INTERVAL_MS): void {
    const end = performance.now() + STOPS_AFTER_MS;
    this.#sending ??= setInterval(() => (performance.now() < end ? this.send() : this.stop()), intervalMs);
  }

  stop(): void {
    clearInterval(this.#sending);
    this.#sending = undefined;
  }
}

/** The number at the end of a packet that a {@link DirectSender} has sent. */
export function numberOf(packet: Buffer): number {
  return packet.readUInt32BE(packet.length - 4);
}

export interface RtcpPacket {
  type: number;
  format: number;
  /** What it is about, if that is something. */
  mediaSsrc: number | undefined;
}

/** What a compound of RTCP packets contains. */
export function rtcpIn(compound: Buffer): RtcpPacket[] {
  const packets = [];
  for (let at = 0; at + 4 <= compound.length; at += 4 * (compound.readUInt16BE(at + 2) + 1)) {
    const [format, type] = [compound[at]! & 0x1f, compound[at + 1]!];
    packets.push({ type, format, mediaSsrc: at + 12 <= compound.length ? compound.readUInt32BE(at + 8) : undefined });
  }
  return packets;
}

export const RTCP = { receiverReport: 201, payloadFeedback: 206, pictureLoss: 1 } as const;

/** A receiver that has lost the picture asks for another one (RFC 4585, section 6.3.1). */
export function pictureLossIndication(mediaSsrc: number): Buffer {
  const packet = Buffer.alloc(12);
  packet.set([0x80 | RTCP.pictureLoss, RTCP.payloadFeedback, 0, 2]);
  packet.writeUInt32BE(1, 4);
  packet.writeUInt32BE(mediaSsrc, 8);
  return packet;
}
