/** The nodes are the truth; controllers come, go and are several. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import type { PipeTransport } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaClient, RemoteMafaldaServer } from '../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { ServerProcess } from '../../helpers/serverProcess.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

const rtpParameters = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
  encodings: [{ ssrc: 1111 }],
};

async function connected(nodes: Iterable<string>): Promise<MafaldaHorizontal> {
  const mafalda = opened(new MafaldaHorizontal(nodes));
  await once(mafalda, 'connected');
  return mafalda;
}

function countPipes({ mafalda }: Served): number {
  return [...mafalda.transports.values()].filter(({ type }) => type === 'pipe').length;
}

describe('two controllers of the same nodes, and one room', () => {
  let nodes: Served[];
  let controllers: MafaldaHorizontal[];
  let here: ReturnType<MafaldaHorizontal['createMafaldaRouter']>;
  let there: typeof here;

  beforeEach(async () => {
    nodes = await Promise.all(Array.from({ length: 3 }, async () => opened(await Served.create())));
    const urls = nodes.map(({ url }) => url);
    const options = { id: 'room', routerOptions: { mediaCodecs } };
    controllers = [await connected(urls), await connected(urls)];
    here = controllers[0]!.createMafaldaRouter(options);
    there = controllers[1]!.createMafaldaRouter(options);
  });

  /** On a node. */
  function on(node: number): { placement: { node: string } } {
    return { placement: { node: nodes[node]!.url } };
  }

  test('each consumes what the other produces, as soon as it knows the id, wherever that is', async () => {
    const [source, sink] = [await here.createDirectTransport(on(0)), await there.createDirectTransport(on(1))];
    const rtpCapabilities = await there.getRtpCapabilities();
    for (let round = 0; round < 10; ++round) {
      const { id: producerId } = await source.produce({
        kind: 'audio',
        rtpParameters: { ...rtpParameters, mid: String(round), encodings: [{ ssrc: round + 1 }] },
      });
      expect((await sink.consume({ producerId, rtpCapabilities })).producerId).toBe(producerId);
      const { id: dataProducerId } = await sink.produceData();
      expect((await source.consumeData({ dataProducerId })).dataProducerId).toBe(dataProducerId);
    }
    const { id: producerId } = await source.produce({
      kind: 'audio',
      rtpParameters: { ...rtpParameters, mid: 'x', encodings: [{ ssrc: 99 }] },
    });
    expect(await there.canConsume({ producerId, rtpCapabilities })).toBe(true);
    const observer = await there.createAudioLevelObserver(on(2));
    await observer.addProducer({ producerId });
    const { id: another } = await source.produce({
      kind: 'audio',
      rtpParameters: { ...rtpParameters, mid: 'y', encodings: [{ ssrc: 98 }] },
    });
    await observer.addProducer({ producerId: another });
    // They see the same.
    const [ours, theirs] = [await here.dump(), await there.dump()];
    expect([...there.transports.keys()].sort()).toEqual([...here.transports.keys()].sort());
    expect(theirs.workers.map(({ id }) => id).sort()).toEqual(ours.workers.map(({ id }) => id).sort());
  });

  test('both asking at once for the same pipe make one, or keep one', async () => {
    const source = await here.createDirectTransport(on(0));
    const sinks = [await here.createDirectTransport(on(1)), await there.createDirectTransport(on(1))];
    const rtpCapabilities = await there.getRtpCapabilities();
    for (let round = 1; round <= 5; ++round) {
      const { id: producerId } = await source.produce({
        kind: 'audio',
        rtpParameters: { ...rtpParameters, mid: String(round), encodings: [{ ssrc: round }] },
      });
      const consumers = await Promise.all(
        [...sinks, ...sinks].map(sink => sink.consume({ producerId, rtpCapabilities })),
      );
      expect(consumers.map(consumer => consumer.producerId)).toEqual(consumers.map(() => producerId));
      for (const { mafalda } of nodes.slice(0, 2)) {
        const pipes = [...mafalda.transports.values()].filter(
          (transport): transport is PipeTransport => transport.type === 'pipe',
        );
        expect(pipes).toHaveLength(1);
        await until('a single pipe of each stream is left', async () => {
          const { producerIds, consumerIds } = await pipes[0]!.dump();
          return producerIds.length + consumerIds.length === round;
        });
      }
    }
  });

  test('streams that both bring to the same node at once, to different Routers, arrive once in each', async () => {
    const options = { id: 'spread', routerOptions: { mediaCodecs }, watermarkWorker: 0 };
    const [one, other] = controllers.map(mafalda => mafalda.createMafaldaRouter(options));
    const sender = await RtpSender.create(one!, 'audio');
    const receivers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => RtpReceiver.create(index % 2 ? one! : other!, sender.producer.id)),
    );
    await openPath(sender, receivers);
    expect(await countPackets(sender, receivers, 50)).toEqual(receivers.map(() => 50));
    await one!.close();
  });

  test('a node that nobody has put anything on has nothing of it', async () => {
    await here.createDirectTransport(on(0));
    await there.createDirectTransport(on(1));
    await until('each sees both', () => [here, there].every(({ routers }) => routers.size === 2));
    await Promise.all([here.dump(), there.dump()]);
    expect(nodes.map(({ mafalda }) => mafalda.workers.size)).toEqual([1, 1, 0]);
    expect(nodes.map(({ mafalda }) => mafalda.mafaldaRouters.size)).toEqual([1, 1, 0]);
  });

  test('when one closes it, the other one’s is closed as well, and the next by that id is a new one', async () => {
    await here.createDirectTransport(on(0));
    const transport = await there.createDirectTransport(on(1));
    // A part that the closing controller has had no word of yet is not closed.
    await until('each sees both', () => [here, there].every(({ routers }) => routers.size === 2));
    const closed = once(there, 'close');
    await here.close();
    await closed;
    expect([there.closed, transport.closed]).toEqual([true, true]);
    await Promise.all(nodes.map(({ mafalda }) => until('nothing is left', () => mafalda.mafaldaRouters.size === 0)));
  });

  test('one that gives up a node, or closes altogether, leaves there what the other one has made', async () => {
    const made = await Promise.all(
      [0, 1, 2].flatMap(node => [here.createDirectTransport(on(node)), there.createDirectTransport(on(node))]),
    );
    const atNode = (node: number): string[] => [...nodes[node]!.mafalda.transports.keys()];
    const ids = made.map(({ id }) => id);
    await until('each sees the other’s', () =>
      [here, there].every(({ transports }) => ids.every(id => transports.has(id))),
    );

    controllers[0]!.delete(nodes[0]!.url);
    expect(made.map(({ closed }) => closed)).toEqual([true, false, false, false, false, false]);
    await until('only the other one’s is left', () => atNode(0).length === 1);
    expect(atNode(0)).toEqual([ids[1]]);
    expect([here.transports.size, here.closed]).toEqual([4, false]);

    await controllers[0]!.close();
    await until('the other one sees only its own', () => there.transports.size === 3);
    expect([...there.transports.keys()].sort()).toEqual([ids[1], ids[3], ids[5]].sort());
    expect([1, 2].map(atNode)).toEqual([[ids[3]], [ids[5]]]);
    await controllers[1]!.close();
    await Promise.all(nodes.map(({ mafalda }) => until('nothing is left', () => mafalda.mafaldaRouters.size === 0)));
  });

  test('one that asks for it by its id only gets the RTP capabilities that it has', async () => {
    const expected = await here.getRtpCapabilities();
    await here.createDirectTransport(on(1));
    const third = (await connected(nodes.map(({ url }) => url))).createMafaldaRouter({ id: 'room' });
    expect(await third.getRtpCapabilities()).toEqual(expected);
    expect([...third.transports.keys()]).toEqual([...here.transports.keys()]);
  });

  test('one that knows the id only may be the first at every node', async () => {
    const byId = (await connected(nodes.map(({ url }) => url))).createMafaldaRouter({ id: 'observed' });
    await (byId as PipeableMafaldaRouter).attach();
    const knowing = controllers[1]!.createMafaldaRouter({ id: 'observed', routerOptions: { mediaCodecs } });
    const errors: Error[] = [];
    knowing.on('error', error => errors.push(error));
    for (const node of [0, 1, 2]) await knowing.createDirectTransport(on(node));
    expect(errors).toEqual([]);
    expect(await byId.getRtpCapabilities()).toEqual(await knowing.getRtpCapabilities());
    await until('it sees them', () => byId.transports.size === 3);
  });

  test('one that knows the id only may be the first through a server of the tier above, too', async () => {
    const middle = opened(
      new RemoteMafaldaServer(await connected(nodes.map(({ url }) => url)), { host: '127.0.0.1', auth: false }),
    );
    await middle.listen();
    const [byId, knowing] = [opened(new RemoteMafaldaClient(middle.url)), opened(new RemoteMafaldaClient(middle.url))];
    const observed = byId.createMafaldaRouter({ id: 'observed' });
    await (observed as PipeableMafaldaRouter).attach();
    const room = knowing.createMafaldaRouter({ id: 'observed', routerOptions: { mediaCodecs } });
    const transport = await room.createDirectTransport();
    await transport.produce({ kind: 'audio', rtpParameters });
    expect(await observed.getRtpCapabilities()).toEqual(await room.getRtpCapabilities());
    expect((await observed.dump()).options.routerOptions).toEqual({ mediaCodecs });
    await observed.createDirectTransport();
  });

  test('one that means another room by the same id is refused', async () => {
    await here.createDirectTransport(on(0));
    const third = (await connected(nodes.map(({ url }) => url))).createMafaldaRouter({
      id: 'room',
      routerOptions: { mediaCodecs: [] },
    });
    const told = new Promise<Error>(resolve => third.once('error', resolve));
    await expect(third.createDirectTransport(on(1))).rejects.toThrow(/exists with different routerOptions/);
    expect((await told).message).toMatch(/exists with different routerOptions/);
  });
});

