/** The records that a peer keeps for others are bounded, and newer ones replace older ones. */
import { expect, test } from '@jest/globals';
import type { SwarmRecord } from '../../../../src/swarm/dht/record.ts';
import { RecordStore } from '../../../../src/swarm/dht/recordStore.ts';

const sender = '192.0.2.1';

function record(peerId: string, time: number, lifetime = 1000): SwarmRecord {
  return {
    peerId,
    url: `wss://${peerId}/`,
    serverId: peerId,
    address: { host: '192.0.2.1', port: 1 },
    fingerprint: undefined,
    time,
    expires: time + lifetime,
    bytes: Buffer.alloc(0),
  };
}

test('the newer record of a peer is kept, and a record that takes it back', () => {
  const store = new RecordStore(() => 50);
  expect(store.add('room', record('peer', 10), sender)).toBe(true);
  expect(store.add('room', record('peer', 9), sender)).toBe(false);
  expect(store.add('room', record('peer', 10), sender)).toBe(false);
  expect(store.add('room', record('peer', 20), sender)).toBe(true);
  expect(store.of('room').map(({ time }) => time)).toEqual([20]);
  expect(store.add('room', record('peer', 30, 0), sender)).toBe(true);
  expect(store.of('room')).toEqual([]);
  expect(store.add('room', record('peer', 20), sender)).toBe(false);
  expect(store.size).toBe(1);
});

test('records that are over are not found, and are forgotten', () => {
  let now = 0;
  const store = new RecordStore(() => now);
  store.add('room', record('peer', 0, 120_000), sender);
  store.add('room', record('brief', 0, 1000), sender);
  now = 61_000;
  expect(store.of('room').map(({ peerId }) => peerId)).toEqual(['peer']);
  store.sweep();
  expect(store.size).toBe(1);
  now = 121_000;
  store.sweep();
  expect(store.size).toBe(0);
  expect(store.of('room')).toEqual([]);
});

test('a target has no more than a hundred peers, and a sender half of them', () => {
  const store = new RecordStore(() => 0);
  const fill = (sender: string): number =>
    Array.from({ length: 101 }, (_, index) => store.add('room', record(`${sender} ${index}`, 1), sender)).filter(
      Boolean,
    ).length;
  expect(fill('192.0.2.1')).toBe(50);
  expect(fill('192.0.2.2')).toBe(50);
  expect(fill('192.0.2.3')).toBe(0);
  expect(store.add('room', record('192.0.2.1 5', 2), '192.0.2.1')).toBe(true);
});

test('a sender has no more than ten thousand records, whatever names it gives itself', () => {
  const store = new RecordStore(() => 0);
  const add = (index: number, sender: string): boolean =>
    store.add(`room ${index}`, record(`peer ${index}`, 1), sender);
  const taken = Array.from({ length: 10_001 }, (_, index) => add(index, '192.0.2.1'));
  expect(taken.filter(Boolean)).toHaveLength(10_000);
  expect(add(20_000, '192.0.2.2')).toBe(true);
});
