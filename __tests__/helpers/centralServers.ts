/** Media servers, and central servers over them that stand for the same thing, all in this process, on the loopback address. */
import { once } from 'node:events';
import {
  MafaldaHorizontal,
  RemoteMafaldaServer,
  type RemoteMafaldaServerOptions,
  type Strategy,
} from '../../src/index.ts';
import { inside } from './inside.ts';
import type { Served } from './serve.ts';

/** Spreads things over the nodes whatever their load. */
const roundRobin: Strategy = candidates => [...candidates].sort((a, b) => a.placed - b.placed)[0];

/** A central server. */
export class Central {
  readonly mafalda: MafaldaHorizontal;
  readonly server: RemoteMafaldaServer;

  /** @param nodes URLs of the media servers */
  static async create(nodes: readonly string[], options: Partial<RemoteMafaldaServerOptions> = {}): Promise<Central> {
    const central = new Central(nodes, options);
    await once(central.mafalda, 'connected');
    await central.server.listen();
    return central;
  }

  private constructor(nodes: readonly string[], options: Partial<RemoteMafaldaServerOptions>) {
    this.mafalda = new MafaldaHorizontal(nodes, { strategy: roundRobin });
    this.server = new RemoteMafaldaServer(this.mafalda, { host: '127.0.0.1', auth: false, ...options });
  }

  get url(): string {
    return this.server.url;
  }

  /** As an application does that ends. */
  async close(): Promise<void> {
    await this.server.close();
    await this.mafalda.close();
  }
}

/** Ids of all objects that a media server has, but for those of links and pipes, which come and go by themselves. */
export function objectsAt({ mafalda }: Served): string[] {
  return [...mafalda.mafaldaRouters.values()].map(inside).flatMap(({ tree }) =>
    [...tree.nodes()].flatMap(({ type, id, object, parent }) => {
      const transport = type === 'transport' ? object : parent?.type === 'transport' ? parent.object : undefined;
      const isOfApplication = transport ? !('mafaldaLink' in transport.appData) : type === 'rtpObserver';
      return isOfApplication ? [id] : [];
    }),
  );
}
