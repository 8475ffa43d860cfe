/** A TCP proxy whose connections can be cut at any moment, as a bad network would. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { RemoteMafaldaClient } from '../../src/index.ts';
import type { closingAfterEach } from './cleanup.ts';
import { Served, untilConnected } from './serve.ts';

export class CutProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  /** Connections that were ever made through it. */
  connections = 0;
  /** While it is, new connections are reset as well. */
  blocked = false;
  /** What one of the sides says is lost from now on, while the connection seems to be well. */
  losing: 'requests' | 'answers' | undefined;
  /** Bytes that were lost by that. */
  lost = 0;
  /** A connection is reset when the client has sent more bytes than these. */
  maxRequestBytes = Infinity;
  /** When connections were asked for, in ms. */
  readonly attempts: number[] = [];

  static async create(url: string): Promise<CutProxy> {
    const target = Number(new URL(url).port);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CutProxy(server, target);
  }

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    server.on('connection', near => {
      this.attempts.push(performance.now());
      if (this.blocked) {
        reset(near);
        return;
      }
      ++this.connections;
      const far = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        let bytes = 0;
        from.on('data', chunk => {
          bytes += chunk.length;
          if (from === near && bytes > this.maxRequestBytes) reset(near);
          else if (this.losing === (from === near ? 'requests' : 'answers')) this.lost += chunk.length;
          else to.write(chunk);
        });
        from.on('end', () => to.end());
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /** Resets all connections. New ones are let through, unless it is blocked. */
  cut(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}

/** Closes a socket by a reset. A socket that is shutting down can't be reset: Node.js would keep its handle for ever. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** A client that is connected to a server through such a proxy. */
export async function connectThroughProxy(
  opened: ReturnType<typeof closingAfterEach>,
): Promise<{ served: Served; proxy: CutProxy; client: RemoteMafaldaClient }> {
  const served = opened(await Served.create());
  const proxy = opened(await CutProxy.create(served.url));
  const client = opened(new RemoteMafaldaClient(proxy.url));
  await untilConnected(client);
  return { served, proxy, client };
}
