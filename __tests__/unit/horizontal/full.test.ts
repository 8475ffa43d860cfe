/** Servers that have the last word on their load: several controllers, whose views of them are late, place a burst at the same moment. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { availableParallelism } from 'node:os';
import type { LoadReport } from '../../../src/api/load.ts';
import type { Closable } from '../../../src/core/onceClosed.ts';
import type { ClusterNode } from '../../../src/horizontal/clusterNode.ts';
import { NodePool } from '../../../src/horizontal/nodePool.ts';
import {
  concentrate,
  leastLoaded,
  Mafalda,
  MafaldaHorizontal,
  NodeFullError,
  RemoteMafaldaServer,
  type MafaldaApi,
  type RemoteMafaldaClient,
  type Strategy,
} from '../../../src/index.ts';
import { ServerLoad } from '../../../src/remote/server/serverLoad.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { evenly } from '../../helpers/evenly.ts';
import { ImaginaryNode } from '../../helpers/imaginaryNode.ts';
import { ImaginaryObject } from '../../helpers/imaginaryObjects.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { unmeasured } from '../../helpers/madeUpLoad.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

const CONTROLLERS = 20;
const NODES = 10;
const TRANSPORTS = 400;
const FAIR_SHARE = TRANSPORTS / NODES;

/** Every controller chooses the same node, whatever its load. */
const herd: Strategy = ([first]) => first;

describe('imaginary servers', () => {
  const CORES = 2;

  /** A server that has nothing but load: Transports do not show in it yet. */
  class Server {
    readonly load = 0;
    readonly #load: ServerLoad;
    created = 0;
    refused = 0;

    constructor(maxLoad: number) {
      this.#load = new ServerLoad(this as unknown as MafaldaApi, maxLoad, () => 0);
      this.#load.report();
    }

    get loadReport(): LoadReport {
      return { load: 0, workers: [], hosts: [{ cores: CORES, cpu: 0, memory: { total: 1, free: 1 } }] };
    }

    create(): Closable {
      ++this.refused;
      const created = new ImaginaryObject({});
      this.#load.admit('createWebRtcTransport')(true, created);
      --this.refused;
      ++this.created;
      return created;
    }
  }

  class Crowd {
    readonly servers: Server[];
    readonly pools: NodePool[];
    readonly failing: string[] = [];

    constructor(maxLoad: number, strategy: Strategy) {
      this.servers = Array.from({ length: NODES }, () => new Server(maxLoad));
      this.pools = Array.from({ length: CONTROLLERS }, () => {
        const pool = new NodePool(strategy, 66, () => 0);
        for (const index of this.servers.keys())
          pool.add(new ImaginaryNode(`ws://node-${index}`).connect(`server ${index}`).mafalda, false);
        pool.on('failing', ({ id }) => this.failing.push(id));
        return pool;
      });
    }

    /** All controllers place as many, in a room each. @returns what has become of each */
    place(count: number): Promise<PromiseSettledResult<Closable>[]> {
      return Promise.allSettled(
        this.pools.flatMap(pool => {
          const nodes = [...pool];
          const create = async (node: ClusterNode): Promise<Closable> => this.servers[nodes.indexOf(node)]!.create();
          return Array.from({ length: count / CONTROLLERS }, (_, room) => {
            const request = { countNear: () => new Map(), isUsed: () => false, assertOpen: () => undefined };
            return pool.place({ mafaldaRouterId: `room ${room}`, ...request }, {}, create);
          });
        }),
      );
    }

    get created(): number[] {
      return this.servers.map(({ created }) => created);
    }
  }

  test.each([
    ['leastLoaded', leastLoaded, 52],
    ['concentrate', concentrate, 52],
    ['a strategy that chooses the same for all', herd, 52],
  ])('%s: all are placed, and no server has more than it takes', async (_name, strategy, maxLoad) => {
    const crowd = new Crowd(maxLoad, strategy);
    const results = await crowd.place(TRANSPORTS);
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(crowd.created.reduce((sum, created) => sum + created)).toBe(TRANSPORTS);
    expect(Math.max(...crowd.created)).toBeLessThanOrEqual(maxLoad);
    expect(crowd.failing).toEqual([]);
  });

  test('leastLoaded gives none more than 1.3 times its fair share, also if there are not enough for all', async () => {
    const crowd = new Crowd(1000, leastLoaded);
    await crowd.place(TRANSPORTS);
    expect(Math.max(...crowd.created)).toBeLessThanOrEqual(1.3 * FAIR_SHARE);
    const fewer = new Crowd(1000, leastLoaded);
    // Three of each controller: taking the first of equals, each would give them to the same three servers.
    await fewer.place(3 * CONTROLLERS);
    expect(Math.max(...fewer.created)).toBeLessThanOrEqual(3 * (3 * (CONTROLLERS / NODES)));
    // Chance leaves out a server in one run of a hundred, but not four of ten in any.
    expect(fewer.created.filter(created => created > 0).length).toBeGreaterThan(NODES - 4);
  });

  test('what does not fit anywhere is refused, and that costs one more call each', async () => {
    const crowd = new Crowd(30, leastLoaded);
    const results = await crowd.place(TRANSPORTS);
    const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(crowd.created).toEqual(Array.from({ length: NODES }, () => 30));
    expect(errors).toHaveLength(TRANSPORTS - NODES * 30);
    for (const error of errors) expect(error).toBeInstanceOf(NodeFullError);
    // Two calls, of eight servers at most each, and every controller has heard it from all ten.
    for (let call = 0; call < 2; ++call) await crowd.place(CONTROLLERS);
    const before = crowd.servers.reduce((sum, { refused }) => sum + refused, 0);
    await crowd.place(CONTROLLERS);
    expect(crowd.servers.reduce((sum, { refused }) => sum + refused, 0) - before).toBe(CONTROLLERS);
    expect(crowd.failing).toEqual([]);
  });
});

