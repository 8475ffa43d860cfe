/** A publisher of video that does with requests for key frames what browsers do: it answers none that comes soon after the last answer. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { PlainTransport, Producer, RtpCodecParameters } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import { RTCP, rtcpIn } from './directRtp.ts';

const FRAME_INTERVAL_MS = 10;
const DEAF_AFTER_KEY_FRAME_MS = 300;
const codec: RtpCodecParameters = {
  mimeType: 'video/VP8',
  payloadType: 112,
  clockRate: 90000,
  rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
};
const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;

let nextSsrc = 20_000;

export class Camera {
  readonly transport: PlainTransport;
  readonly producer: Producer;
  /** Requests for a key frame that have arrived. */
  requests = 0;
  /** The numbers of those that it has sent. */
  readonly keyFrames: number[] = [];
  readonly #socket: Socket;
  readonly #ssrc: number;
  readonly #sending: NodeJS.Timeout;
  #sequence = 0;
  #lastKeyFrame = 0;
  #keyFrameIsNext = true;

  /** @param where more options of the transport, such as `placement` */
  static async create(mafaldaRouter: MafaldaRouter, where: object = {}): Promise<Camera> {
    const ssrc = nextSsrc++;
    const transport = await mafaldaRouter.createPlainTransport({ listenInfo, comedia: true, rtcpMux: true, ...where });
    const producer = await transport.produce({
      kind: 'video',
      rtpParameters: { codecs: [codec], encodings: [{ ssrc }] },
    });
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Camera(transport, producer, socket, ssrc);
  }

  private constructor(transport: PlainTransport, producer: Producer, socket: Socket, ssrc: number) {
    this.transport = transport;
    this.producer = producer;
    this.#socket = socket;
    this.#ssrc = ssrc;
    socket.on('message', packet => {
      for (const { type, format } of rtcpIn(packet))
        if (type === RTCP.payloadFeedback && format === RTCP.pictureLoss) this.#asked();
    });
    this.#sending = setInterval(() => this.#send(), FRAME_INTERVAL_MS);
    transport.observer.once('close', () => {
      clearInterval(this.#sending);
      socket.close();
    });
  }

  /** How many packets it has sent. */
  get sent(): number {
    return this.#sequence;
  }

  #asked(): void {
    ++this.requests;
    if (Date.now() - this.#lastKeyFrame >= DEAF_AFTER_KEY_FRAME_MS) this.#keyFrameIsNext = true;
  }

  #send(): void {
    const number = this.#sequence++;
    const isKeyFrame = this.#keyFrameIsNext;
    this.#keyFrameIsNext = false;
    if (isKeyFrame) {
      this.#lastKeyFrame = Date.now();
      this.keyFrames.push(number);
    }
    const packet = Buffer.alloc(60);
    packet.set([0x80, codec.payloadType]);
    packet.writeUInt16BE(number & 0xffff, 2);
    packet.writeUInt32BE((number * 900) >>> 0, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    packet.set([0x10, isKeyFrame ? 0 : 1], 12);
    packet.writeUInt32BE(number, 40);
    this.#socket.send(packet, this.transport.tuple.localPort, '127.0.0.1');
  }
}
