/** Addresses of peers outlive a restart, and a file that is none does no harm. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PeersFile } from '../../../../src/swarm/directory/peersFile.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mafalda-peers-'));
  path = join(folder, 'peers.json');
});
afterEach(() => rm(folder, { recursive: true }));

const peer = (index: number): string => `192.0.2.${index}:4444`;

test('what is written is read after a restart, and nothing else lies in the folder', async () => {
  const file = new PeersFile(path);
  expect(await file.read()).toEqual([]);
  await file.write([peer(1), peer(2)]);
  expect(await new PeersFile(path).read()).toEqual([peer(1), peer(2)]);
  expect(await readdir(folder)).toEqual(['peers.json']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('earlier peers stay behind the present ones, as far as there is room', async () => {
  await new PeersFile(path).write(Array.from({ length: 50 }, (_, index) => peer(index)));
  const file = new PeersFile(path);
  await file.read();
  await file.write([peer(100), peer(49)]);
  const kept = await new PeersFile(path).read();
  expect(kept).toHaveLength(50);
  expect(kept.slice(0, 3)).toEqual([peer(100), peer(49), peer(0)]);
  // A peer that is alone for a while forgets nothing.
  await file.write([]);
  expect(await new PeersFile(path).read()).toEqual(kept);
});

test.each([
  ['not JSON at all', 'peers'],
  ['something else', '{"version":1}'],
  ['addresses that are none', '{"peers":["192.0.2.1:4444","wss://media-1.example"]}'],
  ['no texts', '{"peers":[4444]}'],
  ['too many peers', JSON.stringify({ peers: Array.from({ length: 51 }, (_, index) => peer(index)) })],
  ['too many bytes', ' '.repeat(20_001)],
])('a file with %s is ignored, and written anew', async (_what, text) => {
  await writeFile(path, text);
  const file = new PeersFile(path);
  await expect(file.read()).rejects.toThrow(`the list of peers in ${path} is ignored, and will be written anew`);
  await file.write([peer(1)]);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ peers: [peer(1)] });
});

test('a folder that is missing is an error, each time', async () => {
  const file = new PeersFile(join(folder, 'missing', 'peers.json'));
  expect(await file.read()).toEqual([]);
  for (let attempt = 0; attempt < 2; ++attempt) await expect(file.write([peer(1)])).rejects.toThrow('ENOENT');
});
