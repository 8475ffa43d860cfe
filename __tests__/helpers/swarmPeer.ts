/** A peer of a swarm on this machine, with a Mafalda of its own. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import { Mafalda } from '../../src/index.ts';
import { MafaldaSwarm, type MafaldaSwarmOptions } from '../../src/swarm/index.ts';

const host = '127.0.0.1';

export class SwarmPeer {
  readonly own: Mafalda;
  readonly swarm: MafaldaSwarm;
  readonly #server: Server;

  /**
   * @param urlOf names another URL for the one that the peer listens at
   * @param own what the peer serves
   */
  static async join(
    options: Pick<MafaldaSwarmOptions, 'bootstrap' | 'key'> & Partial<MafaldaSwarmOptions>,
    urlOf: (url: string) => string | Promise<string> = url => url,
    own = new Mafalda(mediasoup, { workerBudget: false }),
  ): Promise<SwarmPeer> {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const url = await urlOf(`ws://${host}:${(server.address() as AddressInfo).port}/`);
    const timing = { sampleInterval: 100, lookupInterval: 1000 };
    const swarm = new MafaldaSwarm(own, { port: 0, url, host, server, ...options }, timing);
    const peer = new SwarmPeer(own, swarm, server);
    await once(swarm, 'connected');
    return peer;
  }

  private constructor(own: Mafalda, swarm: MafaldaSwarm, server: Server) {
    this.own = own;
    this.swarm = swarm;
    this.#server = server;
  }

  async close(): Promise<void> {
    await this.swarm.close();
    this.#server.close();
    await this.own.close();
  }
}
