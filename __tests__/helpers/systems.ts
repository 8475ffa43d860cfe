/** The implementations that the scenarios run on, each with real Workers and, where there is a wire, real sockets. */
import * as mediasoup from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import { pickPort } from 'pick-port';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type MafaldaApi,
  type RemoteMafaldaServerOptions,
  type Strategy,
} from '../../src/index.ts';
import { RedisDirectory } from '../../src/redis/index.ts';
import { RedisServer } from './redisServer.ts';
import { until } from './until.ts';

export interface System {
  readonly mafalda: MafaldaApi;
  /** How many mediasoup Routers a MafaldaRouter gets when it is spread as far as it goes. */
  readonly places: number;
  /** Closes everything, and tells what is left nevertheless: an empty list if all is well. */
  close(): Promise<string[]>;
}

/** A system with servers, which several controllers can use. */
export interface SharedSystem extends System {
  /** Servers that a controller is connected to. */
  readonly servers: readonly RemoteMafaldaServer[];
  /** The Mafaldas with the Workers: as it is really. */
  readonly leaves: readonly MafaldaApi[];
  /** Makes another controller, for the caller to close. @param urls by which it reaches the servers */
  control(urls: readonly string[], name: string): MafaldaApi;
  /** Returns the name under which servers know a controller, where it is not the given one. */
  nameOf?(name: string): string;
  /** Has further applications use the MafaldaRouter, where the applications that there are do not use all servers. */
  useToo?(mafaldaRouterId: string): Promise<void>;
}

export type ServerOptions = Pick<RemoteMafaldaServerOptions, 'sessionTimeout'>;

const token = 'the scenarios’ token';
export const host = '127.0.0.1';

/** Spreads things over the nodes whatever their load, so that the scenarios cross nodes. */
export const roundRobin: Strategy = candidates => [...candidates].sort((a, b) => a.placed - b.placed)[0];

/** Two Workers for each Mafalda, so that there is something to pipe between. */
export const WORKERS_PER_MAFALDA = 2;

export async function localSystem(): Promise<System> {
  const watch = watchResources();
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  return {
    mafalda,
    places: WORKERS_PER_MAFALDA,
    close: async () => {
      await mafalda.close();
      return watch.leftovers([mafalda]);
    },
  };
}

export async function remoteSystem(options?: ServerOptions): Promise<SharedSystem> {
  const watch = watchResources();
  const { server, mafalda: served } = await serve(options);
  const mafalda = new RemoteMafaldaClient(server.url, { token });
  return {
    mafalda,
    servers: [server],
    leaves: [served],
    control: ([url], name) => new RemoteMafaldaClient(url, { token, name }),
    places: WORKERS_PER_MAFALDA,
    close: async () => {
      await mafalda.close();
      const kept = leftAtServer(server);
      await server.close();
      await served.close();
      return [...kept, ...(await watch.leftovers([mafalda, served]))];
    },
  };
}

export async function horizontalSystem(nodes: number, options?: ServerOptions): Promise<SharedSystem> {
  const watch = watchResources();
  const cluster = await Promise.all(Array.from({ length: nodes }, () => serve(options)));
  const mafalda = above(cluster);
  return {
    mafalda,
    servers: cluster.map(({ server }) => server),
    leaves: cluster.map(({ mafalda: served }) => served),
    control: (urls, name) => new MafaldaHorizontal(urls, { token, strategy: roundRobin, name }),
    places: nodes * WORKERS_PER_MAFALDA,
    close: async () => {
      await mafalda.close();
      const kept = cluster.flatMap(({ server }) => leftAtServer(server));
      for (const { server } of cluster) await server.close();
      for (const { mafalda: served } of cluster) await served.close();
      return [...kept, ...(await watch.leftovers([mafalda, ...cluster.map(({ mafalda: served }) => served)]))];
    },
  };
}

/** A system whose servers and controllers find each other by a Redis. */
export interface RedisSystem extends SharedSystem {
  readonly redis: RedisServer;
  /** Directory of the controller `mafalda`. */
  readonly directory: RedisDirectory;
}

/** @param timing times of the directories that differ from the defaults */
export async function redisSystem(
  nodes: number,
  options: ServerOptions = {},
  timing?: ConstructorParameters<typeof RedisDirectory>[2],
): Promise<RedisSystem> {
  const watch = watchResources();
  const redis = await RedisServer.create();
  const openDirectory = (): RedisDirectory => new RedisDirectory(redis.url, {}, timing);
  const directories = Array.from({ length: nodes }, openDirectory);
  const cluster = await Promise.all(
    directories.map(async directory => {
      const port = await pickPort({ type: 'tcp', ip: '127.0.0.1', reserveTimeout: 10 });
      return serve({ ...options, port, directory, publicUrl: `ws://127.0.0.1:${port}` });
    }),
  );
  const directory = openDirectory();
  const mafalda = new MafaldaHorizontal({ directory, token, strategy: roundRobin });
  await until('the controller knows the servers', () => mafalda.size === nodes);
  return {
    mafalda,
    redis,
    directory,
    servers: cluster.map(({ server }) => server),
    leaves: cluster.map(({ mafalda: served }) => served),
    control: (_urls, name) => new MafaldaHorizontal({ directory, token, strategy: roundRobin, name }),
    places: nodes * WORKERS_PER_MAFALDA,
    close: async () => {
      await mafalda.close();
      const kept = cluster.flatMap(({ server }) => leftAtServer(server));
      for (const { server } of cluster) await server.close();
      for (const { mafalda: served } of cluster) await served.close();
      for (const opened of [directory, ...directories]) await opened.close();
      await redis.close();
      return [...kept, ...(await watch.leftovers([mafalda, ...cluster.map(({ mafalda: served }) => served)]))];
    },
  };
}

