/** `message`, `rtp` and `rtcp` come so often that only those are told over the wire who listen. */
import { beforeEach, expect, test } from '@jest/globals';
import type { EventEmitter } from 'node:events';
import { RemoteMafaldaClient, type MafaldaRouter } from '../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { DirectSender, pictureLossIndication } from '../../helpers/directRtp.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';
import { WireTap } from '../../helpers/wireTap.ts';

const COUNT = 5;

const opened = closingAfterEach();

let wire: WireTap;
let maker: MafaldaRouter;
let other: MafaldaRouter;

/** One client makes everything; the other one is attached to the same MafaldaRouter, over a wire that is listened in. */
beforeEach(async () => {
  const served = opened(await Served.create());
  wire = opened(await WireTap.create(served.url));
  const [one, two] = [opened(new RemoteMafaldaClient(served.url)), opened(new RemoteMafaldaClient(wire.url))];
  await Promise.all([untilConnected(one), untilConnected(two)]);
  const options = { id: 'room', routerOptions: { mediaCodecs } };
  [maker, other] = [one.createMafaldaRouter(options), two.createMafaldaRouter(options)];
  await maker.getRtpCapabilities();
  await other.getRtpCapabilities();
});

/** What emits such an event, at its maker's, and what makes it do so. */
interface Source {
  emitter: EventEmitter;
  provoke: () => void;
}

const sources: Record<'message' | 'rtp' | 'rtcp', () => Promise<Source>> = {
  message: async () => {
    const transport = await maker.createDirectTransport();
    const producer = await transport.produceData();
    return {
      emitter: await transport.consumeData({ dataProducerId: producer.id }),
      provoke: () => producer.send('hello'),
    };
  },
  rtp: async () => {
    const sender = await DirectSender.create(maker, 'audio');
    const rtpCapabilities = await maker.getRtpCapabilities();
    const consumer = await sender.transport.consume({ producerId: sender.producer.id, rtpCapabilities });
    return { emitter: consumer, provoke: () => void sender.send() };
  },
  rtcp: async () => {
    const sender = await DirectSender.create(maker, 'video');
    const transport = await maker.createDirectTransport();
    const rtpCapabilities = await maker.getRtpCapabilities();
    const consumer = await transport.consume({ producerId: sender.producer.id, rtpCapabilities });
    return {
      emitter: sender.transport,
      provoke: () => {
        // A key frame answers what was asked before, and so the next request is passed on.
        for (let packet = 0; packet < 10; ++packet) sender.send();
        transport.sendRtcp(pictureLossIndication(consumer.rtpParameters.encodings![0]!.ssrc!));
      },
    };
  },
};

test.each(['message', 'rtp', 'rtcp'] as const)('%s is told to another client only while it listens', async name => {
  const told = `"name":"${name}"`;
  const { emitter, provoke } = await sources[name]();
  let [atMaker, atOther] = [0, 0];
  emitter.on(name, () => ++atMaker);
  /** Makes it happen some times more, and waits until nothing of that can still be on its way to the other client. */
  const happen = async (): Promise<void> => {
    for (let times = 0; times < COUNT; ++times) {
      const before = atMaker;
      provoke();
      await until('its maker is told', () => atMaker > before);
    }
    await other.getResourceUsages();
  };
  await happen();
  expect(wire.count(told)).toBe(0);

  const mirror = mirrorOf(emitter);
  const listener = (): void => void ++atOther;
  mirror.on(name, listener);
  await other.getResourceUsages();
  const before = atMaker;
  await happen();
  expect([atOther, wire.count(told)]).toEqual([atMaker - before, atMaker - before]);

  mirror.off(name, listener);
  await other.getResourceUsages();
  await happen();
  expect(wire.count(told)).toBe(atOther);

  const once = new Promise(resolve => mirror.once(name, resolve));
  await other.getResourceUsages();
  await happen();
  await once;
  const heard = wire.count(told);
  await happen();
  expect(wire.count(told)).toBe(heard);
});

test('its maker is told from the very first one on, and no more when it has stopped listening', async () => {
  const transport = await maker.createDirectTransport();
  const producer = await transport.produceData();
  const consumer = await transport.consumeData({ dataProducerId: producer.id });
  producer.send('first');
  const messages: string[] = [];
  const listener = (message: Buffer): void => void messages.push(message.toString());
  consumer.on('message', listener);
  producer.send('second');
  await until('it has come', () => messages.includes('second'));
  expect(messages).toEqual(['first', 'second']);
  consumer.off('message', listener);
  producer.send('third');
  await maker.getResourceUsages();
  consumer.on('message', listener);
  await maker.getResourceUsages();
  producer.send('fourth');
  await until('it has come', () => messages.includes('fourth'));
  expect(messages).toEqual(['first', 'second', 'fourth']);
});

/** The same object at the other client. */
function mirrorOf(object: EventEmitter): EventEmitter {
  const { id } = object as unknown as { id: string };
  for (const node of (other as PipeableMafaldaRouter).tree.nodes()) if (node.id === id) return node.object;
  throw new Error(`the other client does not know ${id}`);
}