describe('a room that is in use', () => {
  test.concurrent('is seen on nodes that are added where others have it, and on those that come back', async () => {
    const [a, b] = [opened(await Served.create()), opened(await Served.create())];
    const mafalda = await connected([a.url]);
    const mafaldaRouter = mafalda.createMafaldaRouter({ id: 'room' });
    await mafaldaRouter.createDirectTransport();
    const atB = await b.mafalda.createMafaldaRouter({ id: 'room' }).createDirectTransport();
    mafalda.add(b.url);
    await until('it is seen there', () => mafaldaRouter.transports.has(atB.id));
    const { port } = new URL(b.url);
    await b.server.close();
    await b.mafalda.close();
    const again = opened(await Served.create({ port: Number(port) }));
    const back = await again.mafalda.createMafaldaRouter({ id: 'room' }).createDirectTransport();
    await until('it is seen again', () => mafaldaRouter.transports.has(back.id));
    const [local, unused] = [1, 2].map(() => opened(new Mafalda(mediasoup, { workerBudget: false })));
    const here = await local!.createMafaldaRouter({ id: 'room' }).createDirectTransport();
    mafalda.add(local!).add(unused!);
    await until('it is seen here', () => mafaldaRouter.transports.has(here.id));
    expect(unused!.mafaldaRouters.has('room')).toBe(false);
  });

  test.concurrent('does not wait for a node that is slow', async () => {
    const [a, b] = [opened(await Served.create()), opened(await ServerProcess.create())];
    const mafalda = await connected([a.url, b.url]);
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    // On a busy machine a Worker takes its time to start.
    await Promise.all([a.url, b.url].map(node => mafaldaRouter.createDirectTransport({ placement: { node } })));
    b.signal('SIGSTOP');
    const told: string[] = [];
    const note = (what: string) => (): void => void told.push(what);
    const here = { placement: { node: a.url } };
    const work = async (): Promise<void> => {
      const [source, sink] = [
        await mafaldaRouter.createDirectTransport(here),
        await mafaldaRouter.createDirectTransport(here),
      ];
      const { id: dataProducerId } = await source.produceData();
      await sink.consumeData({ dataProducerId });
    };
    await Promise.all([work().then(note('work')), mafaldaRouter.dump().then(note('dump'))]);
    // What is known of the node that is slow is given up waiting for after seconds only.
    expect(told).toEqual(['work', 'dump']);
    b.signal('SIGCONT');
  });
});

