import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Router } from 'mediasoup/types';
import { askerOptions } from '../../../../src/horizontal/pipes/askerOptions.ts';
import type { ClusterNode } from '../../../../src/horizontal/clusterNode.ts';
import type { AskerOptions } from '../../../../src/piping/delegation/askPlaces.ts';

type Node = Partial<ClusterNode> & { readonly routers: readonly string[] };

const node = (routers: readonly string[], more: Partial<ClusterNode> = {}): Node => ({
  ...{ connected: true, unreachable: false, lost: false, draining: false, isUsable: true, load: 20 },
  ...more,
  routers,
});
const candidate = (routerId: string, url?: string) => ({ routerId, url, depth: 1, load: 7 });
const peer = { url: 'wss://here', fanOut: 8 };

let nodes: Record<'here' | 'there' | 'stranger', Node>;
let met: string[];
let found: Node[];

beforeEach(() => {
  nodes = { here: node(['own', 'own too']), there: node(['other'], { url: 'wss://there' }), stranger: node([]) };
  met = [];
  found = [];
});

/** Knowledge of a MafaldaRouter over these nodes; the stranger shows its Router once it is attached to. */
function options(as: typeof peer | null = peer, reach = true): AskerOptions {
  const routers = new Map(
    Object.values(nodes).flatMap(({ routers: ids }) => ids.map(id => [id, { id } as Router] as const)),
  );
  const all = Object.values(nodes);
  return askerOptions({
    tree: { routers },
    nodes: {
      watermark: 60,
      reach: () => reach,
      find: url => all.find(each => each.url === url) as ClusterNode | undefined,
    },
    parts: {
      nodeOf: ({ id }) => all.find(each => each.routers.includes(id)) as ClusterNode | undefined,
      routersOn: of => (of as unknown as Node).routers,
      find: async of => {
        found.push(of as unknown as Node);
        Object.assign(nodes.stranger, { routers: ['strange'] });
        routers.set('strange', { id: 'strange' } as Router);
        return true;
      },
    },
    peer: as ?? undefined,
    meet: async url => {
      met.push(url);
      return nodes.stranger as unknown as ClusterNode;
    },
  });
}

const own = { id: 'own' } as Router;

test('a destination is told with the Routers of its machine, and by a peer with its URL', () => {
  expect(options().describe(own)).toEqual({ routers: ['own', 'own too'], url: 'wss://here', load: 20 });
  expect(options().describe({ id: 'other' } as Router)).toMatchObject({ url: 'wss://there' });
  nodes.here = node(Array.from({ length: 1000 }, (_, index) => `own ${index}`));
  const { routers, url } = { ...options(null).describe({ id: 'own 5' } as Router) };
  expect([routers.length, routers[0], url]).toEqual([32, 'own 5', undefined]);
});

describe('the load of a place is', () => {
  test.each<[string, () => AskerOptions, number]>([
    ['that of its node', () => options(), 20],
    ['infinite, where its node is lost', () => ((nodes.there = node(['other'], { lost: true })), options()), Infinity],
    ['infinite, where media does not get here from there', () => options(peer, false), Infinity],
    ['full, where its node is drained', () => ((nodes.there = node(['other'], { draining: true })), options()), 60],
  ])('%s', (_what, make, expected) => {
    expect(make().loadOf(candidate('other'), own)).toBe(expected);
  });

  test('infinite on the own machine; what was told, where the place is not known', () => {
    const { loadOf } = options();
    expect(loadOf(candidate('own too'), own)).toBe(Infinity);
    expect(loadOf(candidate('strange', 'wss://stranger'), own)).toBe(7);
    expect(loadOf(candidate('strange'), own)).toBe(Infinity);
    expect(options(null).loadOf(candidate('strange', 'wss://stranger'), own)).toBe(Infinity);
  });

  test('infinite, where a place is named that has just been lost', () => {
    nodes.there = node([], { url: 'wss://there', isUsable: false });
    expect(options().loadOf(candidate('other', 'wss://there'), own)).toBe(Infinity);
  });
});

describe('the Router of a place', () => {
  test('is the one that is known, and no other is met for it', async () => {
    expect(await options().routerOf(candidate('other', 'wss://elsewhere'), own)).toEqual({ id: 'other' });
    expect(met).toEqual([]);
  });

  test('is found at its server, after connecting to that', async () => {
    let opened = 0;
    const open = async (): Promise<void> => {
      ++opened;
      Object.assign(nodes.stranger, { connected: true });
    };
    nodes.stranger = node([], { connected: false, open });
    expect(await options().routerOf(candidate('strange', 'wss://stranger'), own)).toEqual({ id: 'strange' });
    expect([met, found, opened]).toEqual([['wss://stranger'], [nodes.stranger], 1]);
  });

  test('is not had where the server can’t be connected to, is the own one, or no controller but a peer would meet it', async () => {
    nodes.stranger = node([], { connected: false, open: () => Promise.reject(new Error('nobody listens')) });
    await expect(options().routerOf(candidate('strange', 'wss://stranger'), own)).rejects.toThrow('nobody listens');
    met.splice(0);
    expect(await options().routerOf(candidate('strange', peer.url), own)).toBeUndefined();
    expect(await options(null).routerOf(candidate('strange', 'wss://stranger'), own)).toBeUndefined();
    expect(await options().routerOf(candidate('strange'), own)).toBeUndefined();
    expect(met).toEqual([]);
  });
});
