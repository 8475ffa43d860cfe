/** The nodes are the truth; controllers come, go and are several. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { MafaldaHorizontal, RemoteMafaldaClient, RemoteMafaldaServer } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { mediaCodecs, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

describe('a second controller of the same nodes', () => {
  test('sees a producer close through a pipe that the first one made before it died', async () => {
    const [a, b] = [opened(await Served.create()), opened(await Served.create())];
    const proxies = [await CutProxy.create(a.url), await CutProxy.create(b.url)];
    const first = opened(new MafaldaHorizontal(proxies.map(({ url }) => url)));
    await once(first, 'connected');
    const ofFirst = first.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    const here = { placement: { node: proxies[0]!.url } };
    const there = { placement: { node: proxies[1]!.url } };
    const source = await ofFirst.createDirectTransport(here);
    const encodings = [{ ssrc: 1111 }];
    const codecs = [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }];
    await source.produce({ id: 'mic', kind: 'audio', rtpParameters: { codecs, encodings } });
    const sink = await ofFirst.createDirectTransport(there);
    await sink.consume({ producerId: 'mic', rtpCapabilities: await ofFirst.getRtpCapabilities() });

    const second = opened(new MafaldaHorizontal([a.url, b.url]));
    await once(second, 'connected');
    const ofSecond = second.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    const transport = await ofSecond.createDirectTransport({ placement: { node: b.url } });
    await ofSecond.createDirectTransport({ placement: { node: a.url } });
    const consumer = await transport.consume({ producerId: 'mic', rtpCapabilities: await ofSecond.getRtpCapabilities() });

    const gone = once(first, 'nodedisconnected');
    for (const proxy of proxies) await proxy.close();
    await gone;
    ofSecond.transports.get(source.id)!.close();
    await until('the consumer knows that its producer is closed', () => consumer.closed, 5000);
  });

  test('may be a plain client of one node', async () => {
    const [a, b] = [opened(await Served.create()), opened(await Served.create())];
    const horizontal = opened(new MafaldaHorizontal([a.url, b.url]));
    await once(horizontal, 'connected');
    const mafaldaRouter = horizontal.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    await mafaldaRouter.createDirectTransport({ placement: { node: a.url } });
    await mafaldaRouter.createDirectTransport({ placement: { node: b.url } });
    const client = opened(new RemoteMafaldaClient(a.url));
    await untilConnected(client);
    const atA = client.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    const sender = await RtpSender.create(atA, 'audio');
    await until('the horizontal one knows', () => mafaldaRouter.transports.has(sender.transport.id));
    const receivers = await Promise.all(Array.from({ length: 2 }, () => RtpReceiver.create(mafaldaRouter, sender.producer.id)));
    sender.transport.close();
    await until('its consumers have closed', () => receivers.every(({ consumer }) => consumer.closed));
    for (const { transport } of receivers) transport.close();
  });
});

describe('a MafaldaHorizontal that is served', () => {
  test('is a node of the tier above', async () => {
    const leaves = [opened(await Served.create()), opened(await Served.create())];
    const middle = opened(
      new MafaldaHorizontal(
        leaves.map(({ url }) => url),
        { strategy: candidates => [...candidates].sort((x, y) => x.placed - y.placed)[0] },
      ),
    );
    await once(middle, 'connected');
    const server = opened(new RemoteMafaldaServer(middle, { host: '127.0.0.1' }));
    await server.listen();
    const top = opened(new MafaldaHorizontal([server.url]));
    await once(top, 'connected');
    const mafaldaRouter = top.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const sender = await RtpSender.create(mafaldaRouter, 'audio');
    const receivers = await Promise.all(Array.from({ length: 3 }, () => RtpReceiver.create(mafaldaRouter, sender.producer.id)));
    expect(mafaldaRouter.routers.size).toBe(2);
    await sender.producer.pause();
    await until('all know that it is paused', () => receivers.every(({ consumer }) => consumer.producerPaused));
    process.kill([...leaves[0]!.mafalda.workers.values()][0]!.pid, 'SIGKILL');
    const [worker] = (await once(mafaldaRouter, 'workerdied')) as [{ closed: boolean; died: boolean }];
    expect([worker.closed, worker.died]).toEqual([true, true]);
    await top.close();
    await until('nothing is left', () => leaves.every(({ mafalda }) => mafalda.transports.size === 0));
  });
});
