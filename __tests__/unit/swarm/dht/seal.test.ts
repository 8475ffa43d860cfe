/** Datagrams between peers of a group can be read and written by its members only, and each is taken once. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { MAX_AGE_MS, Seal, SEAL_BYTES } from '../../../../src/swarm/dht/seal.ts';

const key = randomBytes(32);
const datagram = Buffer.from('which peers hold the room?');

test('a datagram is opened by every member, once', () => {
  const sealed = new Seal([key]).close(datagram);
  expect(sealed).toHaveLength(datagram.length + SEAL_BYTES);
  const member = new Seal([key]);
  expect(member.open(sealed)).toEqual(datagram);
  expect(member.open(sealed)).toBeUndefined();
  expect(new Seal([key]).open(sealed)).toEqual(datagram);
});

test('a datagram of a stranger, a changed one and a short one are not opened', () => {
  const member = new Seal([key]);
  expect(member.open(new Seal([randomBytes(32)]).close(datagram))).toBeUndefined();
  expect(member.open(datagram)).toBeUndefined();
  expect(member.open(Buffer.alloc(0))).toBeUndefined();
  const sealed = member.close(datagram);
  for (let index = 0; index < sealed.length; ++index) {
    const changed = Buffer.from(sealed);
    changed[index]! ^= 1;
    expect(member.open(changed)).toBeUndefined();
  }
});

test('a key is replaced without an outage: members that know both keys read both', () => {
  const next = randomBytes(32);
  const [before, both, after] = [new Seal([key]), new Seal([next, key]), new Seal([next])];
  expect(both.open(before.close(datagram))).toEqual(datagram);
  expect(both.open(after.close(datagram))).toEqual(datagram);
  expect(after.open(both.close(datagram))).toEqual(datagram);
  expect(after.open(before.close(datagram))).toBeUndefined();
});

test('keys change while datagrams come and go', () => {
  const next = randomBytes(32);
  const [one, other] = [new Seal([key]), new Seal([key])];
  for (const keys of [[key, next], [next, key], [next]]) {
    one.keys = keys;
    expect(other.open(one.close(datagram))).toEqual(datagram);
    expect(one.open(other.close(datagram))).toEqual(datagram);
    other.keys = keys;
  }
  expect(one.open(new Seal([key]).close(datagram))).toBeUndefined();
});

test('an old datagram is not opened, nor a datagram of a clock that is far ahead', () => {
  const sealed = new Seal([key], () => 1_000_000).close(datagram);
  const at = (now: number): Buffer | undefined => new Seal([key], () => now).open(sealed);
  expect(at(1_000_000 + MAX_AGE_MS)).toEqual(datagram);
  expect(at(1_000_000 + MAX_AGE_MS + 1)).toBeUndefined();
  expect(at(1_000_000 - MAX_AGE_MS)).toEqual(datagram);
  expect(at(1_000_000 - MAX_AGE_MS - 1)).toBeUndefined();
});

test('a repeat is noticed for as long as it could be taken', () => {
  let now = 10 * MAX_AGE_MS - 1;
  const member = new Seal([key], () => now);
  const sealed = new Seal([key], () => now + MAX_AGE_MS).close(datagram);
  expect(member.open(sealed)).toEqual(datagram);
  for (; now < 12 * MAX_AGE_MS; now += MAX_AGE_MS / 10) expect(member.open(sealed)).toBeUndefined();
});
