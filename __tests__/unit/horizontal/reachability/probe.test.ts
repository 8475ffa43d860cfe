import { expect, test } from '@jest/globals';
import { RemoteMafaldaClient } from '../../../../src/index.ts';
import { probe } from '../../../../src/horizontal/reachability/probe.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/until.ts';
import { Served, untilConnected } from '../../../helpers/serve.ts';

const opened = closingAfterEach();

test('finds out that two nodes reach each other, and leaves nothing behind', async () => {
  const nodes = [opened(await Served.create()), opened(await Served.create())] as const;
  const [one, other] = nodes.map(({ url }) => opened(new RemoteMafaldaClient(url))) as [
    RemoteMafaldaClient,
    RemoteMafaldaClient,
  ];
  await Promise.all([untilConnected(one), untilConnected(other)]);
  expect(await probe([one, other], new AbortController().signal)).toBe(true);
  expect([one.mafaldaRouters.size, other.mafaldaRouters.size]).toEqual([0, 0]);
  await until('nothing is left there', () =>
    nodes.every(({ mafalda }) => mafalda.mafaldaRouters.size === 0 && mafalda.transports.size === 0),
  );
});

test('which is not so where one of them is told to stop', async () => {
  const nodes = [opened(await Served.create()), opened(await Served.create())] as const;
  const [one, other] = nodes.map(({ url }) => opened(new RemoteMafaldaClient(url))) as [
    RemoteMafaldaClient,
    RemoteMafaldaClient,
  ];
  await Promise.all([untilConnected(one), untilConnected(other)]);
  const ending = AbortSignal.abort();
  expect(await probe([one, other], ending)).toBe(false);
  expect([one.mafaldaRouters.size, other.mafaldaRouters.size]).toEqual([0, 0]);
});

test('nor where one of them is being closed, which is no reason to throw', async () => {
  const node = opened(await Served.create());
  const [one, closed] = [opened(new RemoteMafaldaClient(node.url)), new RemoteMafaldaClient(node.url)];
  await untilConnected(one);
  await closed.close();
  expect(await probe([one, closed], new AbortController().signal)).toBe(false);
  expect(one.mafaldaRouters.size).toBe(0);
});
