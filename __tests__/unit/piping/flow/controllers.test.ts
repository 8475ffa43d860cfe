/** Pipes sleep and wake where several controllers share a room, come and go, and lose sight of nodes for a while. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Consumer, DataConsumer } from 'mediasoup/types';
import { MafaldaHorizontal, RemoteMafaldaClient, type MafaldaRouter } from '../../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../../src/base/pipeableMafaldaRouter.ts';
import { isLinkTransport } from '../../../../src/piping/endpoint.ts';
import { Camera } from '../../../helpers/camera.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { CutProxy } from '../../../helpers/cutProxy.ts';
import { mediaCodecs, RtpReceiver } from '../../../helpers/rtp.ts';
import { Served } from '../../../helpers/serve.ts';
import { until } from '../../../helpers/until.ts';

type Room = ReturnType<MafaldaHorizontal['createMafaldaRouter']>;

const opened = closingAfterEach();
const id = 'room';
let nodes: Served[];
let proxy: CutProxy;
/** The URLs of the nodes for the first controller: the source's is behind a proxy. */
let urls: [string, string];
let here: Room;
let there: Room;

beforeEach(async () => {
  nodes = await Promise.all([Served.create(), Served.create()].map(async served => opened(await served)));
  proxy = opened(await CutProxy.create(nodes[0]!.url));
  urls = [proxy.url, nodes[1]!.url];
  here = await control(urls);
  there = await control(nodes.map(({ url }) => url));
});

async function control(nodesOf: string[]): Promise<Room> {
  const mafalda = opened(new MafaldaHorizontal(nodesOf));
  await once(mafalda, 'connected');
  return mafalda.createMafaldaRouter({ id, routerOptions: { mediaCodecs } });
}

/** Where `there` creates something. */
function on(node: number): { placement: { node: string } } {
  return { placement: { node: nodes[node]!.url } };
}

/** The Consumers of a stream's pipes, each at its source's end. */
function pipesOf(mafaldaRouter: MafaldaRouter, streamId: string): (Consumer | DataConsumer)[] {
  const pipes: (Consumer | DataConsumer)[] = [];
  for (const { type, object, parent } of (mafaldaRouter as PipeableMafaldaRouter).tree.nodes()) {
    if (parent?.type !== 'transport' || !isLinkTransport(parent.object)) continue;
    if (type === 'consumer' && object.producerId === streamId) pipes.push(object);
    if (type === 'dataConsumer' && object.dataProducerId === streamId) pipes.push(object);
  }
  return pipes;
}

describe('a pipe of several controllers', () => {
  test('flows for each of them: one that has not heard of another’s consumer takes nothing from it', async () => {
    const source = await there.createDirectTransport(on(0));
    const producer = await source.produceData({ label: 'chat' });
    const sink = await here.createDirectTransport({ placement: { node: urls[1] } });
    const ours = await sink.consumeData({ dataProducerId: producer.id });
    const theirs = await (await there.createDirectTransport(on(1))).consumeData({ dataProducerId: producer.id });
    const received: string[] = [];
    theirs.on('message', message => received.push(message.toString()));
    const sent = Array.from({ length: 20 }, (_, index) => String(index));
    await until('both see the pipe', () => [here, there].every(each => pipesOf(each, producer.id).length === 1));
    const [pipe] = pipesOf(here, producer.id);
    ours.close();
    // This controller would do so if it knew of no other consumer.
    for (const message of sent) {
      producer.send(message);
      await pipe!.pause();
      expect(pipe!.paused).toBe(false);
    }
    await until('all has come', () => received.length === sent.length);
    expect(received).toEqual(sent);
    await theirs.pause();
    await until('it sleeps when the last one is gone', () => pipe!.paused);
  });

  test('is woken by whoever wants it, also where another one has made it and sleeps on', async () => {
    const camera = await Camera.create(there, on(0));
    await until('the camera is on', () => camera.sent > 0);
    const owner = await RtpReceiver.create(here, camera.producer.id, { placement: { node: urls[1] } }, true);
    const viewer = await RtpReceiver.create(there, camera.producer.id, on(1), true);
    const other = await RtpReceiver.create(there, camera.producer.id, on(0), true);
    await Promise.all([viewer, other].map(({ consumer }) => consumer.resume()));
    await until('both see something', () => [viewer, other].every(({ received }) => received.size > 0));
    expect([owner.received.size, owner.consumer.paused]).toEqual([0, true]);
    await Promise.all([viewer, other].map(({ consumer }) => consumer.pause()));
    await until('it sleeps', () => pipesOf(there, camera.producer.id).every(({ paused }) => paused));
  });

  test('is woken by those who are left, where somebody has resumed a viewer and is gone before he has woken it', async () => {
    const camera = await Camera.create(there, on(0));
    const elsewhere = await Promise.all([0, 1].map(node => RtpReceiver.create(there, camera.producer.id, on(node), true)));
    expect(pipesOf(there, camera.producer.id).map(({ paused }) => paused)).toEqual([true]);
    // A client of one node sees what is there, and no pipe that leads to it.
    for (const { url } of nodes) {
      const passing = new RemoteMafaldaClient(url);
      const room = passing.createMafaldaRouter({ id, routerOptions: { mediaCodecs } }) as PipeableMafaldaRouter;
      await room.getRtpCapabilities();
      for (const { type, object } of room.tree.nodes()) {
        if (type === 'consumer' && elsewhere.some(({ consumer }) => consumer.id === object.id)) await object.resume();
      }
      await room.leave();
      await passing.close();
    }
    await until('all see something', () => elsewhere.every(({ received }) => received.size > 0));
  });

  test('is woken once its source’s node is in sight again', async () => {
    const camera = await Camera.create(there, on(0));
    const viewers = await Promise.all([1, 2].map(() => RtpReceiver.create(here, camera.producer.id, { placement: { node: urls[1] } }, true)));
    await until('the pipe sleeps', () => pipesOf(here, camera.producer.id).every(({ paused }) => paused));
    proxy.blocked = true;
    proxy.cut();
    await Promise.all(viewers.map(({ consumer }) => consumer.resume()));
    proxy.blocked = false;
    await until('both see something', () => viewers.every(({ received }) => received.size > 0));
  });
});
