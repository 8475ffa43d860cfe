/** Workers that were made with `mediasoup` of a client, or of a MafaldaHorizontal: who knows of them, and what they say when their server is lost. */
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { Worker } from 'mediasoup/types';
import { MafaldaHorizontal, NodeUnavailableError, RemoteMafaldaClient, type MafaldaApi } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

const implementations: [string, (url: string) => MafaldaApi][] = [
  ['RemoteMafaldaClient', url => new RemoteMafaldaClient(url, { sessionTimeout: 2000 })],
  ['MafaldaHorizontal', url => new MafaldaHorizontal([url], { nodeTimeout: 2000 })],
];

test.each(implementations)('the Workers that %s has on a server have died when it is lost', async (_name, create) => {
  const served = opened(await Served.create({ sessionTimeout: 2000 }));
  const proxy = opened(await CutProxy.create(served.url));
  const mafalda = opened(create(proxy.url));
  const own = await mafalda.mediasoup.createWorker();
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const transport = await room.createDirectTransport();
  const [shared] = [...room.workers.values()] as [Worker];
  const told: string[] = [];
  for (const [name, worker] of Object.entries({ own, shared })) {
    worker.on('died', error => told.push(`${name} ${error.name}`));
    worker.observer.on('close', () => told.push(`${name} closed`));
  }
  const died = once(own, 'died');
  proxy.blocked = true;
  proxy.cut();
  const [error] = (await died) as [NodeUnavailableError];
  expect(error).toBeInstanceOf(NodeUnavailableError);
  expect(error.message).toMatch(/is lost, and what was there with it/);
  // A lost Worker has died from the moment from which it counts as closed, and tells so later, in its turn.
  await until('all is closed', () => transport.closed && own.closed && shared.closed);
  expect([own.died, shared.died]).toEqual([true, true]);
  await until('all has told so', () => told.length >= 4);
  expect(told.sort()).toEqual([
    'own NodeUnavailableError',
    'own closed',
    'shared NodeUnavailableError',
    'shared closed',
  ]);
});

test.each(implementations)('Workers that %s closes have not died', async (_name, create) => {
  const mafalda = opened(create(opened(await Served.create()).url));
  const [first, second] = [await mafalda.mediasoup.createWorker(), await mafalda.mediasoup.createWorker()];
  const died: Worker[] = [];
  for (const worker of [first, second]) worker.on('died', () => died.push(worker));
  first.close();
  await mafalda.close();
  expect([died, first.died, second.closed, second.died]).toEqual([[], false, true, false]);
});

test.each(implementations)('what is made with the `mediasoup` of %s is in its Maps', async (_name, create) => {
  const mafalda = opened(create(opened(await Served.create()).url));
  const worker = await mafalda.mediasoup.createWorker();
  const router = await worker.createRouter({ mediaCodecs });
  const transport = await router.createDirectTransport();
  const observer = await router.createAudioLevelObserver();
  const inRoom = await mafalda.createMafaldaRouter().createDirectTransport();
  expect([...mafalda.workers.values()]).toContain(worker);
  expect([
    mafalda.routers.get(router.id),
    mafalda.transports.get(transport.id),
    mafalda.rtpObservers.get(observer.id),
  ]).toEqual([router, transport, observer]);
  expect([mafalda.transports.size, mafalda.transports.get(inRoom.id), mafalda.workers.size]).toEqual([2, inRoom, 2]);
  if (mafalda instanceof MafaldaHorizontal) {
    const [node] = [...mafalda];
    const producer = await transport.produceData();
    for (const object of [worker, router, transport, observer, producer, inRoom])
      expect(mafalda.nodeOf(object)).toBe(node);
    producer.close();
    expect(mafalda.nodeOf(producer)).toBeUndefined();
  }
  worker.close();
  expect([mafalda.workers.size, mafalda.transports.size]).toEqual([1, 1]);
});
