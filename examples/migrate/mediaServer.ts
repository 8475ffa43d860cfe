/** A media server, as it would run on a machine of its own. */
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';

// Two of them share this machine here, each as if it were alone.
const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: process.argv[2]! });
await server.listen();
process.send!(server.url);

let closing = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second one does not wait.
    if (closing) process.exit(1);
    closing = true;
    void server
      .close()
      .then(() => mafalda.close())
      .then(() => process.connected && process.disconnect());
  });
}
