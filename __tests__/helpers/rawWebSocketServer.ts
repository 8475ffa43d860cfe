/** A server of WebSockets that sends whatever it is told to, and reads nothing. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export class RawWebSocketServer {
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();

  /** @param onConnection what is sent to each */
  static async create(
    onConnection: (send: (text: string) => void, socket: Socket) => void,
  ): Promise<RawWebSocketServer> {
    const server = new RawWebSocketServer(onConnection);
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  private constructor(onConnection: (send: (text: string) => void, socket: Socket) => void) {
    this.#http = createServer();
    this.#http.on('upgrade', (request, socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy()).once('close', () => this.#sockets.delete(socket));
      socket.resume();
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      onConnection(text => this.#send(socket, text), socket);
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#http.close(resolve));
  }

  #send(socket: Socket, text: string): void {
    if (socket.destroyed) return;
    const data = Buffer.from(text);
    const header = Buffer.alloc(10);
    header[0] = 0x81;
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(data.length), 2);
    socket.write(Buffer.concat([header, data]));
  }
}
