/** A record is signed by its peer, for one target, for a limited time. */
import { expect, test } from '@jest/globals';
import {
  readRecord,
  RECORD_LIFETIME_MS,
  signRecord,
  splitRecords,
  targetOfRoom,
} from '../../../../src/swarm/dht/record.ts';
import { Identity } from '../../../../src/swarm/identity.ts';

const identity = new Identity();
const target = targetOfRoom('room');
const fingerprint = Array.from({ length: 32 }, () => 'A0').join(':');
const address = { host: '192.0.2.1', port: 4444 };
const peer = { url: 'wss://media-1.example:4444/', serverId: 'server', address, fingerprint };
const NOW = 1_800_000_000_000;

test('a record says which peer holds the room, and until when', () => {
  const bytes = signRecord(identity, target, peer, 60_000, NOW);
  expect(readRecord(target, bytes, NOW + 1)).toEqual({
    ...peer,
    peerId: identity.id,
    time: NOW,
    expires: NOW + 60_000,
    bytes,
  });
});

test('a record may have no fingerprint', () => {
  const bytes = signRecord(identity, target, { ...peer, fingerprint: undefined }, 60_000, NOW);
  expect(readRecord(target, bytes, NOW)).toMatchObject({ url: peer.url, fingerprint: undefined });
});

test('a record is for one target, and each byte of it counts', () => {
  const bytes = signRecord(identity, target, peer, 60_000, NOW);
  expect(readRecord(targetOfRoom('another'), bytes, NOW)).toBeUndefined();
  for (let index = 0; index < bytes.length; ++index) {
    const changed = Buffer.from(bytes);
    changed[index]! ^= 1;
    expect(readRecord(target, changed, NOW)).toBeUndefined();
  }
  for (let length = 0; length < bytes.length; ++length)
    expect(readRecord(target, bytes.subarray(0, length), NOW)).toBeUndefined();
});

test.each([
  ['for longer than records live', RECORD_LIFETIME_MS + 1000, NOW],
  ['from the future', 60_000, NOW + 61_000],
  ['that is over', 60_000, NOW - 121_001],
])('a record %s is not taken', (_what, lifetime, time) => {
  expect(readRecord(target, signRecord(identity, target, peer, lifetime, time), NOW)).toBeUndefined();
});

test.each(['ftp://media-1.example/', 'wss://', 'media-1', ''])('a record of the URL %p is not taken', url => {
  expect(readRecord(target, signRecord(identity, target, { ...peer, url }, 60_000, NOW), NOW)).toBeUndefined();
});

test('records that are sent together are told apart, and the rest is left', () => {
  const records = [new Identity(), new Identity()].map(other => signRecord(other, target, peer));
  expect([...splitRecords(Buffer.concat([...records, Buffer.from('rest')]))]).toEqual(records);
});

test('a URL that is too long is refused', () => {
  expect(() => signRecord(identity, target, { ...peer, url: `wss://${'a'.repeat(300)}` })).toThrow(RangeError);
});
