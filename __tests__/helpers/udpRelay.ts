/** A network between the two ends of a link, which can lose what it carries, and end an SCTP association. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { offerOf, type LinkEnd, type PipeEndpoint } from '../../src/piping/endpoint.ts';

const HOST = '127.0.0.1';
const ABORT = Buffer.from([6, 0, 0, 4]);

type Side = 'near' | 'far';

export class UdpRelay {
  /** Whether a packet is lost. */
  isLost: () => boolean = () => false;
  /** The socket that each side sends to, and that the other side gets packets from. */
  readonly #sockets: Record<Side, Socket>;
  readonly #ports: Partial<Record<Side, number>> = {};
  /** The latest packet to each side: an ABORT has to look like it. */
  readonly #latest: Partial<Record<Side, Buffer>> = {};

  static async create(): Promise<UdpRelay> {
    const sockets = { near: createSocket('udp4'), far: createSocket('udp4') };
    for (const socket of Object.values(sockets)) await once(socket.bind(0, HOST), 'listening');
    return new UdpRelay(sockets);
  }

  private constructor(sockets: Record<Side, Socket>) {
    this.#sockets = sockets;
    sockets.near.on('message', packet => this.#pass(packet, 'far'));
    sockets.far.on('message', packet => this.#pass(packet, 'near'));
  }

  /** The endpoints of the two Routers as each other sees them: behind this network. */
  between(endpoint: PipeEndpoint): { near: Partial<PipeEndpoint>; far: Partial<PipeEndpoint> } {
    return {
      near: {
        offerPipe: async request =>
          ((offer): typeof offer => ({ ...offer, end: this.#behind('near', offer.end) }))(
            offerOf(await endpoint.offerPipe(request)),
          ),
      },
      far: { openLink: async request => this.#behind('far', await endpoint.openLink(request)) },
    };
  }

  /** Tells one side that the other one has given up its SCTP association (RFC 9260, section 3.3.7). */
  abort(side: Side): void {
    const packet = Buffer.concat([this.#latest[side]!.subarray(0, 12), ABORT]);
    packet.writeUInt32LE(0, 8);
    packet.writeUInt32LE(crc32c(packet), 8);
    this.#send(packet, side);
  }

  close(): void {
    for (const socket of Object.values(this.#sockets)) socket.close();
  }

  #behind(side: Side, end: LinkEnd): LinkEnd {
    this.#ports[side] = end.port;
    return { ...end, port: this.#sockets[side === 'near' ? 'far' : 'near'].address().port };
  }

  #pass(packet: Buffer, to: Side): void {
    if (this.isLost()) return;
    this.#latest[to] = packet;
    this.#send(packet, to);
  }

  #send(packet: Buffer, to: Side): void {
    const port = this.#ports[to];
    if (port !== undefined) this.#sockets[to].send(packet, port, HOST);
  }
}

function crc32c(packet: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of packet) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
