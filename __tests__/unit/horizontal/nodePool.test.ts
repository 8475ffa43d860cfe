/** How bursts are spread, by imaginary nodes and an imaginary clock. */
import { describe, expect, test } from '@jest/globals';
import { UnsupportedError } from 'mediasoup/errors';
import type { ClusterNode } from '../../../src/horizontal/clusterNode.ts';
import type { PoolRequest } from '../../../src/horizontal/nodeChoice.ts';
import { NodePool } from '../../../src/horizontal/nodePool.ts';
import { concentrate, leastLoaded, strategies, twoChoices, type Strategy } from '../../../src/placement/strategies.ts';
import { LimitError, NodeDrainingError, NodeUnavailableError } from '../../../src/api/errors.ts';
import { evenly } from '../../helpers/evenly.ts';
import { ImaginaryNode } from '../../helpers/imaginaryNode.ts';

const WATERMARK = 66;
const INTERVAL_MS = 1000;

class Cluster {
  readonly nodes: ImaginaryNode[];
  readonly pool: NodePool;
  now = 0;

  constructor(count: number, strategy: Strategy) {
    this.nodes = Array.from({ length: count }, (_, index) =>
      new ImaginaryNode(`ws://node-${index}`).connect(`server ${index}`),
    );
    this.pool = new NodePool(strategy, WATERMARK, () => this.now);
    for (const node of this.nodes) this.pool.add(node.mafalda, false);
  }

  /** How much was ever placed on each. */
  get placed(): number[] {
    return [...this.pool].map(({ placed }) => placed);
  }

  /** An interval passes, and all nodes report the same load, or each its own. */
  report(load: number | ((node: number) => number)): void {
    this.now += INTERVAL_MS;
    for (const [index, node] of this.nodes.entries()) node.report(typeof load === 'number' ? load : load(index));
  }
}

function request(mafaldaRouterId = 'room', used: ReadonlySet<ClusterNode> = new Set()): PoolRequest {
  return { mafaldaRouterId, isUsed: node => used.has(node), countNear: () => new Map(), assertOpen: () => undefined };
}

/** Joins of one room each, or all of one room, that are answered at once. */
async function join({ pool }: Cluster, count: number, room?: string): Promise<void> {
  const used = new Set<ClusterNode>();
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      pool.place(request(room ?? `room ${index}`, room === undefined ? undefined : used), {}, async node =>
        used.add(node),
      ),
    ),
  );
}

describe('six people with two transports each, one after the other', () => {
  const all = Object.entries(strategies);

  /** On which node each person's transports are. */
  async function place(nodes: number, strategy: Strategy, says: boolean): Promise<[ClusterNode, ClusterNode][]> {
    const { pool } = new Cluster(nodes, strategy);
    const used = new Set<ClusterNode>();
    const people: [ClusterNode, ClusterNode][] = [];
    for (let person = 0; person < 6; ++person) {
      const placed: ClusterNode[] = [];
      for (const near of [[], ['own']]) {
        const countNear = (): Map<ClusterNode, number> => new Map(placed.map(node => [node, 1]));
        const wish = says && near.length > 0 ? { near } : {};
        await pool.place({ ...request('room', used), countNear }, wish, async node => placed.push(node));
        used.add(placed.at(-1)!);
      }
      people.push(placed as [ClusterNode, ClusterNode]);
    }
    return people;
  }

  /** Of 30 consumers. */
  function countPiped(people: [ClusterNode, ClusterNode][]): number {
    return people.flatMap(([from], sender) => people.filter(([, to], receiver) => sender !== receiver && from !== to))
      .length;
  }

  describe.each([2, 3])('over %i nodes', nodes => {
    test.each(all)(
      '%s: a person’s transports are on one node, if the application says whose they are',
      async (_name, strategy) => {
        const people = await place(nodes, strategy, true);
        expect(people.every(([one, other]) => one === other)).toBe(true);
        expect(countPiped(people)).toBeLessThanOrEqual(10);
      },
    );

    test.each(all)('%s: most consumers need no pipe, if it does not say', async (_name, strategy) => {
      expect(countPiped(await place(nodes, strategy, false))).toBeLessThanOrEqual(15);
    });
  });
});

