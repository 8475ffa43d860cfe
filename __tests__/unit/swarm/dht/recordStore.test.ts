/** The records that a peer keeps for others are bounded, and newer ones replace older ones. */
import { expect, test } from '@jest/globals';
import type { SwarmRecord } from '../../../../src/swarm/dht/record.ts';
import { RecordStore } from '../../../../src/swarm/dht/recordStore.ts';

function record(peerId: string, time: number, lifetime = 1000): SwarmRecord {
  return {
    peerId,
    url: `wss://${peerId}/`,
    serverId: peerId,
    address: { host: '192.0.2.1', port: 1 },
    time,
    expires: time + lifetime,
    bytes: Buffer.alloc(0),
  };
}

test('the newer record of a peer is kept, and a record that takes it back', () => {
  const store = new RecordStore(() => 50);
  expect(store.add('room', record('peer', 10))).toBe(true);
  expect(store.add('room', record('peer', 9))).toBe(false);
  expect(store.add('room', record('peer', 10))).toBe(false);
  expect(store.add('room', record('peer', 20))).toBe(true);
  expect(store.of('room').map(({ time }) => time)).toEqual([20]);
  expect(store.add('room', record('peer', 30, 0))).toBe(true);
  expect(store.of('room')).toEqual([]);
  expect(store.add('room', record('peer', 20))).toBe(false);
  expect(store.size).toBe(1);
});

test('records that are over are not found, and are forgotten', () => {
  let now = 0;
  const store = new RecordStore(() => now);
  store.add('room', record('peer', 0, 120_000));
  store.add('room', record('brief', 0, 1000));
  now = 61_000;
  expect(store.of('room').map(({ peerId }) => peerId)).toEqual(['peer']);
  store.sweep();
  expect(store.size).toBe(1);
  now = 121_000;
  store.sweep();
  expect(store.size).toBe(0);
  expect(store.of('room')).toEqual([]);
});

test('a target has no more than a hundred peers, a peer no more than ten thousand targets', () => {
  const store = new RecordStore(() => 0);
  const taken = Array.from({ length: 101 }, (_, index) => store.add('room', record(`peer ${index}`, 1)));
  expect(taken.filter(Boolean)).toHaveLength(100);
  expect(taken.at(-1)).toBe(false);
  expect(store.add('room', record('peer 5', 2))).toBe(true);
  const targets = Array.from({ length: 10_001 }, (_, index) => store.add(`room ${index}`, record('busy', 1)));
  expect(targets.filter(Boolean)).toHaveLength(10_000);
});
