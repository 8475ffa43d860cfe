/** One server of the hierarchy, as a process of its own: a leaf, which has mediasoup, or one that others are below. hierarchy.ts starts them. */
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer, type MafaldaApi } from 'mafalda-horizontal';

export interface Tier {
  /** Stands for the machine that it would run on. */
  address: string;
  /** URLs of the servers below; a leaf has none. */
  below?: string[];
}

const { HIERARCHY_TOKEN: token } = process.env;
if (!token) throw new Error('HIERARCHY_TOKEN is not set: this is started by hierarchy.ts');
const { address, below } = JSON.parse(process.argv[2]!) as Tier;

// Leaves of the example stand for machines: they don't share the cores of this one.
const mafalda: MafaldaApi = below
  ? new MafaldaHorizontal(below, { token })
  : new Mafalda(mediasoup, { workerBudget: false });
if (mafalda instanceof MafaldaHorizontal) await once(mafalda, 'connected');

// Addresses for media belong to the leaves, which alone know them: the tiers above are told none.
const media = below ? {} : { listenInfos: [{ protocol: 'udp', ip: address } as const] };
const server = new RemoteMafaldaServer(mafalda, { host: address, auth: token, ...media });
await server.listen();
process.send?.(server.url);
let closing = false;

// A second one does not wait.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (closing ? process.exit(1) : close()));
process.once('disconnect', close);

function close(): void {
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
}