describe.each([
  ['of one room', 'room'],
  ['of a room each', undefined],
])('200 joins %s within an interval, on 10 equal nodes', (_what, room) => {
  test.each([0, 30, 60])('that report %i %%: leastLoaded gives none more than 1.3 times its share', async load => {
    const cluster = new Cluster(10, leastLoaded);
    cluster.report(load);
    await join(cluster, 200, room);
    expect(Math.max(...cluster.placed)).toBeLessThanOrEqual(1.3 * 20);
    expect(cluster.placed.reduce((sum, placed) => sum + placed)).toBe(200);
  });

  test('concentrate fills one after the other up to the watermark', async () => {
    const cluster = new Cluster(10, concentrate);
    cluster.report(0);
    await join(cluster, 200, room);
    expect(cluster.placed.toSorted((a, b) => b - a)).toEqual([66, 66, 66, 2, 0, 0, 0, 0, 0, 0]);
  });

  test('above the watermark, concentrate spreads what does not fit', async () => {
    const cluster = new Cluster(10, concentrate);
    cluster.report(60);
    await join(cluster, 200, room);
    expect([Math.min(...cluster.placed), Math.max(...cluster.placed)]).toEqual([20, 20]);
  });

  test('twoChoices leaves none without, and none with twice its share', async () => {
    const cluster = new Cluster(10, twoChoices);
    cluster.report(0);
    await join(cluster, 200, room);
    expect(Math.min(...cluster.placed)).toBeGreaterThan(0);
    expect(Math.max(...cluster.placed)).toBeLessThan(40);
  });
});

test('what is told of a node by its server reaches the strategy', async () => {
  const cluster = new Cluster(2, (candidates, { region }) =>
    candidates.find(node => node.region === region && node.labels?.gpu === 'yes'),
  );
  Object.assign(cluster.nodes[1]!, { region: 'eu', labels: { gpu: 'yes' } });
  await cluster.pool.place(request(), { region: 'eu' }, async () => undefined);
  expect(cluster.placed).toEqual([0, 1]);
});

