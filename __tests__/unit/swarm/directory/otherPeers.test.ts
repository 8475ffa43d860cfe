/** A peer is not among the peers that it uses. */
import { expect, test } from '@jest/globals';
import type { NodeRecord } from '../../../../src/horizontal/directory/directory.ts';
import { OtherPeers } from '../../../../src/swarm/directory/otherPeers.ts';
import { until } from '../../../helpers/until.ts';
import { MemoryStore } from '../../../helpers/memoryDirectory.ts';

const record = (url: string): NodeRecord => ({ url, serverId: url, labels: {}, load: 1, draining: false });

test('nodes, rooms and events are those of others', async () => {
  const directory = new MemoryStore().open();
  const others = new OtherPeers(directory, 'wss://own', Promise.resolve());
  const told: string[] = [];
  others.on('node', ({ url }) => void told.push(url)).on('nodegone', url => void told.push(`${url} gone`));
  const own = others.register(record('wss://own'));
  const other = others.register(record('wss://other'));
  await others.known;
  const watch = others.watch('room');
  own.hold('room');
  other.hold('room');
  await watch.known;
  expect([...others.nodes.keys()]).toEqual(['wss://other']);
  expect([...watch.urls]).toEqual(['wss://other']);
  await own.close();
  await other.close();
  await until('the other is gone', () => told.length === 2);
  expect(told).toEqual(['wss://other', 'wss://other gone']);
  expect([watch.urls.size, others.nodes.size]).toEqual([0, 0]);
  watch.close();
  await others.close();
});
