/** A WebSocket that sends whatever it is told to, frame by frame or byte by byte, as no library would. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Frame {
  /** 1 text, 2 binary, 0 continuation; others are WebSocket's own or nobody's. */
  opcode: number;
  payload: string | Buffer;
  final?: boolean;
  /** What the header says instead of the truth. */
  length?: number;
}

export class RawWebSocket {
  readonly socket: Socket;

  /** Resolves when the server has accepted. */
  static async connect(url: string, path = '/mafalda/?EIO=4&transport=websocket'): Promise<RawWebSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    // What becomes of it is for the test to look at: that it is closed is an answer like others.
    socket.on('error', () => socket.destroy());
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    await once(socket, 'data');
    return new RawWebSocket(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    let unread = Buffer.alloc(0);
    socket.on('data', chunk => {
      unread = Buffer.concat([unread, chunk]);
      // Of what the server says only its goodbye matters: the rest is skipped, frame by frame.
      for (;;) {
        const short = (unread[1] ?? 0) & 0x7f;
        const header = short === 126 ? 4 : 2;
        if (unread.length < header) return;
        const end = header + (short === 126 ? unread.readUInt16BE(2) : short);
        if (unread.length < end) return;
        if (unread[0] === 0x88) socket.destroy();
        unread = unread.subarray(end);
      }
    });
  }

  send({ opcode, payload, final = true, length }: Frame): void {
    const data = Buffer.from(payload);
    const mask = randomBytes(4);
    const header = Buffer.alloc(14);
    header[0] = (final ? 0x80 : 0) | opcode;
    header[1] = 0x80 | 127;
    header.writeBigUInt64BE(BigInt(length ?? data.length), 2);
    mask.copy(header, 10);
    this.socket.write(Buffer.concat([header, data.map((byte, index) => byte ^ mask[index % 4]!)]));
  }

  get closed(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  async untilClosed(): Promise<void> {
    if (!this.socket.destroyed) await once(this.socket, 'close');
  }

  close(): void {
    this.socket.destroy();
  }
}
