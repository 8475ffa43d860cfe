/** A media server: a process with mediasoup Workers of its own. The ProcessProvisioner of autoscale.ts starts and stops them. */
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';

const { AUTOSCALE_TOKEN: token } = process.env;
if (!token) throw new Error('AUTOSCALE_TOKEN is not set: this is started by autoscale.ts');

// The servers of the example stand for machines: they don't share the cores of this one.
const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, {
  host: '127.0.0.1',
  auth: token,
  listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
});

// Ctrl-C in a terminal reaches all processes, but servers are stopped from above: by SIGTERM, or when the channel closes.
process.on('SIGINT', () => undefined);
process.once('SIGTERM', close);
process.once('disconnect', close);

await server.listen();
process.send!({ url: server.url });

function close(): void {
  server
    .close()
    .then(() => mafalda.close())
    .then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('closing a media server:', error);
        process.exit(1);
      },
    );
}
