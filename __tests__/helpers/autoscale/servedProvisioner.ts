/** A provisioner of real servers in this process. */
import type { ListedServer, ProvisionedServer, Provisioner, StartRequest } from '../../../src/autoscale/index.ts';
import { Served } from '../serve.ts';

export class ServedProvisioner implements Provisioner {
  readonly servers = new Map<string, Served>();
  readonly requests: StartRequest[] = [];
  readonly stopped: string[] = [];
  /** Most servers that there were at a time. */
  most = 0;
  /** Is awaited before a server is started; what it throws is the start's failure. */
  onStart: (request: StartRequest) => Promise<void> | void = () => undefined;
  #next = 1;

  async start(request: StartRequest): Promise<ProvisionedServer> {
    this.requests.push(request);
    await this.onStart(request);
    return this.add(request.region);
  }

  /** Starts a server that nobody has ordered here. */
  async add(region?: string): Promise<ProvisionedServer> {
    const served = await Served.create({ region });
    const id = `server-${this.#next++}`;
    this.servers.set(id, served);
    this.most = Math.max(this.most, this.servers.size);
    return { id, url: served.url };
  }

  async stop(id: string): Promise<void> {
    this.stopped.push(id);
    const served = this.servers.get(id);
    this.servers.delete(id);
    await served?.close();
  }

  async list(): Promise<ListedServer[]> {
    return [...this.servers].map(([id, { url }]) => ({ id, url }));
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.keys()].map(id => this.stop(id)));
  }
}