describe('what was placed counts', () => {
  test('from before it is answered, until a report that must have it, and not longer', async () => {
    const cluster = new Cluster(1, concentrate);
    const [node] = [...cluster.pool];
    let answer!: () => void;
    const placing = cluster.pool.place(request(), {}, () => new Promise<void>(resolve => (answer = resolve)));
    while (node!.underway === 0) await Promise.resolve();
    const loads = [node!.load];
    for (let interval = 0; interval < 5; ++interval) cluster.report(0);
    loads.push(node!.load);
    answer();
    await placing;
    // Neither the first report after it, nor one that tells of a second that had begun before it, can have all of it.
    loads.push(node!.load);
    cluster.report(0);
    loads.push(node!.load);
    cluster.report(0);
    loads.push(node!.load);
    expect(loads).toEqual([1, 1, 1, 1, 0]);
  });

  test('only until the next report, on a server with a limit, which counts it itself', async () => {
    const cluster = new Cluster(1, concentrate);
    const [node] = [...cluster.pool];
    Object.assign(cluster.nodes[0]!, { maxLoad: 80 });
    await join(cluster, 10);
    expect(node!.load).toBe(10);
    cluster.report(10);
    expect(node!.load).toBe(10);
  });

  test('not if it failed', async () => {
    const cluster = new Cluster(1, concentrate);
    const [node] = [...cluster.pool];
    await expect(cluster.pool.place(request(), {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect([node!.load, node!.placed, node!.underway]).toEqual([0, 1, 0]);
  });

  test('while reports are missing', async () => {
    const cluster = new Cluster(1, concentrate);
    const [node] = [...cluster.pool];
    await join(cluster, 10);
    cluster.now += 20 * INTERVAL_MS;
    expect(node!.load).toBe(10);
    cluster.report(4);
    expect(node!.load).toBe(4);
  });

  test('not for ever on a node that does not report, but tells its present load', async () => {
    const cluster = new Cluster(0, concentrate);
    const local = new ImaginaryNode('local');
    local.readyState = undefined;
    local.load = 7;
    cluster.pool.add(local.mafalda, false);
    const [node] = [...cluster.pool];
    await join(cluster, 10);
    expect(node!.load).toBe(17);
    cluster.now += 2 * INTERVAL_MS;
    expect(node!.load).toBe(7);
  });

  test('as much for streams as for Transports: a node with consumers gets fewer', async () => {
    const cluster = new Cluster(2, leastLoaded);
    const [first] = [...cluster.pool];
    for (let consumer = 0; consumer < 200; ++consumer) first!.expectConsumer();
    await join(cluster, 60);
    expect(cluster.placed).toEqual([20, 40]);
    for (let interval = 0; interval < 2; ++interval) cluster.report(0);
    expect(first!.load).toBe(0);
  });
});

test('a stream of joins that shows late does not go to one node', async () => {
  const cluster = new Cluster(10, concentrate);
  const loads = cluster.nodes.map(() => 0);
  // Each costs 1 % in the end, but a report has only what was there a second before it.
  for (let second = 0; second < 10; ++second) {
    const shown = cluster.placed;
    await join(cluster, 40);
    cluster.report(node => (loads[node] = shown[node]!));
  }
  expect(Math.max(...cluster.placed)).toBeLessThanOrEqual(WATERMARK);
});

describe('of two nodes one can create nothing', () => {
  const own: Strategy = ([first]) => first;
  const cases = Object.entries({ ...strategies, own }).flatMap(([name, strategy]) =>
    [0, 1].map(broken => ({ name, strategy, broken })),
  );

  test.each(cases)('$name, and it is number $broken: all creations succeed', async ({ strategy, broken }) => {
    const cluster = new Cluster(2, strategy);
    const [ids, failing] = [[...cluster.pool].map(({ id }) => id), [] as string[]];
    cluster.pool.on('failing', ({ id }, { message }) => failing.push(`${id} ${message}`));
    let asked = 0;
    const create = async ({ id }: ClusterNode): Promise<string> => {
      if (id !== ids[broken]) return id;
      ++asked;
      throw new Error('no Worker can be started');
    };
    const used = await Promise.all(
      Array.from({ length: 20 }, (_, index) => cluster.pool.place(request(`room ${index}`), {}, create)),
    );
    for (let index = 20; index < 40; ++index) used.push(await cluster.pool.place(request(`room ${index}`), {}, create));
    expect(new Set(used)).toEqual(new Set([ids[1 - broken]]));
    expect(failing).toEqual(asked === 0 ? [] : [`${ids[broken]} no Worker can be started`]);
    // Those that are made together don't know of each other; those after them do.
    expect(asked).toBeLessThanOrEqual(20);
  });
});

describe('what a node can’t do', () => {
  const broken = (): Promise<never> => Promise.reject(new Error('its ports are used up'));

  test('is tried elsewhere a bounded number of times, and then all the reasons are told', async () => {
    const cluster = new Cluster(20, concentrate);
    let asked = 0;
    const error = await cluster.pool.place(request(), {}, () => (++asked, broken())).catch((thrown: unknown) => thrown);
    expect(asked).toBe(8);
    expect(error).toBeInstanceOf(NodeUnavailableError);
    expect(Object.values((error as NodeUnavailableError).causes).map(({ message }) => message)).toEqual(
      Array.from({ length: 8 }, () => 'its ports are used up'),
    );
  });

  test('and none of the others can either, for the same reason, is told as that', async () => {
    const cluster = new Cluster(3, concentrate);
    const full = new LimitError('too many', { limit: 'objects', max: 5 });
    await expect(cluster.pool.place(request(), {}, () => Promise.reject(full))).rejects.toBe(full);
  });

  test.each([new TypeError('no'), new RangeError('no'), new UnsupportedError('no')])(
    'for the caller’s fault (%s) is not tried elsewhere',
    async error => {
      const cluster = new Cluster(2, leastLoaded);
      let asked = 0;
      const place = (): Promise<never> => cluster.pool.place(request(), {}, () => (++asked, Promise.reject(error)));
      await expect(place()).rejects.toBe(error);
      await expect(place()).rejects.toBe(error);
      expect([asked, cluster.placed]).toEqual([2, [1, 1]]);
    },
  );

  test('is not tried elsewhere if it is bound there', async () => {
    const cluster = new Cluster(2, leastLoaded);
    await expect(cluster.pool.place(request(), { node: 'ws://node-0' }, broken)).rejects.toThrow(
      'its ports are used up',
    );
    expect(cluster.placed).toEqual([1, 0]);
  });

  test('is given up when nothing is to be created any more', async () => {
    const cluster = new Cluster(2, leastLoaded);
    let open = true;
    const assertOpen = (): void => {
      if (!open) throw new Error('closed');
    };
    const place = cluster.pool.place({ ...request(), assertOpen }, {}, () => ((open = false), broken()));
    await expect(place).rejects.toThrow('closed');
  });

  test('lets it rest until one call has succeeded, unless there is no other', async () => {
    const cluster = new Cluster(2, evenly);
    const [first, second] = [...cluster.pool] as [ClusterNode, ClusterNode];
    await cluster.pool.place(request(), {}, node => (node === first ? broken() : Promise.resolve()));
    await join(cluster, 10);
    expect(cluster.placed).toEqual([1, 11]);
    second.draining = true;
    await cluster.pool
      .place(request(), {}, node => (node === first ? broken() : Promise.resolve()))
      .catch(() => undefined);
    second.draining = false;
    expect(cluster.placed).toEqual([2, 11]);
    cluster.now += 5000;
    let answer!: () => void;
    const trial = cluster.pool.place(request(), {}, () => new Promise<void>(resolve => (answer = resolve)));
    while (first.underway === 0) await Promise.resolve();
    await join(cluster, 10);
    expect(cluster.placed).toEqual([3, 21]);
    answer();
    await trial;
    await join(cluster, 10);
    expect(cluster.placed[0]).toBeGreaterThan(3);
  });

  test('is forgotten when another server has taken its place', async () => {
    const cluster = new Cluster(1, leastLoaded);
    const [node] = [...cluster.pool] as [ClusterNode];
    const failing = new Promise(resolve => cluster.pool.once('failing', (...args) => resolve(args)));
    await expect(cluster.pool.place(request(), {}, broken)).rejects.toThrow('its ports are used up');
    expect(await failing).toEqual([node, new Error('its ports are used up')]);
    cluster.nodes[0]!.emit('disconnected', 'gone');
    cluster.nodes[0]!.connect('server 0');
    expect(node.rest.resting).toBe(true);
    cluster.nodes[0]!.emit('disconnected', 'gone');
    cluster.nodes[0]!.connect('another server');
    expect(node.rest.resting).toBe(false);
  });
});

test('why no node can be used is told by class and cause', async () => {
  const cluster = new Cluster(2, concentrate);
  const place = (node?: string): Promise<void> =>
    cluster.pool.place(request(), node === undefined ? {} : { node }, async () => undefined);
  for (const node of cluster.pool) node.draining = true;
  await expect(place()).rejects.toBeInstanceOf(NodeDrainingError);
  await expect(place('ws://node-1')).rejects.toMatchObject({ code: 'ERR_MAFALDA_NODE_DRAINING', node: 'ws://node-1' });
  for (const node of cluster.nodes) node.emit('disconnected', 'gone');
  const error = new Error('it does not let us in');
  cluster.pool.on('error', () => undefined);
  cluster.nodes[1]!.emit('error', error);
  await expect(place()).rejects.toMatchObject({
    code: 'ERR_MAFALDA_NODE_UNAVAILABLE',
    causes: { 'ws://node-1': error },
  });
  await expect(place('ws://node-1')).rejects.toMatchObject({
    code: 'ERR_MAFALDA_NODE_UNAVAILABLE',
    node: 'ws://node-1',
    cause: error,
  });
});
