import { beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { RemoteMafaldaClient, type MafaldaRouter } from '../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { mediaCodecs, RtpSender } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import type { AppData } from 'mediasoup/types';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

let served: Served;
let one: RemoteMafaldaClient;
let other: RemoteMafaldaClient;

beforeEach(async () => {
  served = opened(await Served.create());
  [one, other] = [opened(new RemoteMafaldaClient(served.url)), opened(new RemoteMafaldaClient(served.url))];
  await Promise.all([untilConnected(one), untilConnected(other)]);
});

/** The same MafaldaRouter at both clients, attached to. */
async function share(): Promise<[MafaldaRouter, MafaldaRouter]> {
  const routerOptions = { mediaCodecs };
  const atOne = one.createMafaldaRouter({ id: 'room', routerOptions });
  await atOne.createDirectTransport({ appData: { from: 'one' } });
  const atOther = other.createMafaldaRouter({ id: 'room', routerOptions });
  await atOther.createDirectTransport({ appData: { from: 'other' } });
  await until('one knows', () => atOne.transports.size === 2);
  return [atOne, atOther];
}

describe('two clients of one MafaldaRouter', () => {
  test('see each other’s objects, and what happens to them', async () => {
    const [atOne, atOther] = await share();
    expect([...atOther.transports.keys()].sort()).toEqual([...atOne.transports.keys()].sort());
    expect([...atOne.workers.keys()]).toEqual([...atOther.workers.keys()]);
    const announced = new Promise<string>(resolve => {
      for (const router of atOther.routers.values())
        router.observer.on('newtransport', transport => resolve(transport.id));
    });
    const sender = await RtpSender.create(atOne, 'audio', 'mic');
    expect(await announced).toBe(sender.transport.id);
    const copy = atOther.transports.get(sender.transport.id)!;
    const closed = once(copy.observer, 'close');
    sender.transport.close();
    await closed;
    expect([copy.closed, atOther.transports.has(copy.id)]).toEqual([true, false]);
  });

  test('consume each other’s streams', async () => {
    const [atOne, atOther] = await share();
    const sender = await RtpSender.create(atOne, 'audio', 'mic');
    const transport = await atOther.createDirectTransport();
    const rtpCapabilities = await atOther.getRtpCapabilities();
    expect(await atOther.canConsume({ producerId: 'mic', rtpCapabilities })).toBe(true);
    const consumer = await transport.consume({ producerId: 'mic', rtpCapabilities });
    const paused = once(consumer, 'producerpause');
    await sender.producer.pause();
    await paused;
    const closed = once(consumer, 'producerclose');
    sender.producer.close();
    await closed;
  });

  test('have the creator’s own appData, and a copy of it at the other', async () => {
    const [atOne, atOther] = [one.createMafaldaRouter({ id: 'room' }), other.createMafaldaRouter({ id: 'room' })];
    await atOther.getRtpCapabilities();
    const appData = { $peer: 'Mafalda', nested: { $ref: 1, list: [1] } };
    const transport = await atOne.createDirectTransport({ appData });
    const producer = await transport.produceData({ appData });
    expect([transport.appData, producer.appData]).toEqual([appData, appData]);
    expect(transport.appData).toBe(appData);
    expect(producer.appData).toBe(appData);
    await until('the other knows', () => atOther.transports.has(transport.id));
    const copy = atOther.transports.get(transport.id)!;
    expect(copy.appData).toEqual(appData);
    expect(copy.appData).not.toBe(appData);
  });

  test('have the creator’s own appData, and of what can’t be sent of it the rest at the other', async () => {
    const [atOne, atOther] = await share();
    const appData = { fn: () => undefined, circle: circular(), name: 'Ann' };
    const transport = await atOne.createDirectTransport({ appData });
    expect(transport.appData).toBe(appData);
    await until('the other knows', () => atOther.transports.has(transport.id));
    expect(atOther.transports.get(transport.id)!.appData).toEqual({ circle: {}, name: 'Ann' });
    expect(served.mafalda.transports.get(transport.id)!.appData).toEqual({ circle: {}, name: 'Ann' });
  });

  test('get a clear error for appData that is none', async () => {
    const mafaldaRouter = one.createMafaldaRouter();
    await expect(mafaldaRouter.createDirectTransport({ appData: 'text' as unknown as AppData })).rejects.toThrow(
      /appData must be an object/,
    );
    expect(served.mafalda.transports.size).toBe(0);
    await expect(mafaldaRouter.createDirectTransport()).resolves.toMatchObject({ appData: {} });
  });

  test('keep it when the other leaves, and takes along what is its own', async () => {
    const [atOne, atOther] = await share();
    await one.close();
    await until('it has left', () => served.server.counts.clients === 1);
    expect([atOne.closed, atOther.closed, served.mafalda.mafaldaRouters.size]).toEqual([true, false, 1]);
    await until('what it has made is gone', () => atOther.transports.size === 1);
    expect([...atOther.transports.values()].map(({ appData }) => appData)).toEqual([{ from: 'other' }]);
    await atOther.createDirectTransport();
    await other.close();
    await served.untilEmpty();
  });

  test('lose it when one closes it', async () => {
    const [atOne, atOther] = await share();
    const closed = once(atOther, 'close');
    await atOne.close();
    await closed;
    expect([other.transports.size, other.workers.size]).toEqual([0, 0]);
    await expect(atOther.createDirectTransport()).rejects.toThrow(/closed/);
  });

  test('may both close it at once', async () => {
    const [atOne, atOther] = await share();
    await Promise.all([atOne.close(), atOther.close()]);
    await until('it is closed at the server', () => served.mafalda.mafaldaRouters.size === 0);
    expect(served.server.counts).toMatchObject({ mafaldaRouters: 0, objects: 0 });
  });

  test('need not know its options to attach to it', async () => {
    const atOne = one.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs }, watermarkWorker: 10 });
    await atOne.createDirectTransport();
    const atOther = other.createMafaldaRouter({ id: 'room' });
    await expect(atOther.createDirectTransport()).resolves.toBeDefined();
    expect(await atOther.getRtpCapabilities()).toEqual(await atOne.getRtpCapabilities());
  });

  test('may leave its options to who knows them, as long as nothing is in it', async () => {
    const atOne = one.createMafaldaRouter({ id: 'room' });
    await (atOne as PipeableMafaldaRouter).attach();
    const atOther = other.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    await atOther.createDirectTransport();
    expect(await atOne.getRtpCapabilities()).toEqual(await atOther.getRtpCapabilities());
    await atOne.createDirectTransport();

    const used = one.createMafaldaRouter({ id: 'used' });
    await used.createDirectTransport();
    await expect(
      other.createMafaldaRouter({ id: 'used', routerOptions: { mediaCodecs } }).createDirectTransport(),
    ).rejects.toThrow(/different routerOptions/);
  });

  test('are told if they have different routerOptions for it', async () => {
    await one.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } }).createDirectTransport();
    const atOther = other.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs: [] } });
    await expect(atOther.createDirectTransport()).rejects.toThrow(/different routerOptions/);
    await atOther.close();
  });
});