describe('a controller that is killed', () => {
  test.concurrent('and starts again finds its room, with all that is in it, and goes on', async () => {
    const nodes = [opened(await Served.create()), opened(await Served.create())];
    const urls = nodes.map(({ url }) => url);
    const script = fileURLToPath(new URL('../../helpers/processes/controller.ts', import.meta.url));
    const child = fork(script, urls, { execArgv: ['--import', 'tsx'] });
    const [made] = (await once(child, 'message')) as [{ transports: string[]; producerId: string; consumerId: string }];
    const before = nodes.map(({ mafalda }) => [...mafalda.transports.keys()].sort());
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;

    const mafaldaRouter = (await connected(urls)).createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
    for (const id of made.transports) expect(mafaldaRouter.transports.get(id)?.closed).toBe(false);
    expect(mafaldaRouter.routers.size).toBe(2);
    expect(nodes.map(({ mafalda }) => [...mafalda.transports.keys()].sort())).toEqual(before);
    const dump = JSON.stringify(await mafaldaRouter.dump());
    expect([dump.includes(made.producerId), dump.includes(made.consumerId)]).toEqual([true, true]);

    // The pipe is still there, and is shared.
    const pipes = nodes.map(countPipes);
    expect(pipes).toEqual([1, 1]);
    const sink = await mafaldaRouter.createDirectTransport({ placement: { node: urls[1]! } });
    const consumer = await sink.consume({ producerId: made.producerId, rtpCapabilities });
    expect(nodes.map(countPipes)).toEqual(pipes);
    const closed = once(consumer, 'producerclose');
    mafaldaRouter.transports.get(made.transports[0]!)!.close();
    await closed;
    await mafaldaRouter.close();
    await Promise.all(nodes.map(({ mafalda }) => until('nothing is left', () => mafalda.mafaldaRouters.size === 0)));
  });
});

