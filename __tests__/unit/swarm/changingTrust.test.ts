/** Membership of a swarm can change while it runs: keys without an outage, and peers at once. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { DataConsumer, DataProducer } from 'mediasoup/types';
import type { MafaldaSwarm } from '../../../src/swarm/index.ts';
import { pipesOf } from '../../helpers/pipes.ts';
import { swarmPeers, urlsOf } from '../../helpers/swarmPeers.ts';
import { until } from '../../helpers/until.ts';

const { key, join } = swarmPeers();
const room = { id: 'room', routerOptions: { mediaCodecs: [] } };

async function speak(swarm: MafaldaSwarm): Promise<DataProducer> {
  return (await swarm.createMafaldaRouter(room).createDirectTransport()).produceData();
}

async function listen(swarm: MafaldaSwarm, { id }: DataProducer): Promise<DataConsumer> {
  return (await swarm.createMafaldaRouter(room).createDirectTransport()).consumeData({ dataProducerId: id });
}

async function hears(consumer: DataConsumer, producer: DataProducer): Promise<void> {
  const heard = once(consumer, 'message');
  producer.send('hello');
  await heard;
}

const knowEachOther = (one: MafaldaSwarm, other: MafaldaSwarm): Promise<void> =>
  until('they know each other', () => urlsOf(one).includes(other.url) && urlsOf(other).includes(one.url));

test('the key of the group changes during a call, and nothing closes', async () => {
  const next = randomBytes(32);
  const one = await join();
  const other = await join(one);
  await knowEachOther(one, other);
  const producer = await speak(one);
  const consumer = await listen(other, producer);
  await hears(consumer, producer);
  // A peer that is restarted has keys of its own configuration, which may be a step ahead.
  const restarted = await join(one, { key: [key, next] });
  await hears(await listen(restarted, producer), producer);
  let reconnections = 0;
  for (const swarm of [one, other]) swarm.on('nodedisconnected', () => ++reconnections);
  for (const keys of [[key, next], [next, key], [next]]) {
    for (const swarm of [one, other, restarted]) {
      await swarm.updateTrust({ key: keys });
      await hears(consumer, producer);
      // Each side still takes what the other is asked for by its application.
      const another = await listen(other, await speak(one));
      another.close();
    }
  }
  // A connection that was let in by the old key was made again, and what was made over it is still there.
  expect(reconnections).toBeGreaterThan(0);
  expect([consumer.closed, producer.closed]).toEqual([false, false]);
  const address = await one.address();
  const stranger = await join(undefined, { key, bootstrap: [address] });
  expect(urlsOf(stranger)).toEqual([]);
});

test('a peer that is revoked loses everything here at once, and gets nothing any more', async () => {
  const one = await join();
  const [bad, good] = [await join(one), await join(one)];
  for (const swarm of [bad, good]) await knowEachOther(one, swarm);
  const producer = await speak(one);
  const [ofBad, ofGood] = [await listen(bad, producer), await listen(good, producer)];
  const borrowed = await bad.createMafaldaRouter(room).createDirectTransport({ placement: { node: one.url } });
  await hears(ofBad, producer);
  // The good peer hears the bad one by way of this machine.
  const ofOther = await speak(bad);
  const throughOne = await good.createMafaldaRouter(room).createDirectTransport({ placement: { node: one.url } });
  const passedOn = await throughOne.consumeData({ dataProducerId: ofOther.id });
  await hears(passedOn, ofOther);
  const closed = Promise.all([
    once(ofBad, 'dataproducerclose'),
    once(borrowed.observer, 'close'),
    once(passedOn, 'dataproducerclose'),
  ]);
  const left = once(one, 'peerleft');
  await one.updateTrust({ revoked: [bad.id] });
  expect((await left)[0]).toMatchObject({ url: bad.url, peerId: bad.id });
  await closed;
  expect(one.has(bad.url)).toBe(false);
  // Nothing is sent there any more, whatever the other side does.
  const pipes = (): number => pipesOf(one.createMafaldaRouter(room), producer.id).length;
  await until('one pipe is left, to the good one', () => pipes() === 1);
  await expect(listen(bad, producer)).rejects.toThrow();
  await hears(ofGood, producer);

  await one.updateTrust({ revoked: [] });
  // It tries ever more rarely.
  let again: DataConsumer | undefined;
  const isBack = async (): Promise<boolean> =>
    (again = await listen(bad, producer).catch(() => undefined)) !== undefined;
  await until('it is back', isBack);
  await hears(again!, producer);
});

test('a list of trusted peers lets in no other, whoever has the key', async () => {
  const one = await join();
  const other = await join(one);
  await knowEachOther(one, other);
  await one.updateTrust({ trusted: ['somebody else'] });
  await until('it is gone', () => urlsOf(one).length === 0);
  await one.updateTrust({ trusted: [other.id] });
  await knowEachOther(one, other);
  await expect(one.updateTrust({ trusted: [5 as unknown as string] })).rejects.toThrow('trusted[0] must be a string');
  expect(urlsOf(one)).toEqual([other.url]);
});
