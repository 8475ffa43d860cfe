import { expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import type { PoolRequest } from '../../../src/horizontal/nodeChoice.ts';
import { NodePool } from '../../../src/horizontal/nodePool.ts';
import type { FullCall } from '../../../src/index.ts';
import { concentrate } from '../../../src/placement/strategies.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { ImaginaryNode } from '../../helpers/imaginaryNode.ts';

const opened = closingAfterEach();
const WATERMARK = 66;

const request: PoolRequest = {
  mafaldaRouterId: 'room',
  isUsed: () => false,
  countNear: () => new Map(),
  assertOpen: () => undefined,
};

let now = 0;

function poolOf(...loads: number[]): { pool: NodePool; add: (load: number) => void } {
  const pool = opened(new NodePool(concentrate, WATERMARK, () => now));
  const add = (load: number): void => {
    const node = new ImaginaryNode(`wss://node-${pool.size + 1}`).connect(`server ${pool.size + 1}`);
    pool.add(node.mafalda, false);
    node.report(load);
  };
  for (const load of loads) add(load);
  return { pool, add };
}

function place(pool: NodePool, placement = {}): Promise<string> {
  return pool.place(request, placement, async ({ id }) => id);
}

test('it is not asked while a node has room, nor where a node is named', async () => {
  const { pool } = poolOf(80, 65);
  pool.whenFull = () => Promise.reject(new Error('it must not be asked'));
  expect(await place(pool)).toBe('wss://node-2');
  const full = poolOf(80).pool;
  full.whenFull = pool.whenFull;
  expect(await place(full, { node: 'wss://node-1' })).toBe('wss://node-1');
});

test('with nothing to wait for a call takes what there is', async () => {
  const { pool } = poolOf(80, 90);
  expect(await place(pool)).toBe('wss://node-1');
  const calls: FullCall[] = [];
  pool.whenFull = async call => {
    calls.push(call);
    return false;
  };
  expect(await place(pool, { region: 'eu' })).toBe('wss://node-1');
  expect(calls).toEqual([{ region: 'eu', waited: 0 }]);
  const { pool: empty } = poolOf();
  empty.whenFull = pool.whenFull;
  await expect(place(empty)).rejects.toThrow('none of the 0 nodes is connected');
});

test('calls that look again see what those before them have taken', async () => {
  const { pool, add } = poolOf(80);
  let look!: (again: boolean) => void;
  const looked = new Promise<boolean>(resolve => (look = resolve));
  const waits: number[] = [];
  pool.whenFull = ({ waited }) => {
    waits.push(waited);
    return waited === 0 ? looked : Promise.resolve(false);
  };
  const calls = Array.from({ length: 5 }, () => place(pool));
  await setImmediate();
  // Two calls take it to the watermark: each counts for 2 % of a core, of which it has two.
  add(64.5);
  now += 1000;
  look(true);
  const places = await Promise.all(calls);
  expect(places.filter(place => place === 'wss://node-2')).toHaveLength(2 + 3);
  expect(waits).toEqual([0, 0, 0, 0, 0, 1000, 1000, 1000]);
});
