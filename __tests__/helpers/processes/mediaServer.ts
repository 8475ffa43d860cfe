/** A media server in the shape of the one in docs/guides/media-servers.md, for signals. */
import * as mediasoup from 'mediasoup';
import { setTimeout } from 'node:timers/promises';
import { Mafalda, RemoteMafaldaServer } from '../../../src/index.ts';

const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false });
await server.listen();
process.send!(server.url);
process.once('disconnect', () => process.exit(1));

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    void stop();
  });
}

async function stop(): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (mafalda.transports.size > 0 && Date.now() < deadline) await setTimeout(50);
  await server.close();
  await mafalda.close();
  process.removeAllListeners('disconnect');
  process.disconnect();
}
