/** Nodes die, freeze, can't be reached, and come back: nobody waits for ever, and the rest does not notice. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Consumer, DirectTransport, RtpCapabilities, Transport } from 'mediasoup/types';
import { MafaldaHorizontal, RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { ServerProcess } from '../../helpers/serverProcess.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

const NODE_TIMEOUT_MS = 1000;

const routerOptions = { mediaCodecs };
const codecs = [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }];

type Room = ReturnType<MafaldaHorizontal['createMafaldaRouter']>;

/** A cluster of a node that is about to be in trouble, and two that are not, with a room on the first and one on the others. */
class Trouble {
  readonly mafalda: MafaldaHorizontal;
  readonly room: Room;
  readonly elsewhere: Room;
  readonly #url: string;
  readonly #b: Served;
  readonly #c: Served;
  #rtpCapabilities!: RtpCapabilities;
  #ssrc = 1;

  static async create(url: string): Promise<Trouble> {
    const [b, c] = [opened(await Served.create()), opened(await Served.create())];
    const mafalda = opened(new MafaldaHorizontal([url, b.url, c.url], { nodeTimeout: NODE_TIMEOUT_MS }));
    await once(mafalda, 'connected');
    const trouble = new Trouble(mafalda, url, b, c);
    trouble.#rtpCapabilities = await trouble.room.getRtpCapabilities();
    return trouble;
  }

  private constructor(mafalda: MafaldaHorizontal, url: string, b: Served, c: Served) {
    this.mafalda = mafalda;
    this.#url = url;
    this.#b = b;
    this.#c = c;
    this.room = mafalda.createMafaldaRouter({ id: 'room', routerOptions });
    this.elsewhere = mafalda.createMafaldaRouter({ id: 'elsewhere', routerOptions });
  }

