/** A peer knows some of the others, which change as they come and go. */
import { expect, test } from '@jest/globals';
import type { NodeRecord } from '../../../../src/horizontal/directory/directory.ts';
import { Sample } from '../../../../src/swarm/directory/sample.ts';

const address = (port: number): { host: string; port: number } => ({ host: '192.0.2.1', port });
const record = (name: string, load = 1): NodeRecord => ({
  url: `wss://${name}.example/`,
  serverId: name,
  labels: {},
  load,
  draining: false,
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
  sample.note(address(1), [record('a'), record('b')]);
  sample.note(address(1), [record('a', 2)]);
  sample.note(address(1), []);
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
  sample.note(address(1), [record('a')]);
  for (const answer of [undefined, undefined, [record('a')], undefined, undefined]) sample.note(address(1), answer);
  expect(sample.nodes.size).toBe(1);
  sample.note(address(1), undefined);
  expect(sample.nodes.size).toBe(0);
  expect(log.at(-1)).toBe('wss://a.example/ gone');
  sample.note(address(2), undefined);
  expect(sample.addresses).toEqual([]);
});

test('a new peer takes the place of the one that has been known longest', () => {
  const { sample } = sampleWithLog();
  for (let port = 1; port <= 20; ++port) sample.note(address(port), [record(`peer-${port}`)]);
  expect(sample.addresses.map(({ port }) => port)).toEqual(Array.from({ length: 16 }, (_, index) => index + 5));
  expect(sample.nodes.size).toBe(16);
});

test('a server that two peers claim is known as long as either does', () => {
  const { sample, log } = sampleWithLog();
  sample.note(address(1), [record('a')]);
  sample.note(address(2), [record('a')]);
  sample.note(address(1), []);
  expect(sample.nodes.size).toBe(1);
  sample.note(address(2), []);
  expect(log.at(-1)).toBe('wss://a.example/ gone');
});

test('a server that holds a room is known as long as it does, with its load once it has told it', () => {
  const { sample, log } = sampleWithLog();
  const { url, serverId } = record('a');
  sample.pin({ url, serverId });
  sample.pin({ url, serverId });
  sample.note(address(1), [record('a', 5)]);
  sample.note(address(1), []);
  sample.unpin(url);
  expect(log).toEqual(['wss://a.example/ 0', 'wss://a.example/ 5']);
  sample.pin({ url, serverId: 'its successor' });
  expect(log.at(-1)).toBe('wss://a.example/ 0');
  sample.unpin(url);
  sample.unpin(url);
  expect(log.at(-1)).toBe('wss://a.example/ gone');
  expect(sample.nodes.size).toBe(0);
});
