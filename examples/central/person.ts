/** A person in a room, who talks all the time, and hears the others: real packets through one PlainTransport, of which each has a number. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Consumer, PlainTransport, Producer } from 'mediasoup/types';
import type { MafaldaRouter } from 'mafalda-horizontal';

const PACKET_INTERVAL_MS = 20;
const PACKET_BYTES = 60;
const PAYLOAD_TYPE = 111;
/** How long a new pipe may take until it is open. */
const OPEN_MS = 10_000;
const CHECK_MS = 10;
let nextSsrc = 1000;

export class Person {
  readonly name: string;
  readonly #room: MafaldaRouter;
  readonly transport: PlainTransport;
  readonly producer: Producer;
  readonly #socket: Socket;
  readonly #ssrc: number;
  /** Numbers of packets that have been heard, by who has sent them. */
  readonly #heard = new Map<Person, Set<number>>();
  readonly #consumers = new Map<number, { consumer: Consumer; heard: Set<number> }>();
  readonly #talking: NodeJS.Timeout;
  #said = 0;

  /** Resolves when everybody hears everybody. */
  static async join(room: MafaldaRouter, name: string, others: readonly Person[]): Promise<Person> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const ssrc = nextSsrc++;
    const transport = await room.createPlainTransport({ rtcpMux: true });
    await transport.connect({ ip: '127.0.0.1', port: socket.address().port });
    const producer = await transport.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: [{ mimeType: 'audio/opus', payloadType: PAYLOAD_TYPE, clockRate: 48000, channels: 2 }],
        encodings: [{ ssrc }],
      },
    });
    const person = new Person(name, room, { transport, producer, socket, ssrc });
    await Promise.all(others.flatMap(other => [person.#listenTo(other), other.#listenTo(person)]));
    return person;
  }

  private constructor(
    name: string,
    room: MafaldaRouter,
    parts: { transport: PlainTransport; producer: Producer; socket: Socket; ssrc: number },
  ) {
    this.name = name;
    this.#room = room;
    this.transport = parts.transport;
    this.producer = parts.producer;
    this.#socket = parts.socket;
    this.#ssrc = parts.ssrc;
    this.#socket.on('message', packet => this.#hear(packet));
    this.#talking = setInterval(() => this.#talk(), PACKET_INTERVAL_MS);
  }

  /** Number of the next packet. */
  get said(): number {
    return this.#said;
  }

  /** Address of the media server that has the Transport. */
  get address(): string {
    return this.transport.tuple.localAddress;
  }

  get objects(): { readonly closed: boolean }[] {
    return [this.transport, this.producer, ...[...this.#consumers.values()].map(({ consumer }) => consumer)];
  }

  /** Returns how many of another one's packets `from` … `to` have not been heard. */
  missed(other: Person, from: number, to: number): number {
    const heard = this.#heard.get(other);
    let missed = 0;
    for (let number = from; number < to; ++number) if (!heard?.has(number)) ++missed;
    return missed;
  }

  leave(): void {
    clearInterval(this.#talking);
    this.#socket.close();
    this.transport.close();
  }

  async #listenTo(other: Person): Promise<void> {
    const rtpCapabilities = await this.#room.getRtpCapabilities();
    const consumer = await this.transport.consume({ producerId: other.producer.id, rtpCapabilities });
    const heard = new Set<number>();
    this.#heard.set(other, heard);
    this.#consumers.set(consumer.rtpParameters.encodings![0]!.ssrc!, { consumer, heard });
    const end = performance.now() + OPEN_MS;
    while (heard.size === 0) {
      if (performance.now() > end) throw new Error(`${this.name} does not hear ${other.name}`);
      await pause(CHECK_MS);
    }
  }

  #talk(): void {
    const number = this.#said++;
    const packet = Buffer.alloc(PACKET_BYTES);
    packet.set([0x80, PAYLOAD_TYPE]);
    packet.writeUInt16BE(number & 0xffff, 2);
    packet.writeUInt32BE((number * 960) >>> 0, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    // Also in the payload, from the end of which it is read: mediasoup numbers each Consumer's packets anew.
    packet.writeUInt32BE(number, PACKET_BYTES - 4);
    this.#socket.send(packet, this.transport.tuple.localPort, this.transport.tuple.localAddress);
  }

  #hear(packet: Buffer): void {
    const isRtcp = packet[1]! >= 200 && packet[1]! <= 206;
    if (!isRtcp) this.#consumers.get(packet.readUInt32BE(8))?.heard.add(packet.readUInt32BE(packet.length - 4));
  }
}