  there(): Promise<DirectTransport> {
    return this.room.createDirectTransport(on(this.#url));
  }

  /** On a node without trouble. */
  get onHealthy() {
    return on(this.#b.url);
  }

  here(): Promise<DirectTransport> {
    return this.room.createDirectTransport(this.onHealthy);
  }

  isThere(transport: Transport): boolean {
    return (this.mafalda.nodeOf(transport) as { url?: string } | undefined)?.url === this.#url;
  }

  async produce(transport: DirectTransport): Promise<string> {
    const ssrc = this.#ssrc++;
    return (
      await transport.produce({ kind: 'audio', rtpParameters: { mid: String(ssrc), codecs, encodings: [{ ssrc }] } })
    ).id;
  }

  consume(transport: DirectTransport, producerId: string): Promise<Consumer> {
    return transport.consume({ producerId, rtpCapabilities: this.#rtpCapabilities });
  }

  /** Streams run both ways between the node and b, and others between b and c. Then the trouble comes. */
  async strike(strike: () => void): Promise<void> {
    const [source, sink] = [await this.there(), await this.here()];
    const out = await this.consume(sink, await this.produce(source));
    const back = await this.consume(source, await this.produce(sink));
    const spare = await this.produce(source);
    const sender = await RtpSender.create(this.elsewhere, 'audio', undefined, on(this.#b.url));
    const receivers = await Promise.all(
      [this.#b.url, this.#c.url].map(url => RtpReceiver.create(this.elsewhere, sender.producer.id, on(url))),
    );
    await openPath(sender, receivers);

    const told: string[] = [];
    source.on('routerclose', () => told.push('routerclose'));
    source.observer.on('close', () => told.push('transport close'));
    back.on('transportclose', () => told.push('transportclose'));
    out.on('producerclose', () => told.push('producerclose'));
    const lost = once(this.mafalda, 'nodedisconnected');
    strike();
    const calls = [source.getStats(), source.produceData(), this.consume(sink, spare), back.pause()];
    const packets = countPackets(sender, receivers, 200);
    await lost;
    // From now on nothing new goes there.
    const others = await Promise.all(Array.from({ length: 4 }, () => this.room.createDirectTransport()));
    expect(others.some(transport => this.isThere(transport))).toBe(false);

    for (const result of await Promise.allSettled(calls)) expect(result.status).toBe('rejected');
    await until('all has closed, and has told so', () => out.closed && source.closed && told.length >= 4);
    expect(told.sort()).toEqual(['producerclose', 'routerclose', 'transport close', 'transportclose']);
    expect(this.room.transports.has(source.id)).toBe(false);
    expect(await packets).toEqual([200, 200]);
    await until('what came from there is gone', () =>
      [...this.#b.mafalda.mafaldaRouters.get('room')!.transports.values()].every(({ type }) => type !== 'pipe'),
    );
  }

  /** Things can be put there again, and streams flow. */
  async returns(): Promise<void> {
    await until(
      'it is used again',
      async () => {
        const transport = await this.there().catch(() => undefined);
        return transport !== undefined && this.isThere(transport);
      },
      20_000,
    );
    const sender = await RtpSender.create(this.room, 'audio', undefined, on(this.#url));
    const receivers = await Promise.all(
      [this.#url, this.#b.url].map(url => RtpReceiver.create(this.room, sender.producer.id, on(url))),
    );
    await openPath(sender, receivers);
    expect(await countPackets(sender, receivers, 20)).toEqual([20, 20]);
  }
}

function on(url: string): { placement: { node: string } } {
  return { placement: { node: url } };
}

test('a server that is killed', async () => {
  const server = opened(await ServerProcess.create());
  const trouble = await Trouble.create(server.url);
  await trouble.strike(() => server.signal('SIGKILL'));
  opened(await ServerProcess.create({ port: Number(new URL(server.url).port) }));
  await trouble.returns();
});

test('a server that is stopped, and goes on later', async () => {
  const server = opened(await ServerProcess.create());
  const trouble = await Trouble.create(server.url);
  await trouble.strike(() => server.signal('SIGSTOP'));
  server.signal('SIGCONT');
  await trouble.returns();
});

test('the only server that there is: the room stays open for its return', async () => {
  // A silence of the only one may as well be our own network's: then the server's own time-out counts.
  const server = opened(await ServerProcess.create({ sessionTimeout: 2 * NODE_TIMEOUT_MS }));
  const mafalda = opened(new MafaldaHorizontal([server.url], { nodeTimeout: NODE_TIMEOUT_MS }));
  await once(mafalda, 'connected');
  const room = mafalda.createMafaldaRouter({ id: 'room', routerOptions });
  const transport = await room.createDirectTransport();
  const closed = once(transport, 'routerclose');
  const told = once(mafalda, 'nodedisconnected');
  server.signal('SIGSTOP');
  await Promise.all([told, closed]);
  expect([room.closed, room.transports.size]).toEqual([false, 0]);
  await expect(room.createDirectTransport()).rejects.toThrow(/none of the 1 nodes is connected/);
  const back = once(mafalda, 'nodeconnected');
  server.signal('SIGCONT');
  await back;
  await expect(room.createDirectTransport()).resolves.toBeDefined();
  await until('what was there before is gone', () => room.transports.size === 1);
});

describe('a server that can’t be reached', () => {
  async function behindProxy(): Promise<{ a: Served; proxy: CutProxy; cut: () => void }> {
    const a = opened(await Served.create());
    const proxy = opened(await CutProxy.create(a.url));
    const cut = (): void => {
      proxy.blocked = true;
      proxy.cut();
    };
    return { a, proxy, cut };
  }

  test('for a while', async () => {
    const { proxy, cut } = await behindProxy();
    const trouble = await Trouble.create(proxy.url);
    await trouble.strike(cut);
    proxy.blocked = false;
    await trouble.returns();
  });

  test('while others can, does not keep what was given up, and loses nothing of the others’', async () => {
    const { a, proxy, cut } = await behindProxy();
    const trouble = await Trouble.create(proxy.url);
    const other = opened(new RemoteMafaldaClient(a.url));
    await untilConnected(other);
    const theirRoom = other.createMafaldaRouter({ id: 'room', routerOptions });
    const theirs = await theirRoom.createDirectTransport();
    const [mine, sink] = [await trouble.there(), await trouble.here()];
    const theirProducer = await trouble.produce(theirs);
    const consumer = await trouble.consume(sink, theirProducer);
    const pipes = (): Transport[] => [...a.mafalda.transports.values()].filter(({ type }) => type === 'pipe');
    expect(pipes()).toHaveLength(1);

    const closed = [once(mine, 'routerclose'), once(consumer, 'producerclose')];
    cut();
    await Promise.all(closed);
    expect(a.mafalda.transports.has(mine.id)).toBe(true);
    const back = once(trouble.mafalda, 'nodeconnected');
    proxy.blocked = false;
    await back;
    await until('what was given up is closed', () => !a.mafalda.transports.has(mine.id));
    expect(a.mafalda.transports.has(theirs.id)).toBe(true);
    await until('no pipe sends what nobody receives', () => pipes().length === 0);
    const again = await trouble.consume(sink, theirProducer);
    expect([theirs.closed, again.closed]).toEqual([false, false]);
  });

  test('loses no time and no pipe when its streams are consumed again at once', async () => {
    const { a, proxy, cut } = await behindProxy();
    const trouble = await Trouble.create(proxy.url);
    const other = opened(new RemoteMafaldaClient(a.url));
    await untilConnected(other);
    const sender = await RtpSender.create(other.createMafaldaRouter({ id: 'room', routerOptions }), 'audio');
    const consume = (): Promise<RtpReceiver> => RtpReceiver.create(trouble.room, sender.producer.id, trouble.onHealthy);
    const { consumer } = await consume();
    const closed = once(consumer, 'producerclose');
    cut();
    await closed;
    const back = once(trouble.mafalda, 'nodeconnected');
    proxy.blocked = false;
    await back;
    const again = await consume();
    await openPath(sender, [again]);
    expect(await countPackets(sender, [again], 20)).toEqual([20]);
  });
});