/** A root over two middles over two leaves each: only the leaves have Workers, each middle is a node like any other. */
export async function tieredSystem(options?: ServerOptions): Promise<SharedSystem> {
  const watch = watchResources();
  const leaves = await Promise.all(Array.from({ length: 4 }, () => serve(options)));
  const middles = await Promise.all([leaves.slice(0, 2), leaves.slice(2)].map(below => serve(options, above(below))));
  const mafalda = above(middles);
  return {
    mafalda,
    servers: middles.map(({ server }) => server),
    leaves: leaves.map(({ mafalda: served }) => served),
    control: (urls, name) => new MafaldaHorizontal(urls, { token, strategy: roundRobin, name }),
    places: leaves.length * WORKERS_PER_MAFALDA,
    close: async () => {
      const kept: string[] = [];
      await mafalda.close();
      for (const { server, mafalda: served } of [...middles, ...leaves]) {
        kept.push(...leftAtServer(server));
        await server.close();
        await served.close();
      }
      return [
        ...kept,
        ...(await watch.leftovers([mafalda, ...[...middles, ...leaves].map(({ mafalda: served }) => served)])),
      ];
    },
  };
}

/**
 * A client of two central servers over the same two media servers. The one that it uses closes soon after a MafaldaRouter has
 * been made, so that the client moves to the other one, and is there again afterwards.
 */
export async function centralPairSystem(): Promise<System> {
  const watch = watchResources();
  const leaves = await Promise.all([serve(), serve()]);
  const centrals = await Promise.all([leaves, leaves].map(below => serve({}, above(below))));
  const urls = centrals.map(({ server }) => server.url);
  const mafalda = new RemoteMafaldaClient(urls, { token });
  let moving = Promise.resolve();
  mafalda.on('newmafaldarouter', () => {
    moving = moving.then(async () => {
      if (mafalda.closed) return;
      const url = mafalda.url!;
      const used = centrals[urls.indexOf(url)]!;
      await used.server.close();
      const port = Number(new URL(url).port);
      used.server = new RemoteMafaldaServer(used.mafalda, { host: '127.0.0.1', port, auth: token });
      await used.server.listen();
    });
  });
  return {
    mafalda,
    places: leaves.length * WORKERS_PER_MAFALDA,
    close: async () => {
      const kept: string[] = [];
      await mafalda.close();
      await moving;
      for (const { server, mafalda: served } of [...centrals, ...leaves]) {
        kept.push(...leftAtServer(server));
        await server.close();
        await served.close();
      }
      return [
        ...kept,
        ...(await watch.leftovers([mafalda, ...[...centrals, ...leaves].map(({ mafalda: served }) => served)])),
      ];
    },
  };
}

function above(nodes: { server: RemoteMafaldaServer }[]): MafaldaHorizontal {
  return new MafaldaHorizontal(
    nodes.map(({ server }) => server.url),
    { token, strategy: roundRobin },
  );
}

async function serve(
  options: Partial<RemoteMafaldaServerOptions> = {},
  mafalda: MafaldaApi = new Mafalda(mediasoup, { workerBudget: false }),
): Promise<{ mafalda: MafaldaApi; server: RemoteMafaldaServer }> {
  const server = new RemoteMafaldaServer(mafalda, { ...options, host, auth: token });
  await server.listen();
  return { mafalda, server };
}

export function leftAtServer(server: RemoteMafaldaServer): string[] {
  return nonZero('server', { ...server.counts });
}

/** Sockets and processes that keep this process alive, and Workers that are still there. */
export function watchResources(): { leftovers: (mafaldas: MafaldaApi[]) => Promise<string[]> } {
  const before = countResources();
  const workers = new Set<Worker>();
  const onWorker = (worker: Worker): void => void workers.add(worker);
  mediasoup.observer.on('newworker', onWorker);
  return {
    leftovers: async mafaldas => {
      mediasoup.observer.off('newworker', onWorker);
      let counts: Record<string, number> = {};
      const count = (): boolean => {
        counts = { workers: [...workers].filter(({ subprocessClosed }) => !subprocessClosed).length };
        for (const [name, now] of Object.entries(countResources()))
          counts[name] = Math.max(0, now - (before[name] ?? 0));
        return Object.values(counts).every(value => value === 0);
      };
      // Handles that are closing are counted until the system has let go of them, and handles of tests beside this one
      // until these tests end.
      await until('handles that are closing have gone', count, CLOSING_MS).catch(() => undefined);
      const objects = mafaldas.flatMap(({ constructor, workers, routers, transports, rtpObservers, mafaldaRouters }) =>
        nonZero(constructor.name, {
          workers: workers.size,
          routers: routers.size,
          transports: transports.size,
          rtpObservers: rtpObservers.size,
          mafaldaRouters: mafaldaRouters.size,
        }),
      );
      return [...nonZero('process', counts), ...objects];
    },
  };
}

/** Longer than handles take to close. What is left then is told by its number. */
const CLOSING_MS = 5000;
const watched = ['TCPSocketWrap', 'TCPServerWrap', 'UDPWrap', 'ProcessWrap'];

function countResources(): Record<string, number> {
  const active = process.getActiveResourcesInfo();
  return Object.fromEntries(watched.map(name => [name, active.filter(resource => resource === name).length]));
}

function nonZero(owner: string, counts: Record<string, number>): string[] {
  return Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`${owner}: ${count} ${name}`]));
}
