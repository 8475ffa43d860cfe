import { beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Consumer, PipeTransport, Producer, Router } from 'mediasoup/types';
import { joinEnds, joinTransports } from '../../../src/piping/joinEnds.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { LinkedRouters } from '../../helpers/routers.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;

let original: Producer;
let consumer: Consumer;
let producer: Producer;
let ends: [PipeTransport, PipeTransport];

beforeEach(async () => {
  const linked = opened(await LinkedRouters.create(2));
  const [source, destination] = linked.routers as [Router, Router];
  ({ producer: original } = await linked.produce(source, 'mic'));
  ends = [await source.createPipeTransport({ listenInfo }), await destination.createPipeTransport({ listenInfo })];
  consumer = await ends[0].consume({ producerId: 'mic' });
  producer = await ends[1].produce({ id: 'mic', kind: 'audio', rtpParameters: consumer.rtpParameters });
});

describe('joinEnds()', () => {
  test.each(['consumer', 'producer'] as const)('the %s closes the other, once', which => {
    joinEnds(consumer, producer);
    let closes = 0;
    for (const end of [consumer, producer]) (end.observer as Producer['observer']).on('close', () => ++closes);
    (which === 'consumer' ? consumer : producer).close();
    expect([consumer.closed, producer.closed, closes, original.closed]).toEqual([true, true, 2, false]);
  });

  test.each(['consumer', 'producer'] as const)('closes the other if the %s is closed already', which => {
    (which === 'consumer' ? consumer : producer).close();
    joinEnds(consumer, producer);
    expect([consumer.closed, producer.closed]).toEqual([true, true]);
  });

  test('the original Producer that closes takes both along', async () => {
    joinEnds(consumer, producer);
    const closed = once(producer.observer, 'close');
    original.close();
    await closed;
    expect(consumer.closed).toBe(true);
  });

  test('follows pause and resume, and ends up as the original however fast they come', async () => {
    joinEnds(consumer, producer);
    for (const paused of [true, false, true, false, true]) void (paused ? original.pause() : original.resume());
    await original.pause();
    const state = (): unknown => [original.paused, consumer.producerPaused, producer.paused].join();
    await until('all are paused', () => state() === 'true,true,true');
    for (const paused of [false, true, false]) void (paused ? original.pause() : original.resume());
    await original.resume();
    await until('none is paused', () => state() === 'false,false,false');
  });

  test('begins with the state of the original', async () => {
    const paused = once(consumer, 'producerpause');
    await original.pause();
    await paused;
    const followed = once(producer.observer, 'pause');
    joinEnds(consumer, producer);
    await followed;
    expect(producer.paused).toBe(true);
  });

  test('a pause on the way to a Producer that closes harms nobody', async () => {
    joinEnds(consumer, producer);
    const paused = once(consumer, 'producerpause');
    const pausing = original.pause();
    await paused;
    producer.close();
    expect(consumer.closed).toBe(true);
    await pausing;
  });
});

describe('joinTransports()', () => {
  test.each([0, 1])('either end (%i) closes the other', which => {
    joinTransports(...ends);
    joinTransports(...ends);
    ends[which]!.close();
    expect(ends.map(({ closed }) => closed)).toEqual([true, true]);
  });

  test.each([0, 1])('closes the other if one (%i) is closed already', which => {
    ends[which]!.close();
    joinTransports(...ends);
    expect(ends.map(({ closed }) => closed)).toEqual([true, true]);
  });
});
