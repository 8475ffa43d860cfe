/** A simulated server in a stream's tree of pipes: a Router with the ends of links, which all controllers see. */
import type { Consumer, Router, Worker } from 'mediasoup/types';
import type { ObjectTree } from '../../src/core/objectTree.ts';
import type { LinkEnd, PipeEndpoint } from '../../src/piping/endpoint.ts';
import { consume, createTransport, ImaginaryObject, produce } from '../../__tests__/helpers/imaginaryObjects.ts';
import { SimulatedServer } from './simulatedServer.ts';
import { oneWay } from './simulatedTime.ts';

/** The network between any two, in ms. */
export const ONE_WAY_MS = 1;

type Identified = ImaginaryObject & { id: string };

interface Link {
  readonly transport: Identified;
  connectedTo: string | undefined;
  readonly consumers: Map<string, ImaginaryObject>;
}

export class PipingServer extends SimulatedServer {
  /** The Router, which is the only one, as soon as it is needed. */
  router: Identified | undefined;
  /** Pipes that have ever begun here. */
  pipesEver = 0;
  /** Calls that have come here. */
  calls = 0;
  readonly #trees: readonly ObjectTree[];
  readonly #links = new Map<string, Link>();
  readonly #streams = new Set<string>();

  /** @param trees of all controllers, which see what comes to be here */
  constructor(url: string, maxLoad: number, now: () => number, trees: readonly ObjectTree[]) {
    super(url, maxLoad, now);
    this.#trees = trees;
  }

  /** @throws {NodeFullError} */
  async createTransport(): Promise<void> {
    await this.#asked(() => {
      this.admit();
      this.#open();
    });
  }

  async consume(): Promise<void> {
    await this.#asked(() => {
      this.serverLoad.admit('consume')(true);
      ++this.viewers;
    });
  }

  /** Makes the stream here. */
  produce(streamId: string): void {
    this.#streams.add(streamId);
    produce(createTransport(this.#open()), streamId);
  }

  /** The requests by which pipes are made, as they arrive here. */
  readonly endpoint: PipeEndpoint = {
    openLink: ({ remoteRouterId }) => this.#asked(() => this.#endOf(remoteRouterId)),
    offerPipe: ({ remoteRouterId, stream }) =>
      this.#asked(() => {
        const consumer = this.#letIn(this.#link(remoteRouterId), stream.producerId!);
        return { end: this.#endOf(remoteRouterId), consumer: consumer as unknown as Consumer, appData: {} };
      }),
    connectLink: ({ remoteRouterId, remote }) =>
      this.#asked(() => void (this.#link(remoteRouterId).connectedTo = remote.transportId)),
    acceptPipe: ({ remoteRouterId, remote, stream }) =>
      this.#asked(() => {
        const link = this.#link(remoteRouterId);
        link.connectedTo = remote.transportId;
        // Another controller may have brought it meanwhile: then this pipe was made in vain.
        if (this.#streams.has(stream.id)) return;
        this.#streams.add(stream.id);
        produce(link.transport, stream.id);
      }),
    confirmPipes: () => this.#asked(() => undefined),
  };

  async #asked<T>(answer: () => T): Promise<T> {
    ++this.calls;
    await oneWay(ONE_WAY_MS);
    try {
      return answer();
    } finally {
      await oneWay(ONE_WAY_MS);
    }
  }

  /** Returns the Router, whose coming all controllers see. */
  #open(): Identified {
    if (this.router) return this.router;
    this.router = new ImaginaryObject({ id: routerIdOf(this.url) }) as Identified;
    const worker = new ImaginaryObject({});
    for (const tree of this.#trees)
      tree.addRouter(this.router as unknown as Router, worker as unknown as Worker, `worker of ${this.url}`);
    return this.router;
  }

  #link(remoteRouterId: string): Link {
    const existing = this.#links.get(remoteRouterId);
    if (existing) return existing;
    const transport = createTransport(this.#open(), remoteRouterId) as Identified;
    const link: Link = { transport, connectedTo: undefined, consumers: new Map() };
    this.#links.set(remoteRouterId, link);
    return link;
  }

  #endOf(remoteRouterId: string): LinkEnd {
    const { transport, connectedTo } = this.#link(remoteRouterId);
    return { transportId: transport.id, ip: '127.0.0.1', port: 1, connectedTo };
  }

  #letIn({ transport, consumers }: Link, streamId: string): ImaginaryObject {
    const existing = consumers.get(streamId);
    if (existing) return existing;
    const consumer = consume(transport, streamId);
    consumers.set(streamId, consumer);
    ++this.pipes;
    ++this.pipesEver;
    consumer.observer.once('close', () => {
      consumers.delete(streamId);
      --this.pipes;
    });
    return consumer;
  }
}

export function routerIdOf(url: string): string {
  return `router of ${url}`;
}
