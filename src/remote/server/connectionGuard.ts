/**
 * Limits packets before anything else processes them, so that a connection costs little, above all before
 * authentication.
 */
import type { Socket } from 'socket.io';
import { RateLimit } from '../../core/rateLimit.ts';

type Connection = Socket['conn'];

/** Limits before authentication, enough for credentials and answers to pings. */
const MAX_PACKETS = 20;
const MAX_BYTES = 65_536;
/**
 * Time for the last packets to be sent, in ms; a client that does not read them would keep the socket for much longer.
 */
const LINGER_MS = 1000;
/** Allowance for pings, acknowledgements and packets that are not part of the protocol, which are ignored. */
const PACKETS_PER_MESSAGE = 2;

export class ConnectionGuard {
  readonly #packetsPerSecond: number;
  readonly #strangers = new WeakSet<Connection>();

  constructor(messagesPerSecond: number) {
    this.#packetsPerSecond = PACKETS_PER_MESSAGE * messagesPerSecond;
  }

  /** Starts counting a connection's packets. To be called before any has arrived. */
  watch(connection: Connection): void {
    this.#strangers.add(connection);
    const rate = new RateLimit(this.#packetsPerSecond);
    connection.once('close', () => void setTimeout(() => connection.request.socket.destroy(), LINGER_MS).unref());
    let packets = 0;
    let bytes = 0;
    connection.on('packet', ({ data }: { data?: unknown }) => {
      if (this.#strangers.has(connection)) {
        ++packets;
        if (typeof data === 'string' || data instanceof Uint8Array) bytes += data.length;
        if (packets > MAX_PACKETS || bytes > MAX_BYTES) cutOff(connection);
      } else if (typeof data === 'string' && !rate.take(1)) {
        // Buffers are not counted, since the parser limits their number per packet.
        cutOff(connection);
      }
    });
  }

  /** Lifts the limits before authentication. */
  trust(connection: Connection): void {
    this.#strangers.delete(connection);
  }
}

/**
 * Destroys the socket without WebSocket's closing handshake, which the client might not answer while it goes on
 * sending.
 */
function cutOff(connection: Connection): void {
  connection.close(true);
  connection.request.socket.destroy();
}