describe('a second controller of the same nodes', () => {
  test.concurrent('sees a producer close through a pipe that the first one made before it died', async () => {
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
    const consumer = await transport.consume({
      producerId: 'mic',
      rtpCapabilities: await ofSecond.getRtpCapabilities(),
    });

    const gone = once(first, 'nodedisconnected');
    for (const proxy of proxies) await proxy.close();
    await gone;
    ofSecond.transports.get(source.id)!.close();
    await until('the consumer knows that its producer is closed', () => consumer.closed);
  });

  test.concurrent('may be a plain client of one node', async () => {
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
    const receivers = await Promise.all(
      Array.from({ length: 2 }, () => RtpReceiver.create(mafaldaRouter, sender.producer.id)),
    );
    sender.transport.close();
    await until('its consumers have closed', () => receivers.every(({ consumer }) => consumer.closed));
    for (const { transport } of receivers) transport.close();
  });
});

describe('a MafaldaHorizontal that is served', () => {
  test.concurrent('leaves what it shares with other controllers of its nodes to them', async () => {
    const leaf = opened(await Served.create());
    const middle = await connected([leaf.url]);
    const server = opened(new RemoteMafaldaServer(middle, { host: '127.0.0.1', auth: false }));
    await server.listen();
    const [top, beside] = [await connected([server.url]), await connected([leaf.url])];
    const mine = await top.createMafaldaRouter({ id: 'room' }).createDirectTransport();
    const theirs = await beside.createMafaldaRouter({ id: 'room' }).createDirectTransport();
    expect(leaf.mafalda.transports.size).toBe(2);
    await top.close();
    await until('it has left', () => !leaf.mafalda.transports.has(mine.id));
    expect([theirs.closed, leaf.mafalda.transports.has(theirs.id)]).toEqual([false, true]);
  });

  test.concurrent(
    'loses a node of its own, and the tier above uses the same Worker again when it is back',
    async () => {
      const leaf = opened(await Served.create());
      const proxy = opened(await CutProxy.create(leaf.url));
      const middle = opened(new MafaldaHorizontal([proxy.url]));
      await once(middle, 'connected');
      const server = opened(new RemoteMafaldaServer(middle, { host: '127.0.0.1', auth: false }));
      await server.listen();
      const top = await connected([server.url]);
      // Somebody else keeps the Worker alive.
      await (await connected([leaf.url])).createMafaldaRouter().createDirectTransport();
      const mafaldaRouter = top.createMafaldaRouter({ id: 'room' });
      const transport = await mafaldaRouter.createDirectTransport();
      const [before] = [...mafaldaRouter.workers.values()];
      const gone = [once(transport, 'routerclose'), once(before!, 'subprocessclose')];
      proxy.blocked = true;
      proxy.cut();
      await Promise.all(gone);
      expect([mafaldaRouter.closed, mafaldaRouter.workers.size]).toEqual([false, 0]);

      const back = once(middle, 'nodeconnected');
      proxy.blocked = false;
      await back;
      const again = await mafaldaRouter.createDirectTransport();
      expect(mafaldaRouter.transports.get(again.id)).toBe(again);
      expect([...mafaldaRouter.workers.values()].map(({ pid, closed }) => ({ pid, closed }))).toEqual([
        { pid: before!.pid, closed: false },
      ]);
    },
  );

  test.concurrent('is a node of the tier above', async () => {
    const leaves = [opened(await Served.create()), opened(await Served.create())];
    const middle = opened(
      new MafaldaHorizontal(
        leaves.map(({ url }) => url),
        { strategy: candidates => [...candidates].sort((x, y) => x.placed - y.placed)[0] },
      ),
    );
    await once(middle, 'connected');
    const server = opened(new RemoteMafaldaServer(middle, { host: '127.0.0.1', auth: false }));
    await server.listen();
    const top = opened(new MafaldaHorizontal([server.url]));
    await once(top, 'connected');
    const mafaldaRouter = top.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const sender = await RtpSender.create(mafaldaRouter, 'audio');
    const receivers = await Promise.all(
      Array.from({ length: 3 }, () => RtpReceiver.create(mafaldaRouter, sender.producer.id)),
    );
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
