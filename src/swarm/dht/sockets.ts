/** The two UDP sockets of a peer, for dht-rpc: what goes through them is sealed. */
import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import type { DhtSocket, DhtSockets } from 'dht-rpc';
import { logger } from '../../core/logger.ts';
import { SEAL_BYTES, type Seal } from './seal.ts';
import { SenderRates } from './senderRates.ts';

const log = logger('swarm');

/** Sockets of a peer that are bound, and the port of the first of them. */
export interface BoundSockets extends DhtSockets {
  readonly port: number;
}
/** Bytes of the largest datagram that a peer sends: a longer one is a list without end. */
const MAX_DATAGRAM_BYTES = 1250 + SEAL_BYTES;

/**
 * Binds the sockets of a peer: dht-rpc expects to bind without waiting, which Node.js can't.
 * @param port of the server's socket; the client's has any
 * @param host IP address on which they listen
 * @throws {Error} if the port can't be had
 */
export type BindSockets = (port: number, host: string, seal: Seal) => Promise<BoundSockets>;

/** Binds sockets of Node.js. */
export async function bindUdp(
  port: number,
  host: string,
  seal: Seal,
  rates = new SenderRates(),
): Promise<BoundSockets> {
  const server = await bound(port, host);
  const client = await bound(0, host).catch((error: Error) => {
    server.close();
    throw error;
  });
  const sealed = (socket: Socket): SealedSocket => new SealedSocket(socket, seal, rates);
  return handOut(sealed(server), sealed(client));
}

/** Returns what dht-rpc takes its sockets from, for sockets that are bound. */
export function handOut(server: DhtSocket, client: DhtSocket): BoundSockets {
  const sockets = [server, client];
  return {
    port: server.address().port,
    createSocket: () => {
      const socket = sockets.shift();
      if (!socket) throw new Error('both sockets are in use');
      return socket;
    },
    // A server keeps its addresses.
    watchNetworkInterfaces: () => Object.assign(new EventEmitter(), { destroy: () => undefined }),
  };
}

class SealedSocket extends EventEmitter implements DhtSocket {
  readonly bound = true;
  readonly #socket: Socket;
  readonly #seal: Seal;
  #closed = false;

  constructor(socket: Socket, seal: Seal, rates: SenderRates) {
    super();
    this.#socket = socket;
    this.#seal = seal;
    socket.on('error', error => log.warn('%o', error));
    socket.on('message', (sealed, { address: host, port }) => {
      const datagram = sealed.length > MAX_DATAGRAM_BYTES ? undefined : seal.open(sealed);
      if (datagram && rates.take(host)) this.emit('message', datagram, { host, port });
    });
  }

  bind(): void {
    // The socket is bound already.
  }

  address(): ReturnType<DhtSocket['address']> {
    const { address, port } = this.#socket.address();
    return { address, host: address, port, family: 4 };
  }

  trySend(datagram: Buffer, port: number, host: string): void {
    // A timer of dht-rpc may send again what was not answered before the end.
    if (this.#closed) return;
    // Lost datagrams are sent again by dht-rpc.
    this.#socket.send(
      this.#seal.close(datagram),
      port,
      host,
      error => error && log.warn('%s:%d: %o', host, port, error),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>(resolve => this.#socket.close(resolve));
  }
}

async function bound(port: number, host: string): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind({ port, address: host, exclusive: true });
  await once(socket, 'listening');
  return socket;
}
