/** One stay in a room: from joining it to leaving it, or to the loss of what carried it. */
import { Device } from 'mediasoup-client';
import type { Consumer, MediaKind, Producer, Transport } from 'mediasoup-client/types';
import type { Socket } from 'socket.io-client';
import type { Answer, Direction, PageRequests, PeerInfo, ProducerInfo, ServerEvents } from '../signalling.ts';
import { messageOf } from './media.ts';
import { tell } from './notices.ts';
import { Tile } from './tiles.ts';

export type PageSocket = Socket<ServerEvents, PageRequests>;

/** Two sizes of the picture, so that the servers can give everybody the one that their network takes. */
const simulcast = [
  { scaleResolutionDownBy: 2, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 1, maxBitrate: 600_000, scalabilityMode: 'L1T3' },
];

interface Opened {
  readonly device: Device;
  readonly sending: PlacedTransport;
  readonly receiving: PlacedTransport;
}

interface PlacedTransport {
  readonly transport: Transport;
  readonly server: string;
}

interface OtherPeer {
  readonly id: string;
  readonly name: string;
  readonly tile: Tile;
  readonly producers: Map<string, ProducerInfo>;
  readonly consumers: Map<string, Consumer>;
}

export interface CallListener {
  /** There has been a way for media, and there is none any more. */
  onBroken(): void;
  /** Called with the number of other people, as soon as it is known, and whenever it changes. */
  onPeersChanged(count: number): void;
}

export class Call {
  readonly #socket: PageSocket;
  readonly #stream: MediaStream;
  readonly #listener: CallListener;
  readonly #producers = new Map<MediaKind, Producer>();
  readonly #peers = new Map<string, OtherPeer>();
  readonly #cleanUps: (() => void)[] = [];
  #ownTile: Tile | undefined;
  #opened: Promise<Opened> | undefined;
  #closed = false;

  constructor(socket: PageSocket, stream: MediaStream, listener: CallListener) {
    this.#socket = socket;
    this.#stream = stream;
    this.#listener = listener;
  }

