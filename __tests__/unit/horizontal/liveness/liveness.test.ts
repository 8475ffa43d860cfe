/** What a controller makes of the silence of imaginary nodes, on a clock of the test's own. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Liveness } from '../../../../src/horizontal/liveness/liveness.ts';
import { NodePool } from '../../../../src/horizontal/nodePool.ts';
import { concentrate } from '../../../../src/placement/strategies.ts';
import type { ServerSigns } from '../../../../src/remote/index.ts';
import { ImaginaryNode } from '../../../helpers/imaginaryNode.ts';

const TIMEOUT_MS = 3000;

let time: number;
let told: string[];
let pool: NodePool;
let liveness: Liveness;
/** Nodes from which others get packets. */
let proven: Set<string>;

class Watched extends ImaginaryNode {
  /** Answers when it is asked, and tells its load each second. */
  answers = true;
  heardAt = 0;
  readonly signs: ServerSigns;

  constructor(url: string) {
    super(url);
    const hasSession = (): boolean => this.readyState === 4 || this.readyState === 0;
    const silentFor = (): number => time - this.heardAt;
    this.signs = {
      get hasSession() {
        return hasSession();
      },
      get silentFor() {
        return silentFor();
      },
      nobodyListens: false,
      ask: () => void (this.answers && (this.heardAt = time)),
      reconnect: () => {
        told.push(`${url} reconnects`);
        this.readyState = 0;
        this.emit('disconnected', 'no sign of life');
      },
      giveUp: () => {
        told.push(`${url} is given up`);
        this.readyState = 3;
        this.emit('lost');
      },
    };
  }

  comesBack(): void {
    this.answers = true;
    this.heardAt = time;
    this.connect(`server of ${this.url}`);
  }
}

function add(url: string, owned = true): Watched {
  const node = new Watched(url);
  pool.add(node.mafalda, owned);
  node.comesBack();
  return node;
}

/** Lets time pass, in which those that answer report, and looks whenever that is due. */
function pass(ms: number): void {
  const end = time + ms;
  let due = time;
  while (time < end) {
    time += 50;
    for (const { mafalda } of pool) {
      const node = mafalda as unknown as Watched;
      if (node.answers && time % 1000 === 0) node.heardAt = time;
    }
    if (time >= due) due = time + (liveness.step() ?? Infinity);
  }
}

beforeEach(() => {
  [time, told, proven] = [0, [], new Set()];
  pool = new NodePool(concentrate, 66, () => time);
  liveness = new Liveness({
    nodes: pool,
    evidence: {
      ask: () => undefined,
      forget: () => undefined,
      provenFor: ({ id }) => (proven.has(id) ? 300 : Infinity),
    },
    timeout: TIMEOUT_MS,
    now: () => time,
    onUnreachable: ({ id }) => told.push(`${id} unreachable`),
    onReachable: ({ id }) => told.push(`${id} reachable`),
  });
  pool.on('connected', node => liveness.nodeConnected(node));
  pool.on('lost', node => liveness.unwatch(node));
});

afterEach(() => liveness.close());

test('nodes that report are left alone', () => {
  for (const url of ['a', 'b', 'c']) add(url);
  pass(60_000);
  expect(told).toEqual([]);
});

test('one that reports rarely is asked, and answers', () => {
  const [a] = [add('a'), add('b')];
  a.report = (): void => undefined;
  pass(20_000);
  expect(told).toEqual([]);
});

test('one that is silent while others answer is given up, when its time is over', () => {
  const [a] = [add('a'), add('b')];
  a.answers = false;
  pass(TIMEOUT_MS - 100);
  expect(told).toEqual([]);
  pass(300);
  expect(told).toEqual(['a is given up']);
});

test('one of which others get packets is unreachable, until they don’t', () => {
  const [a] = [add('a'), add('b')];
  a.answers = false;
  proven.add('a');
  pass(10_000);
  expect(told).toEqual(['a reconnects', 'a unreachable']);
  proven.clear();
  pass(1000);
  expect(told.slice(2)).toEqual(['a is given up']);
});

test('one that is heard again is reachable', () => {
  const [a] = [add('a'), add('b')];
  a.answers = false;
  proven.add('a');
  pass(10_000);
  a.comesBack();
  proven.clear();
  pass(10_000);
  expect(told).toEqual(['a reconnects', 'a unreachable', 'a reachable']);
});

test('where all fall silent it is our own network: nobody is given up, also not those that come back a moment later', () => {
  const nodes = ['a', 'b', 'c'].map(url => add(url));
  pass(700);
  for (const node of nodes) node.answers = false;
  pass(10_000);
  expect(told.filter(what => what.endsWith('unreachable'))).toHaveLength(3);
  nodes[0]!.comesBack();
  pass(2500);
  for (const node of nodes.slice(1)) node.comesBack();
  pass(5000);
  expect(told.filter(what => what.endsWith(' reachable'))).toHaveLength(3);
  expect(told.filter(what => what.endsWith('given up'))).toEqual([]);
});

test('and one that does not come back with the others is given up', () => {
  const nodes = ['a', 'b', 'c'].map(url => add(url));
  for (const node of nodes) node.answers = false;
  pass(10_000);
  for (const node of nodes.slice(1)) node.comesBack();
  pass(5000);
  expect(told.filter(what => what.endsWith('given up'))).toEqual(['a is given up']);
});

test('a process that has slept blames nobody for the silence', () => {
  const [a] = [add('a'), add('b')];
  pass(1000);
  time += 30_000;
  liveness.step();
  expect(told).toEqual([]);
  a.heardAt = time;
  pass(10_000);
  expect(told).toEqual([]);
});

test('clients of others are marked, and not given up', () => {
  const [a] = [add('a', false), add('b')];
  a.answers = false;
  pass(10_000);
  expect(told).toEqual(['a reconnects', 'a unreachable']);
});
