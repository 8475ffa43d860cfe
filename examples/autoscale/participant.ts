/** A synthetic participant: sends real RTP from a socket of its own, and counts what it gets of others. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { PlainTransport, Producer, RouterRtpCodecCapability } from 'mediasoup/types';
import type { MafaldaRouter } from 'mafalda-horizontal';

const opus = { mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
export const mediaCodecs: RouterRtpCodecCapability[] = [{ kind: 'audio', ...opus }];

const ADDRESS = '127.0.0.1';
const PAYLOAD_TYPE = 111;
const PACKET_INTERVAL_MS = 20;
const TIMESTAMPS_PER_PACKET = 960;
const HEADER_BYTES = 12;
const PACKET_BYTES = 160;
/** Size of a socket's buffer: a slow machine may leave packets there for a while. */
const RECEIVE_BUFFER_BYTES = 4_000_000;

let nextSsrc = 1000;

export class Participant {
  readonly transport: PlainTransport;
  readonly producer: Producer;
  readonly #room: MafaldaRouter;
  readonly #socket: Socket;
  readonly #ssrc: number;
  readonly #sending: NodeJS.Timeout;
  #sent = 0;
  /** Numbers of the packets that have come, by the SSRC that they come under. */
  readonly #received = new Map<number, Set<number>>();

  static async join(room: MafaldaRouter): Promise<Participant> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
    socket.bind(0, ADDRESS);
    await once(socket, 'listening');
    try {
      const transport = await room.createPlainTransport({ rtcpMux: true, comedia: false });
      await transport.connect({ ip: ADDRESS, port: socket.address().port });
      const ssrc = nextSsrc++;
      const producer = await transport.produce({
        kind: 'audio',
        rtpParameters: { codecs: [{ ...opus, payloadType: PAYLOAD_TYPE }], encodings: [{ ssrc }] },
      });
      return new Participant(room, transport, producer, socket, ssrc);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  private constructor(
    room: MafaldaRouter,
    transport: PlainTransport,
    producer: Producer,
    socket: Socket,
    ssrc: number,
  ) {
    this.#room = room;
    this.transport = transport;
    this.producer = producer;
    this.#socket = socket;
    this.#ssrc = ssrc;
    socket.on('message', packet => this.#onPacket(packet));
    this.#sending = setInterval(() => this.#send(), PACKET_INTERVAL_MS);
    transport.observer.once('close', () => this.#end());
  }

  /** Number of packets that it has sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Listens to another one. @returns the packets that come of him, by their numbers */
  async listen(other: Participant): Promise<ReadonlySet<number>> {
    const consumer = await this.transport.consume({
      producerId: other.producer.id,
      rtpCapabilities: await this.#room.getRtpCapabilities(),
    });
    const received = new Set<number>();
    this.#received.set(consumer.rtpParameters.encodings![0]!.ssrc!, received);
    return received;
  }

  leave(): void {
    this.transport.close();
  }

  #end(): void {
    clearInterval(this.#sending);
    this.#socket.close();
  }

  /** An RTP packet (RFC 3550, section 5.1), which carries its number. */
  #send(): void {
    const packet = Buffer.alloc(PACKET_BYTES);
    packet[0] = 0x80;
    packet[1] = PAYLOAD_TYPE;
    packet.writeUInt16BE(this.#sent & 0xffff, 2);
    packet.writeUInt32BE((this.#sent * TIMESTAMPS_PER_PACKET) >>> 0, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    packet.writeUInt32BE(this.#sent, PACKET_BYTES - 4);
    this.#socket.send(packet, this.transport.tuple.localPort, ADDRESS);
    ++this.#sent;
  }

  #onPacket(packet: Buffer): void {
    if (packet.length < HEADER_BYTES + 4) return;
    // RTCP has no numbers: its SSRC stands elsewhere, and belongs to no stream that is listened to.
    this.#received.get(packet.readUInt32BE(8))?.add(packet.readUInt32BE(packet.length - 4));
  }
}
