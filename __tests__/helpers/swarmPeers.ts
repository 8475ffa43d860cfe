/** Peers of a swarm in this process, each with a Mafalda of its own, on the loopback address. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import { Mafalda } from '../../src/index.ts';
import { MafaldaSwarm, type MafaldaSwarmOptions, type SwarmTiming } from '../../src/swarm/index.ts';
import { closingAfterEach } from './cleanup.ts';

export const host = '127.0.0.1';
export const shortTiming: Partial<SwarmTiming> = { sampleInterval: 100, lookupInterval: 1000, rememberInterval: 100 };

export interface SwarmPeers {
  /** Key of the group. */
  readonly key: Buffer;
  /** Makes a peer, which is closed after the test, and does not wait for it. */
  readonly begin: (options?: Partial<MafaldaSwarmOptions>, mafalda?: Mafalda) => Promise<MafaldaSwarm>;
  /** Makes a peer that knows the first one, if any, and waits until it is connected. */
  readonly join: (
    first?: MafaldaSwarm,
    options?: Partial<MafaldaSwarmOptions>,
    mafalda?: Mafalda,
  ) => Promise<MafaldaSwarm>;
}

/** To be called once in a file. */
export function swarmPeers(): SwarmPeers {
  const opened = closingAfterEach();
  const key = randomBytes(32);
  const begin: SwarmPeers['begin'] = async (
    options = {},
    mafalda = new Mafalda(mediasoup, { workerBudget: false }),
  ) => {
    const own = opened(mafalda);
    const listening = options.url === undefined ? await served() : { url: options.url };
    return opened(new MafaldaSwarm(own, { bootstrap: [], key, port: 0, host, ...listening, ...options }, shortTiming));
  };
  const served = async (): Promise<Pick<MafaldaSwarmOptions, 'url' | 'server'>> => {
    const server = createServer().listen(0, host);
    opened({ close: () => void server.close() });
    await once(server, 'listening');
    return { url: `ws://${host}:${(server.address() as AddressInfo).port}/`, server };
  };
  const join: SwarmPeers['join'] = async (first, options = {}, mafalda) => {
    const swarm = await begin({ bootstrap: first ? [await first.address()] : [], ...options }, mafalda);
    await once(swarm, 'connected');
    return swarm;
  };
  return { key, begin, join };
}

export function urlsOf(swarm: MafaldaSwarm): string[] {
  return [...swarm.peers].map(({ url }) => url).sort();
}
