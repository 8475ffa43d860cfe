/** A server that did not hear a goodbye hears it later, and what was made there closes; the process need not wait for that. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RemoteMafaldaClient, type MafaldaRouter } from '../../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../../src/base/pipeableMafaldaRouter.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { CutProxy } from '../../../helpers/cutProxy.ts';
import { Served, untilConnected } from '../../../helpers/serve.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();

let served: Served;
let proxy: CutProxy;
/** A client that can be cut off, and one that shares its MafaldaRouter. */
let one: RemoteMafaldaClient;
let other: RemoteMafaldaClient;
let shared: MafaldaRouter;

async function begin(sessionTimeout: number): Promise<void> {
  served = opened(await Served.create({ sessionTimeout }));
  proxy = opened(await CutProxy.create(served.url));
  [one, other] = [opened(new RemoteMafaldaClient(proxy.url)), opened(new RemoteMafaldaClient(served.url))];
  await Promise.all([untilConnected(one), untilConnected(other)]);
  shared = other.createMafaldaRouter({ id: 'room' });
  await shared.createDirectTransport();
  const room = one.createMafaldaRouter({ id: 'room' });
  await room.createDirectTransport();
  // The next call tells that this has arrived.
  await room.getRtpCapabilities();
}

function cutOff(): void {
  proxy.blocked = true;
  proxy.cut();
}

async function untilOnlyTheirs(): Promise<void> {
  const { server, mafalda } = served;
  const left = (): number[] => [mafalda.transports.size, server.counts.clients, shared.transports.size];
  await until('only the other one’s is left', () => left().every(count => count === 1));
  expect(server.orphans).toEqual([]);
}

describe('a client that closes while it is cut off', () => {
  test.each([
    ['goes on', 60_000],
    ['has timed out', 200],
  ])('takes along what it has made when the server can be reached again, while its session %s', async (_what, ms) => {
    await begin(ms);
    cutOff();
    await one.close();
    if (ms < 1000) await until('the session is given up', () => served.server.orphans.length > 0);
    expect([one.closed, served.mafalda.transports.size]).toEqual([true, 2]);
    proxy.blocked = false;
    await untilOnlyTheirs();
    const { connections } = proxy;
    cutOff();
    proxy.blocked = false;
    await other.getResourceUsages();
    expect(proxy.connections).toBe(connections);
  });

  test('closes what it had closed for everybody, too', async () => {
    await begin(200);
    const room = one.createMafaldaRouter({ id: 'room' });
    await (room as PipeableMafaldaRouter).attach();
    proxy.losing = 'requests';
    const closing = room.close();
    await until('it was lost', () => proxy.lost > 0);
    cutOff();
    await Promise.allSettled([closing, one.close()]);
    proxy.losing = undefined;
    const closed = once(shared, 'close');
    proxy.blocked = false;
    await closed;
  });
});

describe('an application that closes its client while it is cut off', () => {
  beforeEach(async () => {
    served = opened(await Served.create());
    proxy = opened(await CutProxy.create(served.url));
  });

  test.each([
    ['refuses connections', () => void (proxy.blocked = true)],
    ['swallows what is said', () => void (proxy.losing = 'requests')],
  ])('ends all the same, where the network %s', async (_what, act) => {
    const script = fileURLToPath(new URL('../../../helpers/processes/parting.ts', import.meta.url));
    const child = fork(script, [proxy.url], { execArgv: ['--import', 'tsx'] });
    try {
      await once(child, 'message');
      act();
      if (proxy.blocked) proxy.cut();
      const ended = once(child, 'exit');
      child.send('close');
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
