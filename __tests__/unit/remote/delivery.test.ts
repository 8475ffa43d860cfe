/** Connections that fail at moments of the test's choice. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { connectThroughProxy, CutProxy } from '../../helpers/cutProxy.ts';
import { mirroredState, trueState } from '../../helpers/mirrored.ts';
import { untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
/** Of the client's reconnection: the first delay, and by how much it may differ from that. */
const [DELAY_MS, JITTER] = [200, 0.5];

describe('a call', () => {
  test.each(['requests', 'answers'] as const)('is made once, and answered once, when its %s are lost', async losing => {
    const { served, proxy, client } = await connectThroughProxy(opened);
    const mafaldaRouter = client.createMafaldaRouter({ id: 'room' });
    const transport = await mafaldaRouter.createDirectTransport();
    const atServer = served.mafalda.mafaldaRouters.get('room')!;
    const made = (): number => served.server.counts.objects;
    const before = made();
    proxy.losing = losing;
    const calls = ['one', 'two', 'three'].map(id => transport.produceData({ id }));
    let answers = 0;
    for (const call of calls)
      call.then(
        () => ++answers,
        () => undefined,
      );
    await until('they are lost', () => proxy.lost > 0 && (losing === 'requests' || made() === before + 3));
    expect(answers).toBe(0);
    proxy.losing = undefined;
    proxy.cut();
    const producers = await Promise.all(calls);
    expect(producers.map(({ id }) => id)).toEqual(['one', 'two', 'three']);
    expect(made()).toBe(before + 3);
    expect(mirroredState(mafaldaRouter)).toEqual(await trueState(atServer));
  });

  test('that breaks each connection fails, and the client goes on with another session', async () => {
    const { served, proxy, client } = await connectThroughProxy(opened);
    const mafaldaRouter = client.createMafaldaRouter();
    const transport = await mafaldaRouter.createDirectTransport();
    const errors: string[] = [];
    client.on('error', ({ message }) => errors.push(message));
    proxy.maxRequestBytes = 50_000;
    const closed = once(mafaldaRouter, 'close');
    await expect(transport.produceData({ appData: { text: 'x'.repeat(100_000) } })).rejects.toThrow(
      /message \d+ was lost with 5 connections/,
    );
    await closed;
    expect(errors).toEqual([expect.stringMatching(/message \d+ was lost with 5 connections/)]);
    const connections = proxy.connections;
    await expect(client.createMafaldaRouter().createDirectTransport()).resolves.toMatchObject({ closed: false });
    expect(proxy.connections).toBeLessThanOrEqual(connections + 1);
    // The old session is not waited for: a MafaldaRouter, its Worker, Router and Transport.
    expect(served.server.counts).toEqual({ clients: 1, mafaldaRouters: 1, objects: 3 });
  });
});

test('who finds no server tries again after longer and longer, and not all at the same time', async () => {
  const { served, proxy, client } = await connectThroughProxy(opened);
  const other = opened(await CutProxy.create(served.url));
  const second = opened(new RemoteMafaldaClient(other.url));
  await untilConnected(second);
  for (const one of [proxy, other]) {
    one.blocked = true;
    one.attempts.length = 0;
    one.cut();
  }
  await until('both have tried some times', () => proxy.attempts.length >= 4 && other.attempts.length >= 4);
  const gaps = ({ attempts }: CutProxy): number[] => attempts.slice(1, 4).map((at, index) => at - attempts[index]!);
  for (const one of [proxy, other]) {
    for (const [index, gap] of gaps(one).entries())
      expect(gap).toBeGreaterThan(DELAY_MS * 2 ** (index + 1) * (1 - JITTER) - 20);
  }
  const apart = gaps(proxy).map((gap, index) => Math.abs(gap - gaps(other)[index]!));
  expect(Math.max(...apart)).toBeGreaterThan(20);
  const again = [once(client, 'connected'), once(second, 'connected')];
  proxy.blocked = other.blocked = false;
  await Promise.all(again);
});
