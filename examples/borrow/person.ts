/** A person in a room, with a single transport, whose packets are counted where they are heard. */
import type { DirectTransport, Producer } from 'mediasoup/types';
import type { MafaldaRouter } from 'mafalda-horizontal';

const PACKETS = 100;
const PACKET_INTERVAL_MS = 5;
/** Packets that are sent at most until the first one arrives: a new pipe may not be open yet. */
const MAX_ATTEMPTS = 2000;

const PAYLOAD_TYPE = 111;
let nextSsrc = 1000;

export class Person {
  readonly transport: DirectTransport;
  readonly #room: MafaldaRouter;
  readonly #producer: Producer;
  readonly #ssrc: number;
  #sequence = 0;

  static async join(room: MafaldaRouter): Promise<Person> {
    const transport = await room.createDirectTransport();
    const ssrc = nextSsrc++;
    const producer = await transport.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: [{ mimeType: 'audio/opus', payloadType: PAYLOAD_TYPE, clockRate: 48000, channels: 2 }],
        encodings: [{ ssrc }],
      },
    });
    return new Person(room, transport, producer, ssrc);
  }

  private constructor(room: MafaldaRouter, transport: DirectTransport, producer: Producer, ssrc: number) {
    this.#room = room;
    this.transport = transport;
    this.#producer = producer;
    this.#ssrc = ssrc;
  }

  /** Says something. @returns how many of its packets the listener has got, in percent */
  async say(listener: Person): Promise<number> {
    const rtpCapabilities = await this.#room.getRtpCapabilities();
    const consumer = await listener.transport.consume({ producerId: this.#producer.id, rtpCapabilities });
    let received = 0;
    consumer.on('rtp', () => ++received);
    for (let attempt = 0; received === 0 && attempt < MAX_ATTEMPTS; ++attempt) await this.#send();
    received = 0;
    for (let packet = 0; packet < PACKETS; ++packet) await this.#send();
    for (let wait = 0; received < PACKETS && wait < PACKETS; ++wait) await pause();
    consumer.close();
    return (100 * received) / PACKETS;
  }

  async #send(): Promise<void> {
    const number = this.#sequence++;
    const packet = Buffer.alloc(60);
    packet.set([0x80, PAYLOAD_TYPE]);
    packet.writeUInt16BE(number, 2);
    packet.writeUInt32BE(number * 960, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    this.#producer.send(packet);
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, PACKET_INTERVAL_MS));
}
