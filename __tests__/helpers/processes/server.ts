/** A process that serves, on an address of its own: a leaf with Workers, or, if it has nodes, a tier above them. */
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaServer,
  type MafaldaApi,
  type RemoteMafaldaServerOptions,
  type WorkerBudgetOptions,
} from '../../../src/index.ts';
import { watchTurns } from '../fuzz/starvation.ts';
import type { ServerState } from '../serverProcess.ts';

export interface ServerSetup extends Partial<RemoteMafaldaServerOptions> {
  address: string;
  nodes?: string[];
  /** Default: no limit. */
  workerBudget?: WorkerBudgetOptions;
}

const { address, nodes, workerBudget = false, ...options } = JSON.parse(process.argv[2]!) as ServerSetup;
const mafalda: MafaldaApi = nodes ? new MafaldaHorizontal(nodes) : new Mafalda(mediasoup, { workerBudget });
if (mafalda instanceof MafaldaHorizontal) await once(mafalda, 'connected');
// Media is for the leaves: where it listens is for them to say.
const listenInfos = nodes ? undefined : [{ protocol: 'udp', ip: address } as const];
const server = new RemoteMafaldaServer(mafalda, { host: address, auth: false, listenInfos, ...options });

const longestTurn = watchTurns();
const members = (): string[] =>
  [Object, Array, Function, String].flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype));
const innocent = members().join();
process.on('message', () => {
  const state: ServerState = {
    ...server.counts,
    routers: mafalda.routers.size,
    transports: mafalda.transports.size,
    polluted: members().join() !== innocent,
    memory: process.memoryUsage().rss,
    longestTurn: longestTurn(),
  };
  process.send!(state);
});
process.on('disconnect', () => process.exit());
process.once('SIGTERM', () => void end());
await server.listen();
process.send!(server.url);

async function end(): Promise<void> {
  await server.close();
  await mafalda.close();
  process.exit();
}
