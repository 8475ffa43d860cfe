/** A process that serves, on an address of its own: a leaf with Workers, or, if it has nodes, a tier above them. */
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer, type MafaldaApi } from '../../../src/index.ts';

export interface ServerSetup {
  address: string;
  port?: number;
  nodes?: string[];
  sessionTimeout?: number;
}

const { address, port, nodes, sessionTimeout } = JSON.parse(process.argv[2]!) as ServerSetup;
const mafalda: MafaldaApi = nodes ? new MafaldaHorizontal(nodes) : new Mafalda(mediasoup, { workerBudget: false });
if (mafalda instanceof MafaldaHorizontal) await once(mafalda, 'connected');
// Media is for the leaves: where it listens is for them to say.
const listenInfos = nodes ? undefined : [{ protocol: 'udp', ip: address } as const];
const server = new RemoteMafaldaServer(mafalda, { host: address, port, listenInfos, sessionTimeout });
await server.listen();
process.send!(server.url);
process.on('disconnect', () => process.exit());
