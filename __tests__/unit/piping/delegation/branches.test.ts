import { expect, test } from '@jest/globals';
import { ObjectTree } from '../../../../src/core/objectTree.ts';
import { Branches } from '../../../../src/piping/delegation/branches.ts';
import { LeftLinks } from '../../../../src/piping/links/leftLinks.ts';
import { StreamUsers } from '../../../../src/piping/streamUsers.ts';
import { addRouter, consume, createTransport } from '../../../helpers/imaginaryObjects.ts';
import { until } from '../../../helpers/until.ts';

const idsOf = (branches: Branches): string[] => branches.of('stream').map(({ routerId }) => routerId);

test('branches are the Routers of other machines that pipes lead to', () => {
  const tree = new ObjectTree();
  const router = addRouter(tree, 'here');
  addRouter(tree, 'also here');
  const before = consume(createTransport(router, 'a'), 'stream');
  const branches = new Branches(tree);
  consume(createTransport(router, 'also here'), 'stream');
  consume(createTransport(router), 'stream');
  consume(createTransport(router, 'b'), 'another stream');
  const link = createTransport(router, 'c');
  consume(link, 'stream');
  expect(idsOf(branches)).toEqual(['a', 'c']);
  before.close();
  expect([idsOf(branches), branches.has('stream', 'c'), branches.has('stream', 'b')]).toEqual([['c'], true, false]);
  link.close();
  expect(idsOf(branches)).toEqual([]);
});

test('a branch that is dead is not one, until it turns out to live', async () => {
  const tree = new ObjectTree();
  const router = addRouter(tree, 'here');
  const branches = new Branches(tree);
  const leftLinks = new LeftLinks(tree, new StreamUsers(tree));
  const link = createTransport(router, 'a');
  let bytesReceived = 0;
  Object.assign(link, { getStats: async () => [{ bytesReceived: ++bytesReceived }] });
  for (const transport of [link, createTransport(router, 'b')]) consume(transport, 'stream');
  leftLinks.leave({ routerId: 'here', remoteRouterId: 'a', consumerIds: [], isDead: true });
  // A peer that asks again is served as before.
  expect([idsOf(branches), branches.has('stream', 'a')]).toEqual([['b'], true]);
  const release = branches.reserve('stream', 'a', {});
  expect(idsOf(branches)).toEqual(['a', 'b']);
  release();
  expect(idsOf(branches)).toEqual(['b']);
  await until('packets have come', () => idsOf(branches).length === 2);
  leftLinks.close();
});

test('a branch counts from when it is reserved, and is known by what its asker has told', () => {
  const tree = new ObjectTree();
  const router = addRouter(tree, 'here');
  const branches = new Branches(tree);
  const release = branches.reserve('stream', 'a', { url: 'wss://a', load: 12 });
  branches.reserve('stream', 'b', {})();
  branches.noteSent('stream', 'a');
  branches.noteSent('stream', 'b');
  expect(branches.of('stream')).toEqual([{ routerId: 'a', url: 'wss://a', load: 12, sentAt: 1 }]);
  const pipe = consume(createTransport(router, 'a'), 'stream');
  release();
  expect(branches.of('stream')).toEqual([{ routerId: 'a', url: 'wss://a', load: 12, sentAt: 1 }]);
  pipe.close();
  expect(branches.has('stream', 'a')).toBe(false);
});
