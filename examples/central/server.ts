/** A server of the cluster, as a process of its own: a media server, which registers itself in Redis, or a central one. central.ts starts them. */
import * as mediasoup from 'mediasoup';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaServer,
  type MafaldaApi,
  type RemoteMafaldaServerOptions,
  type Strategy,
} from 'mafalda-horizontal';
import { RedisDirectory } from 'mafalda-horizontal/redis';

export interface ServerSetup {
  name: string;
  kind: 'media' | 'central';
  /** Stands for the machine that it would run on. */
  address: string;
  port: number;
  redis: string;
}

/** Messages of a server to central.ts: that it is ready, or that Redis is away. */
export type ServerMessage = 'listening' | 'error';

// So that all media servers are in use from the beginning; with the library's own strategies, the second one would be used when the first one is full.
const spread: Strategy = nodes => [...nodes].sort((a, b) => a.placed - b.placed || a.load - b.load)[0];

const { CENTRAL_TOKEN: token } = process.env;
if (!token) throw new Error('CENTRAL_TOKEN is not set: this is started by central.ts');
const { name, kind, address, port, redis } = JSON.parse(process.argv[2]!) as ServerSetup;

const directory = new RedisDirectory(redis);
directory.on('error', () => tell('error'));

const [mafalda, options] = kind === 'media' ? mediaServer() : await centralServer();
const server = new RemoteMafaldaServer(mafalda, { host: address, port, ...options, auth: token });
await server.listen();
tell('listening');

/** Has mediasoup, and says in Redis that it is there. */
function mediaServer(): [MafaldaApi, Partial<RemoteMafaldaServerOptions>] {
  // Servers of the example stand for machines: they don't share the cores of this one.
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  const listenInfos = [{ protocol: 'udp', ip: address } as const];
  return [mafalda, { directory, publicUrl: `ws://${address}:${port}`, listenInfos }];
}

/** Has what it finds in Redis: it is told of no server. */
async function centralServer(): Promise<[MafaldaApi, Partial<RemoteMafaldaServerOptions>]> {
  const mafalda = new MafaldaHorizontal({ directory, token, strategy: spread });
  // It is of use as soon as it knows nodes, and from then on also without Redis.
  await directory.known;
  return [mafalda, {}];
}

function tell(message: ServerMessage): void {
  if (process.connected) process.send!(message);
}

let closing = false;
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) {
  process.on(signal, () => {
    if (closing) return;
    closing = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`closing ${name}:`, error);
        process.exit(1);
      },
    );
  });
}

async function close(): Promise<void> {
  await server.close();
  await mafalda.close();
  await directory.close();
}
