/** Looks at what arrives before anything else does, so that a connection costs little: least of all one of a stranger. */
import type { Socket } from 'socket.io';
import { RateLimit } from './limits.ts';

type Connection = Socket['conn'];

/** Who has not said yet who it is has little to say: its credentials, and answers to pings. */
const MAX_PACKETS = 20;
const MAX_BYTES = 65_536;
/** What has been said last is still on its way; one that does not read it would keep it here for much longer. */
const LINGER_MS = 1000;
/** Beside messages there are pings and acknowledgements, and whatever does not keep to the protocol: that is merely ignored. */
const PACKETS_PER_MESSAGE = 2;

export class ConnectionGuard {
  readonly #packetsPerSecond: number;
  readonly #strangers = new WeakSet<Connection>();

  constructor(messagesPerSecond: number) {
    this.#packetsPerSecond = PACKETS_PER_MESSAGE * messagesPerSecond;
  }

  /** To be called with each connection, before it has said anything. */
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
        // Buffers are not counted: the parser takes only so many of them with each packet.
        cutOff(connection);
      }
    });
  }

  /** It has been let in. */
  trust(connection: Connection): void {
    this.#strangers.delete(connection);
  }
}

/** Not with WebSocket's goodbye: whoever is cut off might not answer it, and go on sending. */
function cutOff(connection: Connection): void {
  connection.close(true);
  connection.request.socket.destroy();
}
