import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { RoomWatch } from '../../../src/horizontal/directory/directory.ts';
import type { ClusterNode } from '../../../src/horizontal/clusterNode.ts';
import { Holders } from '../../../src/horizontal/holders.ts';
import { NodePool } from '../../../src/horizontal/nodePool.ts';
import { concentrate } from '../../../src/placement/strategies.ts';
import { ImaginaryNode } from '../../helpers/imaginaryNode.ts';

class Watch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  urls: ReadonlySet<string> = new Set();
  known = Promise.resolve(true);
  closed = false;

  name(...urls: string[]): void {
    this.urls = new Set(urls);
    this.emit('change');
  }

  close(): void {
    this.closed = true;
  }
}

/** Has answered, and may lack holders nevertheless. */
class DoubtfulWatch extends Watch {
  isComplete = false;

  async refresh(): Promise<boolean> {
    return this.isComplete;
  }
}

let pool: NodePool;
let watch: Watch;
let holders: Holders;
let attached: Set<string>;
/** Nodes that were asked, and how. */
let asked: string[];
let answer: (node: ClusterNode, ask: boolean) => Promise<boolean>;
let errors: Error[];

beforeEach(() => {
  jest.useFakeTimers();
  pool = new NodePool(concentrate, 66, () => 0);
  for (const name of ['a', 'b', 'c']) pool.add(new ImaginaryNode(`ws://${name}`).connect(name).mafalda, false);
  pool.add(new ImaginaryNode('ws://away').mafalda, false);
  watch = new Watch();
  attached = new Set();
  asked = [];
  errors = [];
  answer = async node => attached.add(node.id).size > 0;
  holders = new Holders({
    nodes: pool,
    directory: { watch: () => watch },
    roomId: 'room',
    isAttached: node => attached.has(node.id),
    attach: (node, ask) => {
      asked.push(`${node.id}${ask ? '?' : ''}`);
      return answer(node, ask);
    },
    onError: error => errors.push(error),
  });
  // A node that does not answer at all is settled in the end.
  jest.advanceTimersByTime(3000);
});

afterEach(() => {
  holders.close();
  pool.close();
  jest.useRealTimers();
});

test('only nodes that the directory names are attached to, once each, and only from the first use on', async () => {
  watch.urls = new Set(['ws://a', 'ws://away', 'ws://unknown']);
  expect(asked).toEqual([]);
  await holders.agree();
  watch.name('ws://a', 'ws://b');
  watch.name('ws://b');
  await holders.attached();
  await holders.agree();
  expect(asked).toEqual(['ws://a', 'ws://b']);
  const [a, b] = [pool.findOrThrow('ws://a'), pool.findOrThrow('ws://b')];
  expect([holders.isNamed(a), holders.isNamed(b)]).toEqual([false, true]);
});

test('the first use waits for what the directory knows, and later ones don’t', async () => {
  let tell!: () => void;
  watch.known = new Promise(resolve => (tell = () => resolve(true)));
  let isAgreed = false;
  const agreed = holders.agree().then(() => (isAgreed = true));
  await jest.advanceTimersByTimeAsync(100);
  expect(isAgreed).toBe(false);
  watch.name('ws://c');
  tell();
  await agreed;
  expect(asked).toEqual(['ws://c']);
  watch.known = new Promise(() => undefined);
  await holders.agree();
});

test('not all is reported while the directory says that it may lack holders, whatever it has answered before', async () => {
  pool.delete(pool.findOrThrow('ws://away'));
  const doubtful = new DoubtfulWatch();
  watch = doubtful;
  await holders.agree();
  expect(await holders.ask()).toBe(false);
  doubtful.isComplete = true;
  expect(await holders.ask()).toBe(true);
});

test('a directory or a node that does not answer is waited for in bounds', async () => {
  watch.known = new Promise(() => undefined);
  watch.urls = new Set(['ws://a']);
  answer = () => new Promise(() => undefined);
  let isAgreed = false;
  void holders.agree().then(() => (isAgreed = true));
  await jest.advanceTimersByTimeAsync(10_000);
  expect(isAgreed).toBe(true);
});

test('the first use fails if a node has the room with other options, and is tried anew the next time', async () => {
  watch.urls = new Set(['ws://a']);
  answer = async () => {
    throw new TypeError('different');
  };
  await expect(holders.agree()).rejects.toThrow('different');
  expect(errors.map(({ message }) => message)).toEqual(['different']);
  answer = async node => attached.add(node.id).size > 0;
  await holders.agree();
  expect(asked).toEqual(['ws://a', 'ws://a']);
});

test('any other failure of a node is reported, and does not fail the use', async () => {
  watch.urls = new Set(['ws://a']);
  answer = async () => {
    throw new Error('full');
  };
  await holders.agree();
  expect(errors.map(({ message }) => message)).toEqual(['full']);
});

test('a question goes to all connected nodes; those who come while it is on its way share the next one', async () => {
  const answers: (() => void)[] = [];
  answer = () => new Promise(resolve => answers.push(() => resolve(true)));
  const first = holders.ask();
  const others = [holders.ask(), holders.ask(), holders.ask()];
  expect(asked.splice(0)).toEqual(['ws://a?', 'ws://b?', 'ws://c?']);
  for (const resolve of answers.splice(0)) resolve();
  // A node is not connected.
  expect(await first).toBe(false);
  await jest.advanceTimersByTimeAsync(0);
  expect(asked.splice(0)).toEqual(['ws://a?', 'ws://b?', 'ws://c?']);
  for (const resolve of answers.splice(0)) resolve();
  await Promise.all(others);
  expect(asked).toEqual([]);
  // Of a question without answers nobody waits longer than that.
  const last = holders.ask();
  await jest.advanceTimersByTimeAsync(2000);
  await last;
});

test('a node that is connected is attached to if the directory names it, or there is another reason', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map(name => pool.findOrThrow(`ws://${name}`));
  holders.nodeConnected(a!, true);
  expect(asked).toEqual([]);
  watch.urls = new Set(['ws://b']);
  holders.use();
  await holders.attached();
  asked.length = 0;
  holders.nodeConnected(a!, true);
  holders.nodeConnected(b!, false);
  holders.nodeConnected(c!, false);
  expect(asked).toEqual(['ws://a']);
  holders.close();
  expect(watch.closed).toBe(true);
});

test('a node that is lost is attached to again when it can be, as long as the directory names it', async () => {
  const [a, b] = ['a', 'b'].map(name => pool.findOrThrow(`ws://${name}`));
  watch.urls = new Set(['ws://a', 'ws://b']);
  await holders.agree();
  asked.length = 0;
  for (const node of [a!, b!]) {
    node.connected = false;
    attached.delete(node.id);
    holders.nodeLost(node);
  }
  await jest.advanceTimersByTimeAsync(30_000);
  expect(asked).toEqual([]);
  watch.urls = new Set(['ws://a']);
  watch.emit('change');
  for (const node of [a!, b!]) node.connected = true;
  await jest.advanceTimersByTimeAsync(10_000);
  expect(asked).toEqual(['ws://a']);
  expect(jest.getTimerCount()).toBe(0);
});
