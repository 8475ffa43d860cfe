/** A Mafalda with its server, and clients of it, on free ports of the loopback address. */
import * as mediasoup from 'mediasoup';
import {
  Mafalda,
  RemoteMafaldaServer,
  type RemoteMafaldaClient,
  type RemoteMafaldaServerOptions,
} from '../../src/index.ts';
import { until } from './until.ts';

export class Served {
  readonly mafalda: Mafalda;
  readonly server: RemoteMafaldaServer;

  static async create(options: Partial<RemoteMafaldaServerOptions> = {}, module = mediasoup): Promise<Served> {
    const served = new Served(options, module);
    await served.server.listen();
    return served;
  }

  private constructor(options: Partial<RemoteMafaldaServerOptions>, module: typeof mediasoup) {
    this.mafalda = new Mafalda(module, { workerBudget: false });
    this.server = new RemoteMafaldaServer(this.mafalda, { host: '127.0.0.1', ...options, auth: options.auth ?? false });
  }

  get url(): string {
    return this.server.url;
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.mafalda.close();
  }

  /** @throws if something of any client's is still here */
  async untilEmpty(): Promise<void> {
    const { mafalda, server } = this;
    const left = (): string =>
      JSON.stringify({ ...server.counts, routers: mafalda.mafaldaRouters.size, transports: mafalda.transports.size });
    await until('the server holds nothing any more', () => !/[1-9]/.test(left())).catch((error: Error) => {
      throw new Error(`${error.message}: ${left()}`);
    });
  }
}

/** Resolves when it is connected, or is so already. @throws if it is refused */
export function untilConnected(client: RemoteMafaldaClient): Promise<void> {
  return new Promise((resolve, reject) => {
    if (client.readyState === 4) return resolve();
    client.once('connected', resolve);
    client.once('error', reject);
  });
}
