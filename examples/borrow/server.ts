/** A server of the cluster, as a process of its own: a media server, or the central one above them. borrow.ts starts them. */
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer, type MafaldaApi } from 'mafalda-horizontal';

export interface ServerSetup {
  /** Stands for the machine that it would run on. */
  address: string;
  /** URLs of the media servers below; a media server has none. */
  below?: string[];
}

const { BORROW_TOKEN: token } = process.env;
if (!token) throw new Error('BORROW_TOKEN is not set: this is started by borrow.ts');
const { address, below } = JSON.parse(process.argv[2]!) as ServerSetup;

// Servers of the example stand for machines: they don't share the cores of this one.
const mafalda: MafaldaApi = below
  ? new MafaldaHorizontal(below, { token })
  : new Mafalda(mediasoup, { workerBudget: false });
if (below) await once(mafalda as MafaldaHorizontal, 'connected');
const media = below ? {} : { listenInfos: [{ protocol: 'udp', ip: address } as const] };
const server = new RemoteMafaldaServer(mafalda, { host: address, auth: token, ...media });
await server.listen();
process.send?.(server.url);

let closing = false;
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) {
  process.on(signal, () => {
    if (closing) return;
    closing = true;
    server
      .close()
      .then(() => mafalda.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(`closing the server at ${address}:`, error);
          process.exit(1);
        },
      );
  });
}
