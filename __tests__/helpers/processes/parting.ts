/** An application that makes a Transport, and closes its client when it is told to; then nothing keeps it alive. */
import { once } from 'node:events';
import { RemoteMafaldaClient } from '../../../src/remote/index.ts';

const client = new RemoteMafaldaClient(process.argv[2]);
await once(client, 'connected');
await client.createMafaldaRouter({ id: 'room' }).createDirectTransport();
process.send!('ready');
await once(process, 'message');
process.disconnect();
await client.close();