test('a client that leaves does not close what the server’s own process has made', async () => {
  const own = served.mafalda.createMafaldaRouter({ id: 'room' });
  const { id } = await own.createDirectTransport();
  const atOne = one.createMafaldaRouter({ id: 'room' });
  await atOne.createDirectTransport();
  await one.close();
  await until('it has left', () => served.server.counts.clients === 1);
  expect([own.closed, [...own.transports.keys()]]).toEqual([false, [id]]);
  await own.close();
});

test('a MafaldaRouter can be closed and made again with the same id at once', async () => {
  const first = one.createMafaldaRouter({ id: 'room' });
  await first.createDirectTransport();
  const closing = first.close();
  const second = one.createMafaldaRouter({ id: 'room' });
  expect(second).not.toBe(first);
  const transport = await second.createDirectTransport();
  await closing;
  expect([second.closed, transport.closed]).toEqual([false, false]);
  expect([...second.transports.values()]).toEqual([transport]);
});

test('a client that closes leaves nothing', async () => {
  const mafaldaRouter = one.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 });
  const sender = await RtpSender.create(mafaldaRouter, 'audio');
  const underway = [mafaldaRouter.createDirectTransport(), mafaldaRouter.createAudioLevelObserver()];
  const settled = Promise.allSettled(underway);
  await one.close();
  await settled;
  await other.close();
  expect([sender.producer.closed, mafaldaRouter.closed, one.readyState]).toEqual([true, true, 3]);
  expect({ ...served.server.counts }).toEqual({ clients: 0, mafaldaRouters: 0, objects: 0 });
  expect(served.mafalda.mafaldaRouters.size).toBe(0);
  expect(() => one.createMafaldaRouter()).toThrow(/closed/);
  expect(() => one.open()).toThrow(/closed/);
  await one.close();
});

function circular(): object {
  const data: { self?: object } = {};
  data.self = data;
  return data;
}

test('what is being made in a Transport that closes meanwhile is left nowhere, and its id is free again', async () => {
  const mafaldaRouter = one.createMafaldaRouter();
  const [transport, next] = await Promise.all([
    mafaldaRouter.createDirectTransport(),
    mafaldaRouter.createDirectTransport(),
  ]);
  const producing = transport.produceData({ id: 'chat' });
  transport.close();
  const [result] = await Promise.allSettled([producing]);
  if (result.status === 'fulfilled') expect(result.value.closed).toBe(true);
  await expect(next.produceData({ id: 'chat' })).resolves.toMatchObject({ closed: false });
  next.close();
  await one.getResourceUsages();
  // The MafaldaRouter's Worker and Router.
  expect(served.server.counts.objects).toBe(2);
});
