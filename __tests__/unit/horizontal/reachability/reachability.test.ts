/** What is made of the bytes at the ends of imaginary links. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ClusterNode } from '../../../../src/horizontal/clusterNode.ts';
import { Flow } from '../../../../src/horizontal/reachability/flow.ts';
import type { NodeLinkEnd } from '../../../../src/horizontal/reachability/linkTable.ts';
import { Reachability } from '../../../../src/horizontal/reachability/reachability.ts';
import { until } from '../../../helpers/until.ts';

type End = NodeLinkEnd<ClusterNode>;

class ImaginaryEnd {
  sent = 0;
  received = 0;
  asked = 0;
  readonly node: ClusterNode;
  readonly routerId: string;
  isSending = true;
  readonly transport;

  constructor(node: ClusterNode, routerId: string) {
    this.node = node;
    this.routerId = routerId;
    this.transport = {
      closed: false,
      sctpParameters: undefined,
      getStats: async () => {
        ++this.asked;
        return [{ bytesSent: this.sent, bytesReceived: this.received }];
      },
      close() {
        this.closed = true;
      },
    };
  }

  get treeNode(): unknown {
    return { children: this.isSending ? [{ type: 'consumer', object: { paused: false, producerPaused: false } }] : [] };
  }
}

function node(id: string): ClusterNode {
  return { id, connected: true, unreachable: false, lost: false } as ClusterNode;
}

let told: string[];
let links: { onAdd: (() => void) | undefined; size: number; pairs: () => Iterable<[End, End]> };
let ends: [ImaginaryEnd, ImaginaryEnd][];
let reachability: Reachability;
let heals: boolean;
let probes: number;
const [a, b, c] = [node('a'), node('b'), node('c')];

function link(one: ClusterNode, other: ClusterNode): [ImaginaryEnd, ImaginaryEnd] {
  const pair: [ImaginaryEnd, ImaginaryEnd] = [
    new ImaginaryEnd(one, `of ${one.id}`),
    new ImaginaryEnd(other, `of ${other.id}`),
  ];
  ends.push(pair);
  return pair;
}

/** What an end sends arrives at the other, or does not. */
function flow(from: ImaginaryEnd, to: ImaginaryEnd, arrives = true): void {
  from.sent += 100;
  if (arrives) to.received += 100;
}

beforeEach(() => {
  [told, ends, heals, probes] = [[], [], false, 0];
  links = {
    onAdd: undefined,
    size: 2,
    pairs: () => ends.filter(([{ transport }]) => !transport.closed) as unknown as [End, End][],
  };
  reachability = new Reachability({
    links,
    probe: async () => {
      ++probes;
      return heals;
    },
    onDown: ({ from, to }) => told.push(`${from.id} → ${to.id} down`),
    onUp: ({ from, to }) => told.push(`${from.id} → ${to.id} up`),
  });
});

afterEach(() => reachability.close());

test('what arrives is well, whichever way, and also what is silent', async () => {
  const [near, far] = link(a, b);
  for (let round = 0; round < 5; ++round) {
    flow(near, far);
    await reachability.sample();
  }
  for (let round = 0; round < 5; ++round) await reachability.sample();
  expect([told, near.transport.closed, reachability.isDown(a, b)]).toEqual([[], false, false]);
});

test.each([
  ['there', 'a → b'],
  ['back', 'b → a'],
])('where nothing arrives (%s), all links between the two close, and no others', async (direction, what) => {
  const [near, far] = link(a, b);
  const others = [link(b, a), link(a, c)];
  for (let round = 0; round < 3; ++round) {
    flow(near, far, direction !== 'there');
    flow(far, near, direction !== 'back');
    flow(...others[1]!);
    await reachability.sample();
  }
  expect(told).toEqual([`${what} down`]);
  expect([[near, far], ...others].flat().map(({ transport }) => transport.closed)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect([reachability.isDown(b, a), reachability.isDown(a, c), reachability.down.length]).toEqual([true, false, 1]);
});

test('a link whose pipes sleep is not asked; if it has died meanwhile that is noticed when one of them is woken', async () => {
  const [near, far] = link(a, b);
  flow(near, far);
  await reachability.sample();
  for (const end of [near, far]) end.isSending = false;
  for (let round = 0; round < 5; ++round) {
    // Reports that one of the ends sends nevertheless, and that the network swallows.
    flow(near, far, false);
    await reachability.sample();
  }
  expect([told, near.asked, far.asked]).toEqual([[], 1, 1]);
  near.isSending = true;
  for (let round = 0; round < 2; ++round) {
    flow(near, far, false);
    await reachability.sample();
  }
  expect(told).toEqual(['a → b down']);
});

test('one packet on its way, or one answer that is late, is nothing', async () => {
  const [near, far] = link(a, b);
  for (let round = 0; round < 6; ++round) {
    flow(near, far, round % 2 === 0);
    await reachability.sample();
  }
  expect(told).toEqual([]);
});

test('it is tried again until it has healed', async () => {
  const [near, far] = link(a, b);
  for (let round = 0; round < 2; ++round) {
    flow(near, far, false);
    await reachability.sample();
  }
  await until('it is tried', () => probes > 0);
  expect(reachability.isDown(a, b)).toBe(true);
  heals = true;
  await until('it is up', () => told.at(-1) === 'a → b up');
  expect(reachability.isDown(a, b)).toBe(false);
});

test('nodes that can’t be asked are not, nor are links on which nothing is', async () => {
  const unheard = { ...node('d'), unreachable: true } as ClusterNode;
  const silent = link(a, unheard);
  const unused = link(a, c);
  for (const end of unused) end.isSending = false;
  await reachability.sample();
  expect([...silent, ...unused].map(({ asked }) => asked)).toEqual([0, 0, 0, 0]);
});

test('of many links between two nodes a few are asked', async () => {
  for (let count = 0; count < 20; ++count) link(a, b);
  await reachability.sample();
  expect(ends.flat().filter(({ asked }) => asked > 0)).toHaveLength(4);
});

test('a node that is none of ours any more is forgotten', async () => {
  const [near, far] = link(a, b);
  for (let round = 0; round < 2; ++round) {
    flow(near, far, false);
    await reachability.sample();
  }
  reachability.forget(b);
  expect([reachability.down, reachability.isDown(a, b)]).toEqual([[], false]);
});

test('a Flow counts from the first packet of a link on', () => {
  const flowing = new Flow();
  expect(flowing.observe({ sent: 50, received: 0 }, { sent: 0, received: 0 })).toBeUndefined();
  expect(flowing.observe({ sent: 100, received: 0 }, { sent: 0, received: 0 })).toBe('there');
  expect(flowing.observe({ sent: 150, received: 0 }, { sent: 0, received: 10 })).toBeUndefined();
});