  async join(room: string, name: string): Promise<void> {
    const peers = resultOf(await this.#socket.emitWithAck('join', { room, name }));
    if (this.#closed) return;
    this.#opened = this.#open();
    for (const peer of peers) this.addPeer(peer);
    if (peers.length === 0) this.#listener.onPeersChanged(0);
    const { sending, receiving } = await this.#opened;
    if (this.#closed) return;
    const tile = new Tile(name, true);
    this.#ownTile = tile;
    this.#cleanUps.push(() => tile.remove());
    tile.showPath('you →', sending.server, '·', receiving.server, '→ you');
    for (const track of this.#stream.getTracks()) await this.#send(sending.transport, track);
  }

  addPeer({ id, name, producers }: PeerInfo): void {
    this.#peers.set(id, { id, name, tile: new Tile(name, false), producers: new Map(), consumers: new Map() });
    this.#listener.onPeersChanged(this.#peers.size);
    for (const producer of producers) this.addProducer(id, producer);
  }

  /** @returns the name of who has gone; undefined: nobody who was here */
  removePeer(peerId: string): string | undefined {
    const peer = this.#peers.get(peerId);
    if (!peer) return undefined;
    this.#peers.delete(peerId);
    peer.tile.remove();
    for (const consumer of peer.consumers.values()) consumer.close();
    this.#listener.onPeersChanged(this.#peers.size);
    return peer.name;
  }

  addProducer(peerId: string, producer: ProducerInfo): void {
    const peer = this.#peers.get(peerId);
    if (!peer) return;
    peer.producers.set(producer.id, producer);
    peer.tile.setPaused(producer.kind, producer.paused);
    this.#receive(peer, producer).catch((error: unknown) => {
      if (this.#peers.get(peerId) === peer)
        peer.tile.showProblem(`The ${producer.kind} can't be received: ${messageOf(error)}`);
    });
  }

  setPeerPaused(peerId: string, producerId: string, paused: boolean): void {
    const peer = this.#peers.get(peerId);
    const producer = peer?.producers.get(producerId);
    if (!peer || !producer) return;
    peer.producers.set(producerId, { ...producer, paused });
    peer.tile.setPaused(producer.kind, paused);
  }

  /** The way by which a stream came is gone; there may be another one. */
  receiveAgain(peerId: string, producerId: string): void {
    const peer = this.#peers.get(peerId);
    const producer = peer?.producers.get(producerId);
    peer?.consumers.get(producerId)?.close();
    if (producer) this.addProducer(peerId, producer);
  }

  /** Switches our own camera or microphone. */
  async setPaused(kind: MediaKind, paused: boolean): Promise<void> {
    // One that is produced later begins as its track is.
    for (const track of this.#stream.getTracks()) if (track.kind === kind) track.enabled = !paused;
    const producer = this.#producers.get(kind);
    if (!producer) return;
    if (paused) producer.pause();
    else producer.resume();
    this.#ownTile?.setPaused(kind, paused);
    resultOf(await this.#socket.emitWithAck('setPaused', { producerId: producer.id, paused }));
  }

  close(): void {
    this.#closed = true;
    for (const cleanUp of this.#cleanUps) cleanUp();
    for (const { tile } of this.#peers.values()) tile.remove();
    this.#peers.clear();
  }

  async #open(): Promise<Opened> {
    const rtpCapabilities = resultOf(await this.#socket.emitWithAck('getRtpCapabilities', {}));
    const device = await Device.factory();
    await device.load({ routerRtpCapabilities: rtpCapabilities });
    const [sending, receiving] = await Promise.all([
      this.#createTransport(device, 'send'),
      this.#createTransport(device, 'recv'),
    ]);
    return { device, sending, receiving };
  }

  async #createTransport(device: Device, direction: Direction): Promise<PlacedTransport> {
    const { server, ...options } = resultOf(await this.#socket.emitWithAck('createTransport', { direction }));
    const transport = direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options);
    this.#cleanUps.push(() => transport.close());
    if (this.#closed) transport.close();
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      this.#socket.emitWithAck('connectTransport', { direction, dtlsParameters }).then(resultOf).then(done, failed);
    });
    transport.on('produce', ({ kind, rtpParameters }, done, failed) => {
      this.#socket.emitWithAck('produce', { kind, rtpParameters }).then(resultOf).then(done, failed);
    });
    let hasBeenConnected = false;
    transport.on('connectionstatechange', state => {
      if (state === 'connected') hasBeenConnected = true;
      if (state !== 'failed') return;
      if (hasBeenConnected) this.#listener.onBroken();
      else
        tell(
          `The browser can't reach the media of ${server}: a firewall may be in between, see MEDIA_ADDRESS in the README.`,
          'problem',
        );
    });
    return { transport, server };
  }

  async #send(transport: Transport, track: MediaStreamTrack): Promise<void> {
    // The track is used again after a loss, and stopped by whoever opened it.
    const options = { track, stopTracks: false };
    const producer = await transport.produce(track.kind === 'video' ? { ...options, encodings: simulcast } : options);
    this.#producers.set(producer.kind, producer);
    this.#ownTile?.addTrack(track);
    if (producer.paused) await this.setPaused(producer.kind, true);
  }

  async #receive(peer: OtherPeer, { id: producerId, server }: ProducerInfo): Promise<void> {
    const opened = await this.#opened;
    if (!opened) return;
    const { device, receiving } = opened;
    const answer = await this.#socket.emitWithAck('consume', {
      producerId,
      rtpCapabilities: device.recvRtpCapabilities,
    });
    const consumer = await receiving.transport.consume(resultOf(answer));
    if (this.#peers.get(peer.id) !== peer) return consumer.close();
    peer.consumers.set(producerId, consumer);
    peer.tile.addTrack(consumer.track);
    if (server === receiving.server) peer.tile.showPath(`${peer.name} →`, server, '→ you');
    else peer.tile.showPath(`${peer.name} →`, server, '→', receiving.server, '→ you (piped)');
    resultOf(await this.#socket.emitWithAck('resumeConsumer', { producerId }));
  }
}

/** @throws {Error} with what the server has answered */
function resultOf<Result>(answer: Answer<Result>): Result {
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer.result;
}
