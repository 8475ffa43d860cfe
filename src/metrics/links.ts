/** Links of a machine's Routers, read off the trees of its MafaldaRouters: pipes, and the bytes that they carry. */
import type { PipeTransport } from 'mediasoup/types';
import type { MafaldaApi } from '../api/types.ts';
import type { PipeableMafaldaRouter } from '../base/pipeableMafaldaRouter.ts';
import type { TreeNode } from '../core/objectTree.ts';
import { linkedRouterId } from '../piping/endpoint.ts';
import type { Sample } from './definition.ts';

interface LinkEnd {
  readonly transport: PipeTransport;
  readonly children: ReadonlySet<TreeNode>;
  /** Whether the other end is on another machine. */
  readonly isBetweenServers: boolean;
}

/** Bytes at the latest reading. */
interface Reading {
  sent: number;
  received: number;
}

const noBytes: Readonly<Reading> = { sent: 0, received: 0 };

export class Links {
  readonly #mafalda: MafaldaApi;
  readonly #readings = new WeakMap<PipeTransport, Reading>();
  readonly #total: Reading = { ...noBytes };

  constructor(mafalda: MafaldaApi) {
    this.#mafalda = mafalda;
  }

  /** Counts the ends of links. */
  ends(): Sample[] {
    const [servers, workers] = count([...this.#ends()], () => 1);
    return [
      { value: servers, labels: { between: 'servers' } },
      { value: workers, labels: { between: 'workers' } },
    ];
  }

  /** Counts the pipes that end here, and those that start here. */
  pipes(): Sample[] {
    const ends = [...this.#ends()];
    const isOutgoing = ({ type }: TreeNode): boolean => type === 'consumer' || type === 'dataConsumer';
    const outgoing = ({ children }: LinkEnd): number => [...children].filter(isOutgoing).length;
    const [outToServers, outToWorkers] = count(ends, outgoing);
    const [inFromServers, inFromWorkers] = count(ends, end => end.children.size - outgoing(end));
    return [
      { value: outToServers, labels: { between: 'servers', direction: 'out' } },
      { value: inFromServers, labels: { between: 'servers', direction: 'in' } },
      { value: outToWorkers, labels: { between: 'workers', direction: 'out' } },
      { value: inFromWorkers, labels: { between: 'workers', direction: 'in' } },
    ];
  }

  /** Reads the bytes between servers. What a link has carried after its latest reading is lost with its end. */
  async bytes(): Promise<Sample[]> {
    const ends = [...this.#ends()].filter(({ isBetweenServers }) => isBetweenServers);
    await Promise.all(ends.map(({ transport }) => this.#read(transport)));
    return [
      { value: this.#total.sent, labels: { direction: 'out' } },
      { value: this.#total.received, labels: { direction: 'in' } },
    ];
  }

  async #read(transport: PipeTransport): Promise<void> {
    // A Transport that closes meanwhile has no statistics any more.
    const [stats] = await transport.getStats().catch(() => []);
    if (!stats) return;
    const latest = { sent: stats.bytesSent, received: stats.bytesReceived };
    const earlier = this.#readings.get(transport) ?? noBytes;
    this.#readings.set(transport, latest);
    this.#total.sent += latest.sent - earlier.sent;
    this.#total.received += latest.received - earlier.received;
  }

  *#ends(): Generator<LinkEnd, void, undefined> {
    for (const mafaldaRouter of this.#mafalda.mafaldaRouters.values()) {
      const { tree } = mafaldaRouter as PipeableMafaldaRouter;
      for (const transport of tree.transports.values()) {
        const remoteRouterId = linkedRouterId(transport);
        if (remoteRouterId === undefined) continue;
        const children = tree.nodeOf<'transport'>(transport)?.children ?? new Set();
        yield { transport: transport as PipeTransport, children, isBetweenServers: !tree.routers.has(remoteRouterId) };
      }
    }
  }
}

/** Sums figures of links between servers, and of those between the Workers of this machine. */
function count(ends: readonly LinkEnd[], figure: (end: LinkEnd) => number): [servers: number, workers: number] {
  let [servers, workers] = [0, 0];
  for (const end of ends) {
    if (end.isBetweenServers) servers += figure(end);
    else workers += figure(end);
  }
  return [servers, workers];
}
