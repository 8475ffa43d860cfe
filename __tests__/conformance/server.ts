/** The server of `client.mediasoup`, in a process of its own: tells its URL, and at the end what its clients have left. */
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer } from '../../src/index.ts';

process.on('disconnect', () => process.exit());

const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: process.env['CONFORMANCE_TOKEN'] ?? false });
await server.listen();
process.send!({ url: server.url });

await once(process, 'message');
const left = server.counts;
await server.close();
await mafalda.close();
process.send!({ left });
