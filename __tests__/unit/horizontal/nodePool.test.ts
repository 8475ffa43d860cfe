/** How bursts are spread, by imaginary nodes and an imaginary clock. */
import { describe, expect, test } from '@jest/globals';
import type { ClusterNode } from '../../../src/horizontal/clusterNode.ts';
import { NodePool, type PoolRequest } from '../../../src/horizontal/nodePool.ts';
import { concentrate, leastLoaded, twoChoices, type Strategy } from '../../../src/horizontal/strategies.ts';
import { ImaginaryNode } from '../../helpers/imaginaryNode.ts';

const WATERMARK = 66;
const INTERVAL_MS = 1000;

class Cluster {
  readonly nodes: ImaginaryNode[];
  readonly pool: NodePool;
  now = 0;

  constructor(count: number, strategy: Strategy) {
    this.nodes = Array.from({ length: count }, (_, index) => new ImaginaryNode(`ws://node-${index}`).connect(`server ${index}`));
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
  return { mafaldaRouterId, isUsed: node => used.has(node), countStreams: () => new Map() };
}

/** Joins of one room each, or all of one room, that are answered at once. */
async function join({ pool }: Cluster, count: number, room?: string): Promise<void> {
  const used = new Set<ClusterNode>();
  await Promise.all(
    Array.from({ length: count }, (_, index) => pool.place(request(room ?? `room ${index}`, room === undefined ? undefined : used), {}, async node => used.add(node))),
  );
}

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
  const cluster = new Cluster(2, (candidates, { region }) => candidates.find(node => node.region === region && node.labels?.gpu === 'yes'));
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
