import { beforeEach, expect, test } from '@jest/globals';
import { SILENT_MS } from '../../../../src/piping/links/leftLinks.ts';
import type { Member } from '../../../../src/remote/server/exportedObject.ts';
import { LostLinks } from '../../../../src/remote/server/lostLinks.ts';

const link = { routerId: 'here', remoteRouterId: 'there' };

class Client implements Member {
  connected = true;
  send(): void {}
  count(): void {}
}

let time: number;
let lostLinks: LostLinks;
let one: Client;
let other: Client;
let all: Set<Client>;

beforeEach(() => {
  time = 0;
  lostLinks = new LostLinks(() => time);
  [one, other] = [new Client(), new Client()];
  all = new Set([one, other]);
});

test('a link is left when all clients have said so', () => {
  expect(lostLinks.add(one, link, all)).toEqual({ isLast: false, isDead: false });
  expect(lostLinks.add(one, { ...link, remoteRouterId: 'elsewhere' }, all)).toEqual({ isLast: false, isDead: false });
  expect(lostLinks.add(other, link, all)).toEqual({ isLast: true, isDead: true });
  // It was opened again.
  expect(lostLinks.add(other, link, all)).toEqual({ isLast: false, isDead: false });
});

test('a client that is away does not keep a dead end: it may be the dead one itself', () => {
  other.connected = false;
  expect(lostLinks.add(one, link, all)).toEqual({ isLast: false, isDead: true });
});

test('a client that goes later does not keep it either', () => {
  lostLinks.add(one, link, all);
  expect(lostLinks.lost(all)).toEqual([]);
  other.connected = false;
  expect(lostLinks.lost(all)).toEqual([link]);
  one.connected = false;
  expect(lostLinks.lost(all)).toEqual([]);
  one.connected = true;
  all.delete(one);
  lostLinks.forget(one);
  expect(lostLinks.lost(all)).toEqual([]);
});

test('an old word counts no longer: the link is open still, so packets have refuted it', () => {
  lostLinks.add(one, link, all);
  time = SILENT_MS;
  expect(lostLinks.add(other, link, all)).toEqual({ isLast: false, isDead: false });
  other.connected = false;
  expect(lostLinks.lost(all)).toEqual([]);
});
