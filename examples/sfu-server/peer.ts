/** A person in a room: a transport for each direction, and what flows through them. Only media: nothing in here knows the page. */
import type {
  Consumer,
  DtlsParameters,
  MediaKind,
  Producer,
  RtpCapabilities,
  RtpParameters,
  Transport,
  WebRtcTransport,
} from 'mediasoup/types';
import type { Room } from './room.ts';
import type { ConsumerInfo, Direction, PeerInfo, ProducerInfo, TransportInfo } from './signalling.ts';

/** What a page is taken to be able to receive, until that has been measured. */
const INITIAL_BITRATE = 600_000;

export interface PeerListener {
  /** A server is gone, and has taken a transport with it. */
  onTransportLost(): void;
  /** A consumer is closed, but its producer is still there: it was piped by way of a server that is gone. */
  onConsumerLost(owner: Peer, producerId: string): void;
}

export interface PeerOptions {
  id: string;
  name: string;
  room: Room;
  /** The name of the server that a transport is on. */
  serverOf: (transport: Transport) => string;
  listener: PeerListener;
}

export class Peer {
  readonly id: string;
  readonly name: string;
  readonly room: Room;
  readonly #listener: PeerListener;
  readonly #serverOf: PeerOptions['serverOf'];
  // Promises, so that a page that asks for the same thing twice at once is found out.
  readonly #transports = new Map<Direction, Promise<WebRtcTransport>>();
  readonly #producers = new Map<MediaKind, Promise<Producer>>();
  readonly #consumers = new Map<string, Promise<Consumer>>();
  readonly #producing: { producer: Producer; server: string }[] = [];
  #closed = false;

  constructor({ id, name, room, serverOf, listener }: PeerOptions) {
    this.id = id;
    this.name = name;
    this.room = room;
    this.#serverOf = serverOf;
    this.#listener = listener;
  }

  get info(): PeerInfo {
    return { id: this.id, name: this.name, producers: this.#producing.map(toProducerInfo) };
  }

  async createTransport(direction: Direction): Promise<TransportInfo> {
    const transport = await once(this.#transports, direction, async () => {
      // Whose transport it is only the application knows: both of a person belong on one server, as long as there is room.
      const own = await Promise.allSettled(this.#transports.values());
      const near = own.flatMap(result => (result.status === 'fulfilled' ? [result.value.id] : []));
      // Without any address: the server that it lands on fills in its own.
      return this.room.mafaldaRouter.createWebRtcTransport({
        initialAvailableOutgoingBitrate: INITIAL_BITRATE,
        placement: { near },
      });
    });
    transport.observer.once('close', () => this.#closed || this.#listener.onTransportLost());
    const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
    return { id, iceParameters, iceCandidates, dtlsParameters, server: this.#serverOf(transport) };
  }

  async connectTransport(direction: Direction, dtlsParameters: DtlsParameters): Promise<void> {
    const transport = await this.#transport(direction);
    await transport.connect({ dtlsParameters });
  }

  async produce(kind: MediaKind, rtpParameters: RtpParameters): Promise<ProducerInfo> {
    const transport = await this.#transport('send');
    const producer = await once(this.#producers, kind, () => transport.produce({ kind, rtpParameters }));
    const producing = { producer, server: this.#serverOf(transport) };
    this.#producing.push(producing);
    return toProducerInfo(producing);
  }

  async setPaused(producerId: string, paused: boolean): Promise<void> {
    const producing = this.#producing.find(({ producer }) => producer.id === producerId);
    if (!producing) throw new Error('you have no such producer');
    await (paused ? producing.producer.pause() : producing.producer.resume());
  }

  /** The producer may be on any server: that it has to be piped, and from where, is Mafalda's business. */
  async consume(producerId: string, rtpCapabilities: RtpCapabilities): Promise<ConsumerInfo> {
    const transport = await this.#transport('recv');
    const consumer = await once(this.#consumers, producerId, () =>
      transport.consume({ producerId, rtpCapabilities, paused: true }),
    );
    consumer.observer.once('close', () => this.#consumers.delete(producerId));
    consumer.once('producerclose', () => {
      const owner = [...this.room.peers.values()].find(peer => peer.#owns(producerId));
      if (owner) this.#listener.onConsumerLost(owner, producerId);
    });
    const { id, kind, rtpParameters } = consumer;
    return { id, producerId, kind, rtpParameters };
  }

  async resumeConsumer(producerId: string): Promise<void> {
    const consumer = await this.#consumers.get(producerId);
    if (!consumer) throw new Error('you do not consume that: its producer may be gone');
    await consumer.resume();
  }

  close(): void {
    this.#closed = true;
    for (const transport of this.#transports.values()) {
      transport.then(
        created => created.close(),
        () => undefined,
      );
    }
  }

  #owns(producerId: string): boolean {
    return this.#producing.some(({ producer: { id, closed } }) => id === producerId && !closed);
  }

  async #transport(direction: Direction): Promise<WebRtcTransport> {
    const transport = await this.#transports.get(direction);
    if (!transport) throw new Error(`create a transport to ${direction} first`);
    return transport;
  }
}

function toProducerInfo({
  producer: { id, kind, paused },
  server,
}: {
  producer: Producer;
  server: string;
}): ProducerInfo {
  return { id, kind, paused, server };
}

/** @throws {Error} if there is one already. One that could not be made can be asked for again. */
async function once<Key, Thing>(
  things: Map<Key, Promise<Thing>>,
  key: Key,
  make: () => Promise<Thing>,
): Promise<Thing> {
  if (things.has(key)) throw new Error(`you have that already: ${String(key)}`);
  const thing = make();
  things.set(key, thing);
  try {
    return await thing;
  } catch (error) {
    things.delete(key);
    throw error;
  }
}
