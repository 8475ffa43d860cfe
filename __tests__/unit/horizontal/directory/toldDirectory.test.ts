import { beforeEach, expect, test } from '@jest/globals';
import { ToldDirectory } from '../../../../src/horizontal/directory/toldDirectory.ts';
import { resolveOptions } from '../../../../src/api/optionsSchema.ts';
import { nodeLimits } from '../../../../src/remote/client/nodeLimits.ts';
import { ToldRooms } from '../../../../src/remote/client/toldRooms.ts';

let directory: ToldDirectory;
let nodes: ToldRooms[];

beforeEach(() => {
  directory = new ToldDirectory();
  nodes = [0, 1].map(() => new ToldRooms(resolveOptions('limits', nodeLimits, {})));
  nodes[0]!.held(['early']);
  for (const [index, rooms] of nodes.entries()) directory.follow(`node-${index}`, rooms);
});

test('a watch has the nodes that hold its room, and is told of changes of that room alone', () => {
  const [early, room] = ['early', 'room'].map(id => directory.watch(id));
  const changes: string[] = [];
  early!.on('change', () => changes.push(`early: ${[...early!.urls].join()}`));
  room!.on('change', () => changes.push(`room: ${[...room!.urls].join()}`));
  expect([[...early!.urls], [...room!.urls]]).toEqual([['node-0'], []]);
  nodes[1]!.held(['room', 'other']);
  nodes[0]!.held(['room']);
  nodes[1]!.released(['room']);
  nodes[0]!.released(['early']);
  expect(changes).toEqual(['room: node-1', 'room: node-1,node-0', 'room: node-0', 'early: ']);
  room!.close();
  room!.close();
  nodes[1]!.held(['room']);
  expect(changes).toHaveLength(4);
});

test('the cluster holds what any of its nodes holds', () => {
  const told: string[] = [];
  directory.on('held', id => told.push(`+${id}`)).on('released', id => told.push(`-${id}`));
  nodes[0]!.held(['room']);
  nodes[1]!.held(['room']);
  nodes[0]!.released(['room']);
  expect([[...directory], directory.size, directory.has('room'), told]).toEqual([
    ['early', 'room'],
    2,
    true,
    ['+room'],
  ]);
  nodes[1]!.released(['room']);
  expect([directory.has('room'), told]).toEqual([false, ['+room', '-room']]);
});

test('a node that is no longer followed holds nothing, nor one whose session has ended', () => {
  const watch = directory.watch('room');
  for (const rooms of nodes) rooms.held(['room']);
  directory.unfollow(nodes[0]!);
  directory.unfollow(nodes[0]!);
  expect([[...watch.urls], directory.has('early')]).toEqual([['node-1'], false]);
  nodes[0]!.held(['another']);
  nodes[1]!.end();
  expect([watch.urls.size, directory.size]).toEqual([0, 0]);
});

test('it is known what is held when each node has told it', async () => {
  const watch = directory.watch('room');
  await watch.known;
  for (const rooms of nodes) rooms.begin();
  let isKnown = false;
  const known = watch.known.then(() => (isKnown = true));
  nodes[0]!.list([], true, true);
  await nodes[0]!.known;
  expect(isKnown).toBe(false);
  nodes[1]!.list(['room'], true, true);
  await known;
  expect([...watch.urls]).toEqual(['node-1']);
});
