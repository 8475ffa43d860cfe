/**
 * Pipes as an application makes them itself that has several media servers: a link for each two of them, a pipe for each
 * stream and server, each made once for all who want it.
 */

/** How a peer makes links and pipes. An end is one of a link. */
export interface PipeMaker<Server, End> {
  openLink(one: Server, other: Server): Promise<[End, End]>;
  /** Makes a pipe, and resolves with the id that the stream has at its destination. */
  pipe(producerId: string, from: End, to: End): Promise<string>;
}

export class Pipes<Server, End> {
  readonly #maker: PipeMaker<Server, End>;
  readonly #servers: readonly Server[];
  /** Servers at which streams were produced. */
  readonly #origins = new Map<string, Server>();
  readonly #links = new Map<string, Promise<[End, End]>>();
  readonly #pipes = new Map<string, Promise<string>>();

  constructor(servers: readonly Server[], maker: PipeMaker<Server, End>) {
    this.#servers = servers;
    this.#maker = maker;
  }

  produced(producerId: string, server: Server): void {
    this.#origins.set(producerId, server);
  }

  /** Resolves with the id of the stream at a server, when it is there. */
  async bring(producerId: string, to: Server): Promise<string> {
    const from = this.#origins.get(producerId)!;
    if (from === to) return producerId;
    const key = `${producerId} ${this.#servers.indexOf(to)}`;
    const pipe = this.#pipes.get(key) ?? this.#pipe(producerId, from, to);
    this.#pipes.set(key, pipe);
    return pipe;
  }

  async #pipe(producerId: string, from: Server, to: Server): Promise<string> {
    const [source, destination] = await this.#linkOf(from, to);
    return this.#maker.pipe(producerId, source, destination);
  }

  async #linkOf(from: Server, to: Server): Promise<[End, End]> {
    const isInOrder = this.#servers.indexOf(from) < this.#servers.indexOf(to);
    const [one, other] = isInOrder ? [from, to] : [to, from];
    const key = `${this.#servers.indexOf(one)} ${this.#servers.indexOf(other)}`;
    const link = this.#links.get(key) ?? this.#maker.openLink(one, other);
    this.#links.set(key, link);
    const [first, second] = await link;
    return isInOrder ? [first, second] : [second, first];
  }
}
