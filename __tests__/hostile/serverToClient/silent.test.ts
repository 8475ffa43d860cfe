/** A server that takes calls and answers none of them costs a controller a bounded number of calls, each for a bounded time. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { CallTimeoutError, LimitError, MafaldaHorizontal, RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { HostileNode, type HostileConnection } from '../../helpers/hostileNode.ts';
import { Served } from '../../helpers/serve.ts';

const opened = closingAfterEach();

test('calls beyond the limit fail at once, also when those before are no longer waited for, until they are answered', async () => {
  const connections: HostileConnection[] = [];
  const node = opened(await HostileNode.create({ onConnection: connection => connections.push(connection) }));
  const client = opened(new RemoteMafaldaClient(node.url, { callTimeout: 300, limits: { pendingCalls: 20 } }));
  await once(client, 'connected');
  const outcomeOf = async (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
  const calls = Array.from({ length: 30 }, () => outcomeOf(client.getResourceUsages()));
  const refused = await Promise.all(calls.slice(20));
  expect(refused.every(error => error instanceof LimitError)).toBe(true);
  expect(refused[0]).toMatchObject({ code: 'ERR_MAFALDA_LIMIT', limit: 'pendingCalls', max: 20 });
  const unanswered = await Promise.all(calls.slice(0, 20));
  expect(unanswered.every(error => error instanceof CallTimeoutError)).toBe(true);
  expect(await outcomeOf(client.listMafaldaRouters())).toBeInstanceOf(LimitError);
  const [connection] = connections;
  expect(connection!.calls).toHaveLength(20);
  connection!.tell(...connection!.calls.splice(0).map(({ id }) => ({ type: 'answer', id, result: {} })));
  // A message that is sent after the answers has arrived after them.
  const told = once(client, 'load');
  connection!.socket.emit('load', { load: 1, workers: [], hosts: [] });
  await told;
  expect(await outcomeOf(client.getResourceUsages())).toBeInstanceOf(CallTimeoutError);
});

test('a cluster uses its other nodes', async () => {
  const [bad, good] = [opened(await HostileNode.create()), opened(await Served.create())];
  const nodes = [
    opened(new RemoteMafaldaClient(bad.url, { callTimeout: 300, limits: { pendingCalls: 5 } })),
    opened(new RemoteMafaldaClient(good.url)),
  ];
  const cluster = opened(new MafaldaHorizontal(nodes));
  await once(cluster, 'connected');
  const room = cluster.createMafaldaRouter();
  const transports = await Promise.all(Array.from({ length: 40 }, () => room.createDirectTransport()));
  expect(new Set(transports.map(transport => cluster.nodeOf(transport)))).toEqual(new Set([nodes[1]]));
});
