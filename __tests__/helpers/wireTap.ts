/** A TCP proxy that keeps what the server says, to count what goes over the wire and what does not. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export class WireTap {
  readonly url: string;
  readonly #close: () => Promise<void>;
  readonly #said: Buffer[];

  static async create(target: string): Promise<WireTap> {
    const { hostname, port } = new URL(target);
    const sockets = new Set<Socket>();
    const said: Buffer[] = [];
    const server = createServer(incoming => {
      const outgoing = connect(Number(port), hostname);
      outgoing.on('data', chunk => said.push(chunk));
      for (const [from, to] of [[incoming, outgoing], [outgoing, incoming]] as const) {
        sockets.add(from);
        from.pipe(to);
        // Whoever closes first takes the other along; errors are followed by `close`.
        from.on('error', () => to.destroy());
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WireTap(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, said, async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
  }

  private constructor(url: string, said: Buffer[], close: () => Promise<void>) {
    this.url = url;
    this.#said = said;
    this.#close = close;
  }

  /** How often the server has said this: nothing is compressed, nor masked in this direction. */
  count(text: string): number {
    return Buffer.concat(this.#said).toString('latin1').split(text).length - 1;
  }

  close(): Promise<void> {
    return this.#close();
  }
}
