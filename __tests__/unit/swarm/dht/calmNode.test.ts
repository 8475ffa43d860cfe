/** A node pings others for the full rows of its table now and then, not for each peer that comes along. */
import { EventEmitter } from 'node:events';
import { afterEach, expect, jest, test } from '@jest/globals';
import type { DhtSocket } from 'dht-rpc';
import { CalmNode } from '../../../../src/swarm/dht/calmNode.ts';
import { handOut } from '../../../../src/swarm/dht/sockets.ts';

afterEach(() => void jest.restoreAllMocks());

const peer = (index: number): object => ({ host: `10.0.1.${index}`, port: 4444, id: Buffer.alloc(32, index) });
/** A row with peers that were heard long ago. */
const row = { nodes: [1, 2, 3].map(index => ({ ...peer(index), pinged: -1000, added: -1000, seen: -1000 })) };

test('of many peers for which there is no place in the table, one leads to a ping in five seconds', async () => {
  const sent: string[] = [];
  const socket = (port: number): DhtSocket =>
    Object.assign(new EventEmitter(), {
      bound: true,
      bind: () => undefined,
      address: () => ({ address: '10.0.0.1', host: '10.0.0.1', port, family: 4 }),
      trySend: (_: Buffer, toPort: number, host: string) => void sent.push(`${host}:${toPort}`),
      close: async () => undefined,
    });
  const node = CalmNode.bootstrapper(4444, '10.0.0.1', { udx: handOut(socket(4444), socket(4445)) });
  await node.fullyBootstrapped();
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
  for (let index = 10; index < 30; ++index) node._onfullrow(peer(index), row);
  expect(sent).toHaveLength(1);
  clock.mockReturnValue(now + 5000);
  for (let index = 10; index < 30; ++index) node._onfullrow(peer(index), row);
  expect(sent).toHaveLength(2);
  await node.destroy();
});
