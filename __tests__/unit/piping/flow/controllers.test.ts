/** Pipes sleep and wake where several controllers share a room, come and go, and lose sight of nodes for a while. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { MafaldaHorizontal, RemoteMafaldaClient } from '../../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../../src/base/pipeableMafaldaRouter.ts';
import { Camera } from '../../../helpers/camera.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { CutProxy } from '../../../helpers/cutProxy.ts';
import { allSee, createViewers, pauseAll, pipesOf, resumeAll } from '../../../helpers/pipes.ts';
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
    const viewers = await createViewers(there, camera.producer.id, [on(1), on(0)], true);
    await resumeAll(viewers);
    await until('both see something', () => allSee(viewers));
    expect([owner.received.size, owner.consumer.paused]).toEqual([0, true]);
    await pauseAll(viewers);
    await until('it sleeps', () => pipesOf(there, camera.producer.id).every(({ paused }) => paused));
  });

  test('is woken by those who are left, where somebody has resumed a viewer and is gone before he has woken it', async () => {
    const camera = await Camera.create(there, on(0));
    const elsewhere = await createViewers(there, camera.producer.id, [on(0), on(1)], true);
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
    await until('all see something', () => allSee(elsewhere));
  });

  test('is woken once its source’s node is in sight again', async () => {
    const camera = await Camera.create(there, on(0));
    const viewers = await createViewers(
      here,
      camera.producer.id,
      [1, 2].map(() => ({ placement: { node: urls[1] } })),
      true,
    );
    await until('the pipe sleeps', () => pipesOf(here, camera.producer.id).every(({ paused }) => paused));
    proxy.blocked = true;
    proxy.cut();
    await resumeAll(viewers);
    proxy.blocked = false;
    await until('both see something', () => allSee(viewers));
  });
});
