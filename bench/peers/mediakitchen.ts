/**
 * mediakitchen: its server as a process of its own with one Worker, twice, and its client here; NATS between them. Pipes are made by its calls, as it leaves them to the
 * application. It is installed from the npm registry into a folder outside of this repository, with the mediasoup that all the others have.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as mediasoup from 'mediasoup';
import { generateRouterRtpCapabilities } from 'mediasoup/ortc';
import type { RtpCapabilities, RtpParameters } from 'mediasoup/types';
import { mediaCodecs, type Room } from '../remote/subject.ts';
import type { Peer } from './peer.ts';
import { Pipes } from './pipes.ts';
import { freePort, startProcess } from './startProcess.ts';

const VERSION = '2.1.1';
const folder = join(tmpdir(), 'mafalda-bench-peers', `mediakitchen-${VERSION}-mediasoup-${mediasoup.version}`);

/** Members of mediakitchen's client that are used here. Each call has a key, by which a repeated one is known. */
interface Cluster {
  workers: KitchenWorker[];
  close(): void;
}

interface KitchenWorker {
  createRouter(args: { mediaCodecs: unknown }, key: string): Promise<KitchenRouter>;
}

interface KitchenRouter {
  createWebRtcTransport(args: object, key: string): Promise<KitchenTransport>;
  createPipeTransport(args: object, key: string): Promise<KitchenPipeTransport>;
  close(): Promise<void>;
}

interface KitchenTransport {
  produce(args: { kind: string; rtpParameters: RtpParameters }, key: string): Promise<{ id: string }>;
  consume(
    producerId: string,
    args: { rtpCapabilities?: RtpCapabilities; paused?: boolean },
    key: string,
  ): Promise<{ kind: string; rtpParameters: RtpParameters }>;
  close(): Promise<void>;
}

interface KitchenPipeTransport extends KitchenTransport {
  tuple: { localIp: string; localPort: number };
  connect(args: { ip: string; port: number }): Promise<void>;
}

interface Nats {
  connect(this: void, options: object): Promise<{ close(): void }>;
  Payload: { JSON: unknown };
}

let calls = 0;
const nextKey = (): string => `call-${++calls}`;

/** @throws {Error} if it can't be started here, with the reason */
export async function openMediakitchen(): Promise<Peer> {
  const port = await freePort();
  const broker = await startProcess({
    command: 'nats-server',
    args: ['--addr', '127.0.0.1', '--port', String(port)],
    ready: /Server is ready/,
  }).catch((cause: Error) => {
    throw new Error(`it needs NATS (Debian: apt-get install nats-server): ${cause.message}`, { cause });
  });
  await install();
  const load = createRequire(join(folder, 'package.json'));
  const env = {
    MEDIAKITCHEN_WORKERS: '1',
    MEDIAKITCHEN_LISTEN: '127.0.0.1',
    MEDIAKITCHEN_NATS: `nats://127.0.0.1:${port}`,
    MEDIASOUP_WORKER_BIN: mediasoup.workerBin,
    DEBUG: 'mediakitchen:',
  };
  const start = (): ReturnType<typeof startProcess> =>
    startProcess({
      command: process.execPath,
      args: [load.resolve('mediakitchen-server/dist/server.js')],
      env,
      ready: /Started/,
    });
  const servers = await Promise.all([start(), start()]);

  const { connect, Payload } = load('ts-nats') as Nats;
  const nc = await connect({ payload: Payload.JSON, servers: [env.MEDIAKITCHEN_NATS] });
  const { connectToCluster } = load('mediakitchen') as { connectToCluster: (info: object) => Promise<Cluster> };
  const cluster = await connectToCluster({ nc });
  return {
    name: 'mediakitchen',
    version: VERSION,
    pids: [broker, ...servers].map(({ pid }) => pid!),
    openRoom: async nodes => openRoom(cluster.workers.slice(0, nodes)),
    async close() {
      cluster.close();
      nc.close();
    },
  };
}

async function openRoom(workers: readonly KitchenWorker[]): Promise<Room> {
  const routers = await Promise.all(workers.map(worker => worker.createRouter({ mediaCodecs }, nextKey())));
  // mediakitchen does not tell them: an application computes them as mediasoup does.
  const rtpCapabilities = generateRouterRtpCapabilities([...mediaCodecs]);
  const pipes = new Pipes<KitchenRouter, KitchenPipeTransport>(routers, { openLink, pipe });
  return {
    async createTransport(node) {
      const router = routers[node]!;
      const transport = await router.createWebRtcTransport({ enableUdp: true, enableTcp: false }, nextKey());
      return {
        async produce(kind, rtpParameters) {
          const { id } = await transport.produce({ kind, rtpParameters }, nextKey());
          pipes.produced(id, router);
          return id;
        },
        async consume(producerId, paused = false) {
          const id = await pipes.bring(producerId, router);
          return transport.consume(id, { rtpCapabilities, paused }, nextKey());
        },
        close: () => void transport.close(),
      };
    },
    async close() {
      await Promise.all(routers.map(router => router.close()));
    },
  };
}

/** Its pipes are not encrypted here: it does not know the cipher that mediasoup uses for that today, and refuses it. */
async function openLink(
  one: KitchenRouter,
  other: KitchenRouter,
): Promise<[KitchenPipeTransport, KitchenPipeTransport]> {
  const ends = await Promise.all(
    [one, other].map(router => router.createPipeTransport({ enableRtx: true }, nextKey())),
  );
  const [first, second] = ends as [KitchenPipeTransport, KitchenPipeTransport];
  await Promise.all([first.connect(addressOf(second)), second.connect(addressOf(first))]);
  return [first, second];
}

function addressOf({ tuple }: KitchenPipeTransport): { ip: string; port: number } {
  return { ip: tuple.localIp, port: tuple.localPort };
}

async function pipe(producerId: string, from: KitchenPipeTransport, to: KitchenPipeTransport): Promise<string> {
  const { kind, rtpParameters } = await from.consume(producerId, {}, nextKey());
  const { id } = await to.produce({ kind, rtpParameters }, nextKey());
  return id;
}

/** Installs it from the registry, if that was not done before; the folder is named after the versions. */
async function install(): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = {
    private: true,
    dependencies: { mediakitchen: VERSION, 'mediakitchen-server': VERSION, 'ts-nats': '^1.2.12' },
    overrides: { mediasoup: mediasoup.version },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  // Its install scripts would fetch a Worker again: it gets the one that is here.
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await promisify(execFile)('npm', args, { cwd: folder });
}
