/** A server knows who has made what: nothing stays that nobody owns, and nothing goes that is another one's. */
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import type { Router } from 'mediasoup/types';
import {
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type MafaldaRouter,
  type Orphans,
  type RemoteMafaldaServerOptions,
} from '../../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import { BareClient } from '../../helpers/bareClient.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { inside } from '../../helpers/inside.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

let served: Served;
let proxy: CutProxy;
/** A client that can be cut off, and one that shares its MafaldaRouter. */
let one: RemoteMafaldaClient;
let other: RemoteMafaldaClient;
let room: MafaldaRouter;
let shared: MafaldaRouter;
let theirs: string;

async function begin(options: Partial<RemoteMafaldaServerOptions> = {}, sessionTimeout = 400): Promise<void> {
  served = opened(await Served.create(options));
  proxy = opened(await CutProxy.create(served.url));
  [one, other] = [
    opened(new RemoteMafaldaClient(proxy.url, { sessionTimeout })),
    opened(new RemoteMafaldaClient(served.url)),
  ];
  await Promise.all([untilConnected(one), untilConnected(other)]);
  [room, shared] = [one.createMafaldaRouter({ id: 'room' }), other.createMafaldaRouter({ id: 'room' })];
  theirs = (await shared.createDirectTransport()).id;
}

const atServer = (): string[] => [...served.mafalda.transports.keys()];

/** From here on neither side hears the other one. */
function cutOff(): void {
  proxy.blocked = true;
  proxy.cut();
}

async function reconnect(): Promise<void> {
  const connected = once(one, 'connected');
  proxy.blocked = false;
  await connected;
}

describe('what calls are making, when their client', () => {
  const count = 60;

  beforeEach(() => begin());

  /** @returns when all calls have an answer, or none */
  async function makeMany(): Promise<() => Promise<void>> {
    await room.createDirectTransport();
    const calls = Promise.allSettled(Array.from({ length: count }, () => room.createDirectTransport()));
    return async () => void (await calls);
  }

  test('leaves the MafaldaRouter, closes with it', async () => {
    const settled = await makeMany();
    await (room as PipeableMafaldaRouter).leave();
    await settled();
    await until('only the other one’s is left', () => atServer().length === 1);
    expect(atServer()).toEqual([theirs]);
    await until('the other one knows', () => shared.transports.size === 1);
  });

  test('leaves while it pipes from Router to Router by itself, closes at both ends', async () => {
    const attach = async (id: string): Promise<[source: Router, mine: PipeableMafaldaRouter]> => {
      const mine = one.createMafaldaRouter({ id }) as PipeableMafaldaRouter;
      await mine.attach();
      return [[...mine.routers.values()][0]!, mine];
    };
    const transport = await other.createMafaldaRouter({ id: 'source' }).createDirectTransport();
    const producers = await Promise.all(Array.from({ length: count }, () => transport.produceData()));
    const [[source, mine], [router]] = [await attach('source'), await attach('room')];
    const piping = Promise.allSettled(producers.map(({ id }) => source.pipeToRouter({ dataProducerId: id, router })));
    await mine.leave();
    await piping;
    const { mafaldaRouters } = served.mafalda;
    const ends = (): number =>
      ['source', 'room']
        .flatMap(id => [...inside(mafaldaRouters.get(id)!).tree.nodes()])
        .filter(({ type }) => type === 'dataProducer' || type === 'dataConsumer').length;
    await until('only what the other one has made is left', () => ends() === count);
    expect(producers.map(({ closed }) => closed)).toEqual(producers.map(() => false));
  });

  test('is away for too long, closes if the client has not heard of it', async () => {
    await served.close();
    await begin({ sessionTimeout: 300 });
    const known = await room.createDirectTransport();
    // That this has arrived is told soon.
    await room.getRtpCapabilities();
    proxy.losing = 'answers';
    const settled = Promise.allSettled(Array.from({ length: count }, () => room.createDirectTransport()));
    await until('they are made', () => atServer().length === count + 2);
    cutOff();
    await settled;
    await until('the session is given up', () => served.server.counts.clients === 1);
    expect(atServer().sort()).toEqual([known.id, theirs].sort());
    expect(served.server.orphans).toMatchObject([{ mafaldaRouter: 'room', objects: [{ id: known.id }] }]);
  });
});

