/** A media server as a process of its own, which tells its parent what the parent asks for. */
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer, type RemoteMafaldaServerOptions } from '../../../src/index.ts';
import type { ChildServerState } from '../childServer.ts';

const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', ...(JSON.parse(process.argv[2]!) as RemoteMafaldaServerOptions) });
const members = (): string[] => [Object, Array, Function, String].flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype));
const innocent = members().join();

process.on('message', () => {
  const state: ChildServerState = {
    ...server.counts,
    routers: mafalda.routers.size,
    transports: mafalda.transports.size,
    polluted: members().join() !== innocent,
    memory: process.memoryUsage().rss,
  };
  process.send!(state);
});
process.on('disconnect', () => process.exit());
await server.listen();
process.send!(server.url);
