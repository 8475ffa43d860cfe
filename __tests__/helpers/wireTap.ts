/** A TCP proxy that keeps what the server says, to count what goes over the wire and what does not. */
import { tcpProxy, type TcpProxy } from './tcpProxy.ts';

export class WireTap {
  readonly #proxy: TcpProxy;
  readonly #said: Buffer[];

  static async create(target: string): Promise<WireTap> {
    const said: Buffer[] = [];
    const proxy = await tcpProxy(target, (from, to, isFromServer) => {
      if (isFromServer) from.on('data', chunk => said.push(chunk));
      from.pipe(to);
    });
    return new WireTap(proxy, said);
  }

  private constructor(proxy: TcpProxy, said: Buffer[]) {
    this.#proxy = proxy;
    this.#said = said;
  }

  get url(): string {
    return this.#proxy.url;
  }

  /** How often the server has said this: nothing is compressed, nor masked in this direction. */
  count(text: string): number {
    return Buffer.concat(this.#said).toString('latin1').split(text).length - 1;
  }

  close(): Promise<void> {
    return this.#proxy.close();
  }
}
