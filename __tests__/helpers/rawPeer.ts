/** A member of a swarm's group that speaks the wire of dht-rpc by hand, and so may say anything. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Seal } from '../../src/swarm/dht/seal.ts';

interface Host {
  host: string;
  port: number;
}

export interface RawRequest {
  command: number;
  target?: Buffer;
  value?: Buffer;
  token?: Buffer | undefined;
  /** Whether the request is one of dht-rpc's own. */
  internal?: boolean;
}

export interface RawReply {
  token?: Buffer | undefined;
  closer?: readonly Host[];
  error?: number;
  value?: Buffer | undefined;
}

export const PING: RawRequest = { command: 0, internal: true };

/** Returns the id of a peer at an address, as the DHT computes it. */
const { id: idOf } = createRequire(import.meta.url)('dht-rpc/lib/peer') as {
  readonly id: (host: string, port: number) => Buffer;
};

export class RawPeer {
  readonly address: Host;
  /** Called for each request, with its command. Undefined: there is no answer. */
  onRequest: (command: number) => RawReply | undefined = () => undefined;
  /** Numbers of answers, by the number of the request. */
  readonly answers = new Map<number, number>();
  readonly #socket: Socket;
  readonly #seal: Seal;
  readonly #waiting = new Map<number, (reply: RawReply) => void>();
  #next = 1;

  /** @param listenHost where it listens; it says that it is at the loopback address in any case */
  static async open(key: Buffer, listenHost = '127.0.0.1'): Promise<RawPeer> {
    const socket = createSocket('udp4').bind(0, listenHost);
    await once(socket, 'listening');
    return new RawPeer(socket, new Seal([key]));
  }

  private constructor(socket: Socket, seal: Seal) {
    this.#socket = socket;
    this.#seal = seal;
    const { address, port } = socket.address();
    this.address = { host: address === '0.0.0.0' ? '127.0.0.1' : address, port };
    socket.on('message', (sealed, from) => {
      const datagram = seal.open(sealed);
      if (datagram?.[0] === 0x03) this.#onRequest(datagram, { host: from.address, port: from.port });
      if (datagram?.[0] === 0x13) this.#onReply(datagram);
    });
  }

  /** Resolves with the reply. @param isKnown whether it gives its id, and so gets into the other's table */
  request(request: RawRequest, to: Host, isKnown = false): Promise<RawReply> {
    const { tid, sealed } = this.sealed(request, to, isKnown);
    const reply = new Promise<RawReply>(resolve => this.#waiting.set(tid, resolve));
    this.send(sealed, to);
    return reply;
  }

  /** Returns a sealed request, to be sent as it is. */
  sealed(
    { command, target, value, token, internal }: RawRequest,
    to: Host,
    isKnown = false,
  ): { tid: number; sealed: Buffer } {
    const tid = this.#next++;
    const { host, port } = this.address;
    const flags = flagsOf(isKnown, token, internal, target, value);
    const parts = [isKnown ? idOf(host, port) : undefined, token, Buffer.of(command), target, value && sized(value)];
    return { tid, sealed: this.#seal.close(datagramOf(0x03, flags, tid, to, parts)) };
  }

  send(sealed: Buffer, { host, port }: Host): void {
    this.#socket.send(sealed, port, host);
  }

  close(): Promise<void> {
    return new Promise(resolve => this.#socket.close(() => resolve()));
  }

  #onRequest(datagram: Buffer, from: Host): void {
    const flags = datagram[1]!;
    const command = datagram[10 + (flags & 1 ? 32 : 0) + (flags & 2 ? 32 : 0)]!;
    const reply = this.onRequest(command);
    if (!reply) return;
    const { token, closer, error, value } = reply;
    const list = closer && Buffer.concat([lengthOf(closer.length), ...closer.map(hostBytes)]);
    const parts = [token, list, error === undefined ? undefined : Buffer.of(error), value && sized(value)];
    const sent = datagramOf(0x13, flagsOf(undefined, ...parts), datagram.readUInt16LE(2), from, parts);
    this.send(this.#seal.close(sent), from);
  }

  #onReply(datagram: Buffer): void {
    const [flags, tid] = [datagram[1]!, datagram.readUInt16LE(2)];
    let at = 10 + (flags & 1 ? 32 : 0);
    const token = flags & 2 ? datagram.subarray(at, (at += 32)) : undefined;
    if (flags & 4) at += 1 + 6 * datagram[at]!;
    const error = flags & 8 ? datagram[at]! : 0;
    this.answers.set(tid, (this.answers.get(tid) ?? 0) + 1);
    this.#waiting.get(tid)?.({ token, error });
    this.#waiting.delete(tid);
  }
}

function datagramOf(
  kind: number,
  flags: number,
  tid: number,
  to: Host,
  parts: readonly (Buffer | undefined)[],
): Buffer {
  const head = Buffer.from([kind, flags, tid & 0xff, tid >> 8]);
  return Buffer.concat([head, hostBytes(to), ...parts.filter(part => part !== undefined)]);
}

/** A bit for each part that is there. */
function flagsOf(...parts: unknown[]): number {
  return parts.reduce<number>((flags, part, index) => flags | (part ? 1 << index : 0), 0);
}

function hostBytes({ host, port }: Host): Buffer {
  return Buffer.from([...host.split('.').map(Number), port & 0xff, port >> 8]);
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([lengthOf(bytes.length), bytes]);
}

function lengthOf(length: number): Buffer {
  return length < 0xfd ? Buffer.of(length) : Buffer.from([0xfd, length & 0xff, length >> 8]);
}
