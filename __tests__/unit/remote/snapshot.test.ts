/** Who has missed more than can be kept is told how things are now, and finds out what has happened from that. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { DataProducer } from 'mediasoup/types';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { mirroredState, objectIn, trueState } from '../../helpers/mirrored.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

const opened = closingAfterEach();

/** One more than a session keeps. */
const TOO_MANY = 20_001;

async function absentClient(): Promise<{
  served: Served;
  proxy: CutProxy;
  client: RemoteMafaldaClient;
  leave: () => Promise<void>;
  comeBack: () => Promise<void>;
}> {
  const served = opened(await Served.create({ sessionTimeout: 60_000 }));
  const proxy = opened(await CutProxy.create(served.url));
  const client = opened(new RemoteMafaldaClient(proxy.url));
  await untilConnected(client);
  const leave = async (): Promise<void> => {
    const disconnected = once(client, 'disconnected');
    proxy.blocked = true;
    proxy.cut();
    await disconnected;
  };
  const comeBack = async (): Promise<void> => {
    const connected = once(client, 'connected');
    proxy.blocked = false;
    await connected;
  };
  return { served, proxy, client, leave, comeBack };
}

/** Events of which each is a message to who is attached; an even number of them leaves the DataProducer as it was. */
async function pauseAndResume(dataProducer: DataProducer, events: number): Promise<void> {
  for (let event = 0; event < events; event += 2) {
    await dataProducer.pause();
    await dataProducer.resume();
  }
}

test('a client that was away for more than can be kept has the state of the server, and is told of what has changed', async () => {
  const { served, client, leave, comeBack } = await absentClient();
  const other = opened(new RemoteMafaldaClient(served.url));
  const routerOptions = { mediaCodecs };
  const mafaldaRouter = client.createMafaldaRouter({ id: 'room', routerOptions });
  const sender = await RtpSender.create(mafaldaRouter, 'audio', 'mic');
  const camera = await RtpSender.create(mafaldaRouter, 'video', 'camera');
  const receiver = await RtpReceiver.create(mafaldaRouter, 'mic');
  const watcher = await RtpReceiver.create(mafaldaRouter, 'camera');
  const [data, doomed] = await Promise.all([
    mafaldaRouter.createDirectTransport(),
    mafaldaRouter.createDirectTransport(),
  ]);
  const dataProducer = await data.produceData({ id: 'chat' });
  const dataConsumer = await doomed.consumeData({ dataProducerId: 'chat' });
  const unwanted = await mafaldaRouter.createDirectTransport({ appData: { name: 'unwanted' } });
  await unwanted.produceData();
  const observer = await mafaldaRouter.createAudioLevelObserver();
  const replaced = client.createMafaldaRouter({ id: 'replaced', routerOptions });
  await replaced.createDirectTransport();
  const gone = client.createMafaldaRouter({ id: 'gone', routerOptions });
  await gone.createDirectTransport();

  const told: string[] = [];
  const note = (what: string) => (): void => void told.push(what);
  for (const router of mafaldaRouter.routers.values())
    router.observer.on('newtransport', ({ appData }) => told.push(`newtransport ${String(appData['name'])}`));
  sender.producer.observer.on('pause', note('mic pause')).on('resume', note('mic resume'));
  receiver.consumer.on('producerpause', note('consumer producerpause'));
  camera.producer.observer.on('close', note('camera close'));
  watcher.consumer.on('producerclose', note('watcher producerclose'));
  doomed.observer.on('close', note('doomed close'));
  dataConsumer.on('transportclose', note('dataConsumer transportclose'));
  dataProducer.observer.on('pause', note('chat pause')).on('resume', note('chat resume'));
  observer.observer.on('pause', note('observer pause'));
  for (const one of [replaced, gone, mafaldaRouter]) one.on('close', note(`${one.id} close`));

  await leave();
  const before = mirroredState(mafaldaRouter);
  const room = served.mafalda.mafaldaRouters.get('room')!;
  const chat = objectIn(room, 'dataProducer', 'chat');
  const mic = objectIn(room, 'producer', 'mic');
  await pauseAndResume(chat, TOO_MANY / 3);
  for (const { id } of [doomed, camera.transport]) room.transports.get(id)!.close();
  await served.mafalda.mafaldaRouters.get('gone')!.close();
  await served.mafalda.mafaldaRouters.get('replaced')!.close();
  await pauseAndResume(chat, TOO_MANY);
  // What comes after there was too much counts as well.
  const late = await other.createMafaldaRouter({ id: 'room' }).createDirectTransport({ appData: { name: 'late' } });
  await late.produceData({ id: 'later' });
  await mic.pause();
  for (const one of room.rtpObservers.values()) await one.pause();
  const anew = other.createMafaldaRouter({ id: 'replaced', routerOptions });
  await anew.createDirectTransport();
  expect(mirroredState(mafaldaRouter)).toEqual(before);
  // The server does not know of this yet when it tells how things are: the client does not show it once more.
  unwanted.close();
  const calls = [data.produceData({ id: 'while away' }), data.dump()];
  expect(told).toEqual([]);

  await comeBack();
  await Promise.all(calls);
  expect(told.sort()).toEqual(
    [
      ...[
        'camera close',
        'watcher producerclose',
        'doomed close',
        'dataConsumer transportclose',
        'gone close',
        'replaced close',
      ],
      ...['mic pause', 'consumer producerpause', 'observer pause', 'newtransport late'],
    ].sort(),
  );
  expect(mirroredState(mafaldaRouter)).toEqual(await trueState(room));
  expect([...client.mafaldaRouters.keys()]).toEqual(['room']);
  expect([client.transports.size, client.rtpObservers.size]).toEqual([room.transports.size, 1]);
  // From now on it hears of each event again.
  told.length = 0;
  const resumed = once(sender.producer.observer, 'resume');
  await mic.resume();
  await resumed;
  expect(told).toEqual(['mic resume']);
  await expect(
    client.createMafaldaRouter({ id: 'replaced', routerOptions }).createDirectTransport(),
  ).resolves.toMatchObject({ closed: false });
});

test('cuts do not touch media', async () => {
  const { client, leave, comeBack } = await absentClient();
  const mafaldaRouter = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const sender = await RtpSender.create(mafaldaRouter, 'audio');
  const receiver = await RtpReceiver.create(mafaldaRouter, sender.producer.id);
  await openPath(sender, [receiver]);
  await leave();
  expect(await countPackets(sender, [receiver])).toEqual([50]);
  await comeBack();
  expect(await countPackets(sender, [receiver])).toEqual([50]);
});