describe('what a client has made', () => {
  test('on a Transport of another one closes with it, too', async () => {
    await begin();
    await (room as PipeableMafaldaRouter).attach();
    const producer = await room.transports.get(theirs)!.produceData();
    const consumer = await shared.transports.get(theirs)!.consumeData({ dataProducerId: producer.id });
    const closed = once(consumer, 'dataproducerclose');
    await one.close();
    await closed;
    expect(atServer()).toEqual([theirs]);
  });

  test('is taken along by those in front of a server of the tier above', async () => {
    await begin();
    const node = opened(new RemoteMafaldaClient(served.url));
    await untilConnected(node);
    const middle = opened(new RemoteMafaldaServer(node, { host: '127.0.0.1', auth: false }));
    await middle.listen();
    const [top, beside] = [opened(new RemoteMafaldaClient(middle.url)), opened(new RemoteMafaldaClient(middle.url))];
    const [mine, stays] = [top.createMafaldaRouter({ id: 'room' }), beside.createMafaldaRouter({ id: 'room' })];
    const { id } = await stays.createDirectTransport();
    const calls = Promise.allSettled(Array.from({ length: 30 }, () => mine.createDirectTransport()));
    await (mine as PipeableMafaldaRouter).leave();
    await calls;
    await until('what it was making is gone', () => atServer().length === 2);
    expect(atServer().sort()).toEqual([id, theirs].sort());
  });

  test('that was killed stays for its return, can be seen, and closes when its time is over', async () => {
    await begin({ sessionTimeout: 200, orphanTimeout: 500 });
    const transport = await room.createDirectTransport();
    const producer = await transport.produceData();
    await room.getRtpCapabilities();
    const before = Date.now();
    cutOff();
    await until('the session is given up', () => served.server.orphans.length > 0);
    const [orphans]: Orphans[] = served.server.orphans;
    expect(orphans).toMatchObject({ name: undefined, mafaldaRouter: 'room' });
    expect(orphans!.objects.map(object => (object as { id: string }).id)).toEqual([transport.id, producer.id]);
    expect(orphans!.since).toBeGreaterThanOrEqual(before);
    const dump = await shared.dump();
    expect(dump.orphans).toEqual([
      { session: orphans!.session, since: orphans!.since, objects: [transport.id, producer.id] },
    ]);
    await until('its time is over', () => served.server.orphans.length === 0);
    expect(atServer()).toEqual([theirs]);
    expect((await shared.dump()).orphans).toEqual([]);
  });

  test('that was killed is the own of whoever uses it, and does not close when its time is over', async () => {
    await begin({ sessionTimeout: 200, orphanTimeout: 500 });
    const [used, unused] = [await room.createDirectTransport(), await room.createDirectTransport()];
    const producer = await used.produceData();
    await room.getRtpCapabilities();
    cutOff();
    await until('the session is given up', () => served.server.orphans.length > 0);
    // To look at something is not to use it.
    await shared.transports.get(unused.id)!.getStats();
    await shared.transports.get(used.id)!.consumeData({ dataProducerId: producer.id });
    await until('the time of the rest is over', () => !atServer().includes(unused.id));
    expect([served.server.orphans, atServer().sort()]).toEqual([[], [used.id, theirs].sort()]);
    expect(inside(served.mafalda.mafaldaRouters.get('room')!).streams.find(producer.id)).toHaveLength(1);
    const third = opened(new RemoteMafaldaClient(served.url));
    await (third.createMafaldaRouter({ id: 'room' }) as PipeableMafaldaRouter).attach();
    await other.close();
    await until('it has gone with its new owner', () => atServer().length === 0);
  });

  test('goes with the last one who uses the MafaldaRouter, or when somebody closes it', async () => {
    await begin({ sessionTimeout: 200 });
    const first = await room.createDirectTransport();
    await room.createDirectTransport();
    await room.getRtpCapabilities();
    cutOff();
    await until('the session is given up', () => served.server.orphans.length > 0);
    shared.transports.get(first.id)!.close();
    await until('one is left', () => served.server.orphans[0]?.objects.length === 1);
    served.server.orphans[0]!.objects[0]!.close();
    expect([served.server.orphans, atServer()]).toEqual([[], [theirs]]);
    await other.close();
    await served.untilEmpty();
  });

  test('closes when it is back after the server has given it up', async () => {
    await begin({ sessionTimeout: 200 });
    await room.createDirectTransport();
    await room.getRtpCapabilities();
    cutOff();
    await until('the session is given up', () => served.server.orphans.length > 0);
    await reconnect();
    await until('only the other one’s is left', () => atServer().length === 1);
    expect([served.server.orphans, atServer()]).toEqual([[], [theirs]]);
  });

  test('in a MafaldaRouter of the server’s own application goes with it, whether it says goodbye or not', async () => {
    await begin({ sessionTimeout: 200 });
    const own = served.mafalda.createMafaldaRouter({ id: 'own' });
    const { id } = await own.createDirectTransport();
    await one.createMafaldaRouter({ id: 'own' }).createDirectTransport();
    cutOff();
    await until('the session is given up', () => own.transports.size === 1);
    expect([...own.transports.keys()]).toEqual([id]);
    await own.close();
  });

  test('must be named by a session, not by whoever guesses a handle', async () => {
    await begin();
    const bare = await BareClient.connect(served.url, '');
    const answers = await Promise.all([
      bare.call(0, 'closeUnconfirmed', [{ mafaldaRouter: 'elsewhere', handles: [1, 2, 3, 4, 5] }]),
      bare.call(0, 'closeUnconfirmed', [{ mafaldaRouter: 'room', handles: ['x'] }]),
      bare.call(0, 'closeUnconfirmed', []),
    ]);
    expect(answers.map(({ error }) => error?.name)).toEqual([undefined, 'TypeError', 'TypeError']);
    expect(atServer()).toEqual([theirs]);
    await bare.close();
  });
});