test('a server that says that it has room, and refuses, is asked less and less often', async () => {
  let time = 0;
  const asked: string[] = [];
  const pool = new NodePool(leastLoaded, 66, () => time);
  const [liar, honest] = ['ws://liar', 'ws://honest'].map(url => new ImaginaryNode(url).connect(`server of ${url}`));
  for (const node of [liar!, honest!]) pool.add(node.mafalda, false);
  const create = async ({ id }: ClusterNode): Promise<Closable> => {
    asked.push(id);
    if (id === liar!.url) throw new NodeFullError('full', { load: 90, maxLoad: 80 });
    return new ImaginaryObject({});
  };
  const place = (): Promise<Closable> => {
    liar!.report(0);
    honest!.report(20);
    const request = { countNear: () => new Map(), isUsed: () => false, assertOpen: () => undefined };
    return pool.place({ mafaldaRouterId: 'room', ...request }, {}, create);
  };
  for (; time < 60_000; time += 100) await place();
  const refused = asked.filter(id => id === liar!.url).length;
  expect(asked.length - refused).toBe(600);
  expect(refused).toBeGreaterThan(3);
  expect(refused).toBeLessThan(20);
});

describe('real servers, over real sockets', () => {
  // Time stands still: however long a busy machine takes, the servers decide about a burst of one moment.
  beforeEach(() => void jest.spyOn(performance, 'now').mockReturnValue(0));
  afterEach(() => void jest.restoreAllMocks());

  const PERCENT_OF_TRANSPORT = 2 / availableParallelism();
  const LONG_MS = 100_000;

  interface Served {
    readonly mafalda: MafaldaApi;
    readonly url: string;
  }

  async function serve(
    transports: number | undefined,
    mafalda: MafaldaApi = new Mafalda(unmeasured, { workerBudget: false }),
  ): Promise<Served> {
    opened(mafalda);
    // Half of a Transport more, since sums of such percentages are not exact.
    const maxLoad = transports === undefined ? undefined : (transports + 0.5) * PERCENT_OF_TRANSPORT;
    // On a busy machine a process with all of these servers and clients is silent for seconds, and must lose nothing by it.
    const options = { host: '127.0.0.1', auth: false, sessionTimeout: LONG_MS } as const;
    const server = opened(new RemoteMafaldaServer(mafalda, { ...options, maxLoad }));
    await server.listen();
    return { mafalda, url: server.url };
  }

  async function above(servers: readonly Served[], strategy: Strategy): Promise<MafaldaHorizontal> {
    const mafalda = opened(
      new MafaldaHorizontal(
        servers.map(({ url }) => url),
        // On a busy machine all of them together take some seconds for an answer.
        { strategy, callTimeout: LONG_MS, nodeTimeout: LONG_MS },
      ),
    );
    mafalda.on('nodefailing', (_node, error) => {
      throw error;
    });
    // A busy machine may take longer than a MafaldaHorizontal waits for its nodes.
    await until('all are connected', () => [...mafalda].every(node => (node as RemoteMafaldaClient).readyState === 4));
    return mafalda;
  }

  function createMany(mafalda: MafaldaApi, rooms: number, each = 1): Promise<unknown> {
    return Promise.all(
      Array.from({ length: rooms }, () => {
        const room = mafalda.createMafaldaRouter();
        return Promise.all(Array.from({ length: each }, () => room.createDirectTransport()));
      }),
    );
  }

  test('20 controllers place 400 transports at the same moment on 10 servers', async () => {
    const share = Math.floor(1.3 * FAIR_SHARE);
    const servers = await Promise.all(Array.from({ length: NODES }, () => serve(share)));
    const controllers: MafaldaHorizontal[] = [];
    for (let index = 0; index < CONTROLLERS; ++index) controllers.push(await above(servers, leastLoaded));
    await Promise.all(controllers.map(mafalda => createMany(mafalda, TRANSPORTS / CONTROLLERS)));
    const counts = servers.map(({ mafalda }) => mafalda.transports.size);
    expect(counts.reduce((sum, count) => sum + count)).toBe(TRANSPORTS);
    expect(Math.max(...counts)).toBeLessThanOrEqual(share);
  });

  test('a burst that all want on the same server goes on to the next ones, also through a central server', async () => {
    const leaves = await Promise.all(Array.from({ length: 3 }, () => serve(10)));
    const central = await serve(undefined, await above(leaves, herd));
    const mafalda = await above([central], herd);
    await createMany(mafalda, 1, 25);
    expect(leaves.map(leaf => leaf.mafalda.transports.size).sort()).toEqual([10, 10, 5]);
    const outcome = await createMany(mafalda, 1, 10).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(NodeFullError);
    expect((outcome as NodeFullError).maxLoad).toBeCloseTo(10.5 * PERCENT_OF_TRANSPORT);
  });

  test('whoever is on a full server goes on: produces, consumes, gets streams by pipes and gives them', async () => {
    const [full, other] = [await serve(2), await serve(undefined)];
    const mafalda = await above([full, other], evenly);
    const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const here = { placement: { node: full.url } };
    const there = { placement: { node: other.url } };
    const sender = await RtpSender.create(room, 'audio', undefined, here);
    const elsewhere = await RtpSender.create(room, 'audio', undefined, there);
    const transport = await room.createDirectTransport(here);
    await expect(room.createDirectTransport(here)).rejects.toThrow(NodeFullError);
    await expect(room.createAudioLevelObserver(here)).rejects.toThrow(NodeFullError);
    // Without an order it is on the other server.
    expect(mafalda.nodeOf(await room.createDirectTransport())).toMatchObject({ url: other.url });

    const receiver = await RtpReceiver.create(room, sender.producer.id, there);
    await openPath(sender, [receiver]);
    expect(await countPackets(sender, [receiver], 20)).toEqual([20]);
    const rtpCapabilities = await room.getRtpCapabilities();
    const consumer = await transport.consume({ producerId: elsewhere.producer.id, rtpCapabilities });
    let heard = false;
    consumer.on('rtp', () => (heard = true));
    await elsewhere.stream(4000, () => heard);
    expect(heard).toBe(true);
  });

  test.each([-1, NaN, Infinity, '80'])('maxLoad %p is refused', maxLoad => {
    const mafalda = opened(new Mafalda(unmeasured, { workerBudget: false }));
    expect(() => new RemoteMafaldaServer(mafalda, { auth: false, maxLoad: maxLoad as number })).toThrow(
      /maxLoad must be/,
    );
  });
});
