/** Load moves by itself to peers that come, and away from peers that leave. */
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda } from '../../../src/index.ts';
import type { MafaldaSwarm } from '../../../src/swarm/index.ts';
import { swarmPeers, urlsOf } from '../../helpers/swarmPeers.ts';
import { until } from '../../helpers/until.ts';

/** Machine that has as much to do as it can. */
class BusyMafalda extends Mafalda {
  override get load(): number {
    return 95;
  }
}

const { join } = swarmPeers();
const busy = (): BusyMafalda => new BusyMafalda(mediasoup, { workerBudget: false });
const knows = (swarm: MafaldaSwarm, ...others: MafaldaSwarm[]): Promise<void> =>
  until('they are known', () => others.every(({ url }) => urlsOf(swarm).includes(url)));

/** Makes Transports of one peer's application. @returns URLs of the peers where they are, each once */
async function placesOf(swarm: MafaldaSwarm, count = 12): Promise<Set<string>> {
  const room = swarm.createMafaldaRouter();
  const transports = await Promise.all(Array.from({ length: count }, () => room.createDirectTransport()));
  const places = new Set(transports.map(transport => (swarm.nodeOf(transport) as { url?: string }).url ?? 'own'));
  await room.close();
  return places;
}

test('a peer that joins by one address, which is not that of a busy one, takes load', async () => {
  const first = await join(undefined, {}, busy());
  expect(await placesOf(first)).toEqual(new Set(['own']));
  const second = await join(first, {}, busy());
  await knows(first, second);
  // It is told of the second only.
  const third = await join(second);
  await knows(first, third);
  expect(await placesOf(first)).toEqual(new Set([third.url]));
  await knows(second, third);
  expect(await placesOf(second)).toEqual(new Set([third.url]));
});

test('of several peers with room two are looked at, so that none is asked by all', async () => {
  const first = await join(undefined, {}, busy());
  const others = await Promise.all([join(first), join(first), join(first)]);
  await knows(first, ...others);
  const used = new Set<string>();
  await until('chance has chosen all of them', async () => {
    for (const place of await placesOf(first, 2)) used.add(place);
    return used.size === others.length;
  });
  expect([...used].sort()).toEqual(others.map(({ url }) => url).sort());
});

test('a peer that leaves gets nothing new, and goes when others have nothing there any more', async () => {
  const first = await join(undefined, {}, busy());
  const second = await join(first);
  await knows(first, second);
  const room = first.createMafaldaRouter();
  const transport = await room.createDirectTransport();
  expect((first.nodeOf(transport) as { url?: string }).url).toBe(second.url);
  const left = once(first, 'peerleft');
  const leaving = second.leave();
  await until('it is known to leave', () => [...first.peers].some(({ draining }) => draining));
  expect(await placesOf(first)).toEqual(new Set(['own']));
  expect([transport.closed, second.closed]).toEqual([false, false]);
  transport.close();
  expect(await leaving).toMatchObject({ objects: 0 });
  expect(second.closed).toBe(true);
  expect((await left)[0]).toMatchObject({ url: second.url });
});

test('a peer does not wait longer than its deadline', async () => {
  const first = await join(undefined, {}, busy());
  const second = await join(first);
  await knows(first, second);
  const transport = await first.createMafaldaRouter().createDirectTransport();
  const { objects } = await second.leave({ deadline: 1 });
  expect(objects).toBeGreaterThan(0);
  expect([second.closed, transport.closed]).toEqual([true, false]);
});

test('a deadline that is none is refused, and the peer stays', async () => {
  const swarm = await join();
  await expect(swarm.leave({ deadline: -1 })).rejects.toThrow('deadline must be');
  expect(await placesOf(swarm)).toEqual(new Set(['own']));
});
