/** A peer knows some of the others, which change as they come and go. */
import { expect, test } from '@jest/globals';
import type { NodeRecord } from '../../../../src/horizontal/directory/directory.ts';
import type { PeerStatus } from '../../../../src/swarm/dht/status.ts';
import { Sample, type Claimed } from '../../../../src/swarm/directory/sample.ts';

const address = (port: number): { host: string; port: number } => ({ host: '192.0.2.1', port });
const record = (name: string, load = 1): NodeRecord => ({
  url: `wss://${name}.example/`,
  serverId: name,
  labels: {},
  load,
  draining: false,
});

/** Answer of a peer whose name is its id. */
const says = (peerId: string, servers: readonly NodeRecord[]): PeerStatus => ({
  peerId,
  fingerprint: undefined,
  servers,
});
/** A record of the DHT. */
const holds = (name: string, serverId = name): Claimed => ({
  url: record(name).url,
  serverId,
  peerId: name,
  address: address(1),
  fingerprint: undefined,
});

function sampleWithLog(): { sample: Sample; log: string[] } {
  const log: string[] = [];
  const sample = new Sample({
    onNode: ({ url, load }) => void log.push(`${url} ${load}`),
    onGone: url => void log.push(`${url} gone`),
  });
  return { sample, log };
}

test('a peer is known by its latest answer', () => {
  const { sample, log } = sampleWithLog();
  sample.note(address(1), says('peer', [record('a'), record('b')]));
  sample.note(address(1), says('peer', [record('a', 2)]));
  sample.note(address(1), says('peer', []));
  expect(log).toEqual([
    'wss://a.example/ 1',
    'wss://b.example/ 1',
    'wss://a.example/ 2',
    'wss://b.example/ gone',
    'wss://a.example/ gone',
  ]);
  expect(sample.nodes.size).toBe(0);
  expect(sample.addresses).toEqual([]);
});

test('a peer that is silent three times is left out, and an answer between counts', () => {
  const { sample, log } = sampleWithLog();
  sample.note(address(1), says('peer', [record('a')]));
  for (const answer of [undefined, undefined, says('peer', [record('a')]), undefined, undefined])
    sample.note(address(1), answer);
  expect(sample.nodes.size).toBe(1);
  sample.note(address(1), undefined);
  expect(sample.nodes.size).toBe(0);
  expect(log.at(-1)).toBe('wss://a.example/ gone');
  sample.note(address(2), undefined);
  expect(sample.addresses).toEqual([]);
});

test('a new peer takes the place of the one that has been known longest', () => {
  const { sample } = sampleWithLog();
  for (let port = 1; port <= 20; ++port) sample.note(address(port), says('peer', [record(`peer-${port}`)]));
  expect(sample.addresses.map(({ port }) => port)).toEqual(Array.from({ length: 16 }, (_, index) => index + 5));
  expect(sample.nodes.size).toBe(16);
});

test('a server that two peers claim is known as long as either does', () => {
  const { sample, log } = sampleWithLog();
  sample.note(address(1), says('peer', [record('a')]));
  sample.note(address(2), says('peer', [record('a')]));
  sample.note(address(1), says('peer', []));
  expect(sample.nodes.size).toBe(1);
  sample.note(address(2), says('peer', []));
  expect(log.at(-1)).toBe('wss://a.example/ gone');
});

test('a server that holds a room is known as long as it does, with its load once it has told it', () => {
  const { sample, log } = sampleWithLog();
  const { url } = record('a');
  sample.pin(holds('a'));
  sample.pin(holds('a'));
  sample.note(address(1), says('a', [record('a', 5)]));
  sample.note(address(1), says('peer', []));
  sample.unpin(url);
  expect(log).toEqual(['wss://a.example/ 100', 'wss://a.example/ 5']);
  sample.pin(holds('a', 'its successor'));
  expect(log.at(-1)).toBe('wss://a.example/ 100');
  sample.unpin(url);
  sample.unpin(url);
  expect(log.at(-1)).toBe('wss://a.example/ gone');
  expect(sample.nodes.size).toBe(0);
});

test('a server that holds a room is gone when its peer is silent, and back when that answers', () => {
  const { sample, log } = sampleWithLog();
  sample.pin(holds('a'));
  sample.note(address(1), says('a', [record('a')]));
  for (let silences = 0; silences < 3; ++silences) sample.note(address(1), undefined);
  expect(log.at(-1)).toBe('wss://a.example/ gone');
  expect(sample.lost).toEqual([address(1)]);
  sample.note(address(1), says('a', [record('a', 2)]));
  expect(log.at(-1)).toBe('wss://a.example/ 2');
  expect(sample.lost).toEqual([]);
  sample.unpin(record('a').url);
  expect(sample.nodes.size).toBe(1);
});

test('a server that holds a room is gone when its peer has never answered, and back when it does', () => {
  const { sample, log } = sampleWithLog();
  sample.pin(holds('a'));
  sample.lose(address(1));
  expect(log).toEqual(['wss://a.example/ 100', 'wss://a.example/ gone']);
  // Another room of the same server, and a later record.
  sample.pin(holds('a'));
  sample.pin(holds('a', 'its successor'));
  expect(sample.nodes.size).toBe(0);
  sample.note(address(1), undefined);
  expect(sample.lost).toEqual([address(1)]);
  sample.note(address(1), says('a', [record('a', 3)]));
  expect(log.at(-1)).toBe('wss://a.example/ 3');
  expect(sample.lost).toEqual([]);
});

test('of the peers that were silent, those come first that were asked longest ago', () => {
  const { sample } = sampleWithLog();
  for (const port of [1, 2, 3]) sample.lose(address(port));
  sample.note(address(1), undefined);
  expect(sample.lost).toEqual([address(2), address(3), address(1)]);
});

test('a URL stays with the peer that was known with it first, as long as that is known', () => {
  const { sample, log } = sampleWithLog();
  const thief = { host: '192.0.2.66', port: 1 };
  const { url } = record('a');
  sample.note(address(1), says('owner', [record('a')]));
  sample.note(thief, says('thief', [record('a', 0), record('b')]));
  sample.pin({ ...holds('a'), peerId: 'thief', address: thief });
  expect(sample.ownerOf(url)).toMatchObject({ peerId: 'owner' });
  expect(sample.nodes.get(url)).toEqual(record('a'));
  sample.unpin(url);
  expect(log).toEqual([`${url} 1`, `${record('b').url} 1`]);
  // The owner has restarted, and was given no identity.
  sample.note(address(1), says('its successor', [record('a', 3)]));
  expect(sample.ownerOf(url)).toMatchObject({ peerId: 'its successor' });
  sample.note(address(1), says('its successor', []));
  sample.note(thief, says('thief', [record('a')]));
  expect(sample.ownerOf(url)).toMatchObject({ peerId: 'thief' });
});

test('peers that are not trusted any more are forgotten, and still known by their URLs', () => {
  const { sample, log } = sampleWithLog();
  sample.note(address(1), says('good', [record('a')]));
  sample.note(address(2), says('bad', [record('b')]));
  sample.dropUntrusted(peerId => peerId !== 'bad');
  expect(log.at(-1)).toBe('wss://b.example/ gone');
  expect([...sample.nodes.keys()]).toEqual(['wss://a.example/']);
  expect(sample.ownerOf('wss://b.example/')).toMatchObject({ peerId: 'bad' });
});
