/** Rooms. Each is one MafaldaRouter, on however many servers that takes: nothing in here knows of servers, but for their names. */
import type { MafaldaApi, MafaldaHorizontal, MafaldaRouter } from 'mafalda-horizontal';
import type { RouterRtpCodecCapability, Transport } from 'mediasoup/types';
import { Peer, type PeerOptions } from './peer.ts';

const mediaCodecs: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];

export class Rooms {
  readonly #mafalda: MafaldaHorizontal;
  readonly #rooms = new Map<string, Room>();
  /** Rooms that are being closed on the servers. */
  readonly #closing = new Set<Promise<void>>();
  readonly #serverNames: Map<MafaldaApi, string>;

  constructor(mafalda: MafaldaHorizontal) {
    this.#mafalda = mafalda;
    this.#serverNames = new Map([...mafalda].map((node, index) => [node, `server ${index + 1}`]));
  }

  /** Opens the room if nobody is in it. */
  join(roomName: string, { id, name, listener }: Pick<PeerOptions, 'id' | 'name' | 'listener'>): Peer {
    const room = this.#rooms.get(roomName) ?? this.#open(roomName);
    const peer = new Peer({ id, name, room, listener, serverOf: transport => this.#serverOf(transport) });
    room.peers.set(peer.id, peer);
    return peer;
  }

  /** The last one to leave closes the room. */
  leave(peer: Peer): void {
    const { room } = peer;
    peer.close();
    room.peers.delete(peer.id);
    if (room.peers.size === 0) this.#close(room);
  }

  /** Closes all rooms, and resolves when the servers have closed them: before that, the Mafalda is needed. */
  async close(): Promise<void> {
    for (const room of this.#rooms.values()) this.#close(room);
    await Promise.all(this.#closing);
  }

  #close({ name, mafaldaRouter }: Room): void {
    this.#rooms.delete(name);
    const closing = mafaldaRouter.close().catch((error: Error) => {
      console.error(`closing the room "${name}": ${error.message}`);
    });
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  #open(name: string): Room {
    const mafaldaRouter = this.#mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const room: Room = { id: mafaldaRouter.id, name, mafaldaRouter, peers: new Map() };
    this.#rooms.set(name, room);
    return room;
  }

  /** Placement is nobody's business but Mafalda's; the page shows it all the same, since that is what this demo is about. */
  #serverOf(transport: Transport): string {
    const node = this.#mafalda.nodeOf(transport);
    return (node && this.#serverNames.get(node)) ?? 'another server';
  }
}

export interface Room {
  readonly id: string;
  readonly name: string;
  readonly mafaldaRouter: MafaldaRouter;
  readonly peers: Map<string, Peer>;
}
