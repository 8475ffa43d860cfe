/** What one controller has lost sight of is not closed to another one that uses and reaches it. */
import { beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { MafaldaHorizontal } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { inside } from '../../helpers/inside.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const PACKETS = 50;
/** The other controller is cut off from nothing, however long a busy machine makes it wait. */
const PATIENCE_MS = 60_000;

type Room = ReturnType<MafaldaHorizontal['createMafaldaRouter']>;

let a: Served;
let b: Served;
let proxy: CutProxy;
let one: MafaldaHorizontal;
let roomOfOne: Room;
let roomOfOther: Room;
let sender: RtpSender;
let ofOne: RtpReceiver;
let ofOther: RtpReceiver;

async function connected(urls: string[], nodeTimeout: number): Promise<MafaldaHorizontal> {
  const mafalda = opened(new MafaldaHorizontal(urls, { nodeTimeout }));
  await once(mafalda, 'connected');
  return mafalda;
}

function on(url: string): { placement: { node: string } } {
  return { placement: { node: url } };
}

/** The stream of one node is consumed by two controllers on the other. */
beforeEach(async () => {
  [a, b] = [opened(await Served.create({ sessionTimeout: 3000 })), opened(await Served.create())];
  proxy = opened(await CutProxy.create(a.url));
  one = await connected([proxy.url, b.url], 1000);
  const options = { id: 'room', routerOptions: { mediaCodecs } };
  roomOfOne = one.createMafaldaRouter(options);
  roomOfOther = (await connected([a.url, b.url], PATIENCE_MS)).createMafaldaRouter(options);
  sender = await RtpSender.create(roomOfOther, 'audio', undefined, on(a.url));
  ofOther = await RtpReceiver.create(roomOfOther, sender.producer.id, on(b.url));
  ofOne = await RtpReceiver.create(roomOfOne, sender.producer.id, on(b.url));
  await openPath(sender, [ofOne, ofOther]);
});

function pipesAt({ mafalda }: Served): number {
  return [...mafalda.transports.values()].filter(({ type }) => type === 'pipe').length;
}

test.each([
  [
    'has lost a node',
    (): void => {
      proxy.blocked = true;
      proxy.cut();
    },
  ],
  ['has deleted a node', (): void => void one.delete(proxy.url)],
])('a controller that %s closes its own consumers behind it, and not those of another one', async (_what, lose) => {
  const told: string[] = [];
  ofOne.consumer.on('producerclose', () => told.push('producerclose'));
  roomOfOne.on('pathlost', () => told.push('pathlost'));
  lose();
  const streaming = sender.stream(10_000, () => ofOne.consumer.closed);
  await until('its own is closed', () => ofOne.consumer.closed);
  const sent = await streaming;
  expect(await countPackets(sender, [ofOther], PACKETS)).toEqual([PACKETS]);
  await until('the other one has every packet', () => sent.every(number => ofOther.received.has(number)));
  expect([told, ofOther.consumer.closed, pipesAt(a), pipesAt(b)]).toEqual([['producerclose'], false, 1, 1]);
});

test('where nobody else is, the ends that lead there close at once', async () => {
  ofOther.transport.close();
  const left = b.mafalda.mafaldaRouters.get('room')!;
  // The other one leaves: then the first is alone in the room of the node.
  await inside(roomOfOther).leave();
  await until('there is one client in the room', () =>
    [...left.transports.values()].every(({ id }) => id !== ofOther.transport.id),
  );
  proxy.blocked = true;
  proxy.cut();
  await until('the pipe is gone', () => pipesAt(b) === 0);
});
