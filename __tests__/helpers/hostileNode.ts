/** A server that speaks socket.io as it should, and above that what the test wants. */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { version } from 'mediasoup';
import { Server, type Socket } from 'socket.io';
import { welcome, type Call } from './fuzz/hostileServer.ts';

export interface HostileConnection {
  readonly socket: Socket;
  /** Calls that are not answered yet. */
  readonly calls: Call[];
  /** Tells this, all in one packet, with the right numbers. */
  readonly tell: (...messages: unknown[]) => void;
}

export interface HostileScript {
  /** Its first word; default: a right one. */
  welcome?: () => unknown;
  /** @param call the latest one */
  onCall?: (connection: HostileConnection, call: Call) => void;
  onConnection?: (connection: HostileConnection) => void;
}

export class HostileNode {
  readonly #http: HttpServer = createServer();
  readonly #server: Server;
  readonly #script: HostileScript;
  /** When there was a new connection, in ms. */
  readonly connections: number[] = [];

  static async create(script: HostileScript = {}): Promise<HostileNode> {
    const node = new HostileNode(script);
    node.#http.listen(0, '127.0.0.1');
    await once(node.#http, 'listening');
    return node;
  }

  private constructor(script: HostileScript) {
    this.#script = script;
    this.#server = new Server(this.#http, { path: '/mafalda', transports: ['websocket'], serveClient: false });
    this.#server.on('connection', socket => this.#onConnection(socket));
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.disconnectSockets(true);
    await this.#server.close();
  }

  #onConnection(socket: Socket): void {
    this.connections.push(Date.now());
    let number = 0;
    let received = 0;
    const connection: HostileConnection = {
      socket,
      calls: [],
      tell: (...messages) => {
        socket.emit('message', number + 1, received, ...messages);
        number += messages.length;
      },
    };
    socket.on('message', (first: number, _received: number, ...messages: (Call & { type: string })[]) => {
      received = first + messages.length - 1;
      for (const message of messages) {
        if (message?.type !== 'call') continue;
        connection.calls.push(message);
        this.#script.onCall?.(connection, message);
      }
    });
    for (const farewell of ['bye', 'moved'])
      socket.on(farewell, (done: unknown) => typeof done === 'function' && (done as () => void)());
    socket.emit('welcome', this.#script.welcome ? this.#script.welcome() : welcome(version));
    this.#script.onConnection?.(connection);
  }
}
