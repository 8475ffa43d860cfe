/** A stream of numbered packets, sent at a steady pace, of which each receiver knows which ones it has got, and how often. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Producer } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import type { Arrival, Sending } from './processes/talkingPeer.ts';

export const PACKETS_PER_SECOND = 20;
const PACKET_BYTES = 60;
const SENDER_OFFSET = 36;
const NUMBER_OFFSET = 40;
const PAYLOAD_TYPE = 111;

/** Sends the packets of one Producer until it closes. */
export class StreamSender {
  readonly producer: Producer;
  /** Number of the next packet. */
  next = 0;
  readonly stop: () => void;

  /** @param index is told with each packet */
  static async create(room: MafaldaRouter, address: string, index: number, id?: string): Promise<StreamSender> {
    const ssrc = 1000 + index;
    const transport = await room.createPlainTransport({ comedia: true, rtcpMux: true });
    const producer = await transport.produce({
      id,
      kind: 'audio',
      rtpParameters: {
        codecs: [{ mimeType: 'audio/opus', payloadType: PAYLOAD_TYPE, clockRate: 48000, channels: 2 }],
        encodings: [{ ssrc }],
      },
    });
    const socket = createSocket('udp4').bind(0, address);
    await once(socket, 'listening');
    const { localAddress, localPort } = transport.tuple;
    return new StreamSender(
      producer,
      number => socket.send(packetOf(ssrc, index, number), localPort, localAddress),
      () => {
        socket.close();
        transport.close();
      },
    );
  }

  private constructor(producer: Producer, send: (number: number) => void, close: () => void) {
    this.producer = producer;
    const timer = setInterval(() => send(this.next++), 1000 / PACKETS_PER_SECOND);
    this.stop = () => {
      clearInterval(timer);
      if (!producer.closed) close();
    };
    producer.observer.once('close', this.stop);
  }
}

/** Packets of a stream that have arrived. */
export class Reception {
  /** How often each packet has arrived, by sender and number. */
  readonly #times = new Map<string, number>();
  #onNext: (() => void)[] = [];

  /** Calls the function at the next packet. */
  onNext(call: () => void): void {
    this.#onNext.push(call);
  }

  note(packet: Buffer): void {
    const isRtcp = packet[1]! >= 200 && packet[1]! <= 206;
    if (isRtcp) return;
    // Header extensions, which mediasoup adds in between, move the payload: it is found from the end.
    const start = packet.length - PACKET_BYTES;
    const key = `${packet.readUInt32BE(start + SENDER_OFFSET)} ${packet.readUInt32BE(start + NUMBER_OFFSET)}`;
    this.#times.set(key, (this.#times.get(key) ?? 0) + 1);
    const calls = this.#onNext;
    this.#onNext = [];
    for (const call of calls) call();
  }

  count({ sender, from, to }: Sending): Arrival {
    const arrival = { received: 0, doubled: 0 };
    for (let number = from; number < to; ++number) {
      const times = this.#times.get(`${sender} ${number}`) ?? 0;
      if (times > 0) ++arrival.received;
      if (times > 1) ++arrival.doubled;
    }
    return arrival;
  }
}

function packetOf(ssrc: number, sender: number, number: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES);
  packet.set([0x80, PAYLOAD_TYPE]);
  packet.writeUInt16BE(number & 0xffff, 2);
  packet.writeUInt32BE(((number * 48_000) / PACKETS_PER_SECOND) >>> 0, 4);
  packet.writeUInt32BE(ssrc, 8);
  packet.writeUInt32BE(sender, SENDER_OFFSET);
  packet.writeUInt32BE(number, NUMBER_OFFSET);
  return packet;
}