describe('close()', () => {
  beforeEach(() => begin());

  test('that the server does not hear before the session is lost is performed when it is back, and is not shown until then', async () => {
    await (room as PipeableMafaldaRouter).attach();
    const foreign = room.transports.get(theirs)!;
    proxy.losing = 'requests';
    foreign.close();
    await until('it was lost', () => proxy.lost > 0);
    const closed = once(room, 'close');
    cutOff();
    await closed;
    proxy.losing = undefined;
    const again = one.createMafaldaRouter({ id: 'room' });
    const shown: string[] = [];
    (again as PipeableMafaldaRouter).tree.on('add', ({ id }) => shown.push(id));
    const attached = (again as PipeableMafaldaRouter).attach();
    await reconnect();
    await attached;
    expect([atServer(), shown.includes(theirs)]).toEqual([[], false]);
  });

  test('of a MafaldaRouter is performed, too, and not on another one of the same id', async () => {
    const { id } = served.mafalda.mafaldaRouters.get('room')!;
    await (room as PipeableMafaldaRouter).attach();
    const closing = async (): Promise<void> => {
      proxy.losing = 'requests';
      const lost = proxy.lost;
      const closed = room.close();
      await until('it was lost', () => proxy.lost > lost);
      cutOff();
      await closed.catch(() => undefined);
      proxy.losing = undefined;
    };
    await closing();
    const gone = once(shared, 'close');
    await reconnect();
    await gone;

    [room, shared] = [one.createMafaldaRouter({ id }), other.createMafaldaRouter({ id })];
    await Promise.all([room, shared].map(mafaldaRouter => (mafaldaRouter as PipeableMafaldaRouter).attach()));
    await closing();
    await shared.close();
    const another = await other.createMafaldaRouter({ id }).createDirectTransport();
    await reconnect();
    await one.getResourceUsages();
    expect(another.closed).toBe(false);
  });
});

test('after a long sleep nothing is said on the next connection before the session goes on', async () => {
  await begin({}, 30_000);
  await room.createDirectTransport();
  const lost: string[] = [];
  room.on('close', () => lost.push('close'));
  const reasons: string[] = [];
  one.on('disconnected', reason => reasons.push(reason));
  // As if the process had been stopped for a minute: socket.io finds out when something is said.
  const now = jest.spyOn(Date, 'now').mockImplementation(() => performance.timeOrigin + performance.now() + 60_000);
  const disconnected = once(one, 'disconnected');
  const calls = Promise.all(Array.from({ length: 5 }, () => room.createDirectTransport()));
  await disconnected;
  now.mockRestore();
  await calls;
  await one.getResourceUsages();
  expect([reasons, lost, atServer().length, room.transports.size]).toEqual([['ping timeout'], [], 7, 7]);
});
