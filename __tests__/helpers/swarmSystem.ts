/** Peers of a swarm that have found each other, for the scenarios: real Workers, real sockets. */
import { createHash, createPrivateKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal } from '../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import type { Directory, DirectoryEvents, NodeRecord, RoomWatch } from '../../src/horizontal/directory/directory.ts';
import { SwarmDirectory } from '../../src/swarm/directory/swarmDirectory.ts';
import { Identity } from '../../src/swarm/identity.ts';
import { MafaldaSwarm } from '../../src/swarm/index.ts';
import { makeToken } from '../../src/swarm/token.ts';
import { Trust } from '../../src/swarm/trust.ts';
import {
  host,
  leftAtServer,
  roundRobin,
  watchResources,
  WORKERS_PER_MAFALDA,
  type ServerOptions,
  type SharedSystem,
} from './systems.ts';
import { until } from './until.ts';

const timing = { sampleInterval: 100, lookupInterval: 1000 };

/** The application is that of the first peer. Each peer has a Mafalda of its own, which others use too. */
export async function swarmSystem(peers: number, options: ServerOptions = {}): Promise<SharedSystem> {
  const watch = watchResources();
  const key = randomBytes(32);
  const leaves: Mafalda[] = [];
  const swarms: MafaldaSwarm[] = [];
  const servers: HttpServer[] = [];
  for (let count = 0; count < peers; ++count) {
    const own = new Mafalda(mediasoup, { workerBudget: false });
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const url = `ws://${host}:${(server.address() as AddressInfo).port}`;
    const bootstrap = swarms[0] ? [await swarms[0].address()] : [];
    const swarmOptions = { ...options, bootstrap, key, port: 0, url, host, server, strategy: roundRobin };
    swarms.push(new MafaldaSwarm(own, swarmOptions, timing));
    leaves.push(own);
    servers.push(server);
  }
  await until('all peers know each other', () => swarms.every(swarm => [...swarm.peers].length === peers - 1));
  const [mafalda] = swarms as [MafaldaSwarm];
  // Further controllers are peers without a machine, which reach the others by proxies.
  const bootstrap = [await mafalda.address()];
  const trust = new Trust({ key, trusted: undefined, revoked: [] });
  const directory = new SwarmDirectory(
    { bootstrap, trust, host, listenHost: host, port: 0, identity: new Identity() },
    timing,
  );
  return {
    mafalda,
    servers: swarms.map(({ server }) => server),
    leaves,
    places: peers * WORKERS_PER_MAFALDA,
    nameOf: name => identityOf(name).id,
    useToo: async id => {
      for (const swarm of swarms.slice(1)) await (swarm.createMafaldaRouter({ id }) as PipeableMafaldaRouter).attach();
    },
    control: (urls, name) => {
      const identity = identityOf(name);
      const real = new Map(swarms.map(({ url }, index) => [urls[index]!, url]));
      return new MafaldaHorizontal({
        directory: new ByOtherUrls(directory, new Map([...real].map(([proxy, url]) => [url, proxy]))),
        token: url => makeToken(identity, key, real.get(url)!),
        name: identity.id,
        strategy: roundRobin,
      });
    },
    close: async () => {
      await directory.close();
      const kept: string[] = [];
      await mafalda.close();
      // The other peers may still be connected to each other.
      for (const { server } of swarms) kept.push(...leftAtServer(server).filter(left => !left.endsWith('clients')));
      for (const swarm of swarms) await swarm.close();
      for (const server of servers) server.close();
      for (const own of leaves) await own.close();
      return [...kept, ...(await watch.leftovers([...swarms, ...leaves]))];
    },
  };
}

/** A peer that comes back under its name is the same one. */
function identityOf(name: string): Identity {
  // The frame of an Ed25519 private key in PKCS#8.
  const frame = Buffer.from('302e020100300506032b657004220420', 'hex');
  const seed = createHash('sha256').update(name).digest();
  const key = createPrivateKey({ key: Buffer.concat([frame, seed]), format: 'der', type: 'pkcs8' });
  return new Identity(key.export({ format: 'pem', type: 'pkcs8' }) as string);
}

/** A directory whose servers are reached by other URLs than they say, as by proxies. */
class ByOtherUrls extends EnhancedEventEmitter<DirectoryEvents> implements Directory {
  readonly known: Promise<void>;
  readonly #directory: Directory;
  readonly #urls: ReadonlyMap<string, string>;

  /** @param urls by those that the servers say; others are not used */
  constructor(directory: Directory, urls: ReadonlyMap<string, string>) {
    super();
    this.#directory = directory;
    this.#urls = urls;
    this.known = directory.known;
    directory.on('node', record => {
      const url = urls.get(record.url);
      if (url !== undefined) this.emit('node', { ...record, url });
    });
    directory.on('nodegone', gone => {
      const url = urls.get(gone);
      if (url !== undefined) this.emit('nodegone', url);
    });
  }

  get nodes(): ReadonlyMap<string, NodeRecord> {
    const records = [...this.#directory.nodes.values()].flatMap(record => {
      const url = this.#urls.get(record.url);
      return url === undefined ? [] : { ...record, url };
    });
    return new Map(records.map(record => [record.url, record]));
  }

  watch(roomId: string): RoomWatch {
    return new ByOtherUrlsWatch(this.#directory.watch(roomId), this.#urls);
  }

  register(): never {
    throw new Error('only peers register themselves');
  }

  close(): Promise<void> {
    return this.#directory.close();
  }
}

class ByOtherUrlsWatch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  readonly #watch: RoomWatch;
  readonly #urls: ReadonlyMap<string, string>;

  constructor(watch: RoomWatch, urls: ReadonlyMap<string, string>) {
    super();
    this.#watch = watch;
    this.#urls = urls;
    watch.on('change', () => void this.emit('change'));
  }

  get urls(): ReadonlySet<string> {
    return new Set([...this.#watch.urls].flatMap(url => this.#urls.get(url) ?? []));
  }

  get known(): Promise<boolean> {
    return this.#watch.known;
  }

  refresh(): Promise<boolean> {
    return this.#watch.refresh?.() ?? this.#watch.known;
  }

  close(): void {
    this.#watch.close();
  }
}
