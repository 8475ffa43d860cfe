/** A server that does not keep to the protocol loses its session, and the controller that it was told by goes on with the others. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { version } from 'mediasoup';
import { once } from 'node:events';
import { MafaldaHorizontal, RemoteMafaldaClient } from '../../../src/index.ts';
import { classes, descriptionOf, type ClassName } from '../../../src/remote/protocol/classes.ts';
import { membersOf } from '../../../src/remote/protocol/describe.ts';
import { stateTypes } from '../../../src/remote/protocol/validateServer.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { handshake as right, welcome } from '../../helpers/fuzz/hostileServer.ts';
import { HostileNode } from '../../helpers/hostileNode.ts';
import { RawWebSocketServer } from '../../helpers/rawWebSocketServer.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';
import { VictimProcess } from '../../helpers/victimProcess.ts';

const opened = closingAfterEach();
/** An opcode of WebSocket. */
const CLOSE = 8;
const worker = {
  handle: 1,
  className: 'SharedWorker',
  id: 'w',
  appData: {},
  state: { pid: 1, subprocessClosed: false },
};
const router = {
  handle: 2,
  className: 'Router',
  id: 'r',
  parent: 1,
  appData: {},
  state: { id: 'r', rtpCapabilities: {} },
};
const transport = {
  handle: 3,
  className: 'DirectTransport',
  id: 't',
  parent: 2,
  appData: {},
  state: { id: 't', type: 'direct' },
};
const add = (addition: object): object => ({ type: 'add', mafaldaRouter: 'room', addition });
const rightStart = [add(worker), add(router), add(transport)];

test.each(Object.keys(classes) as ClassName[])('the type of each property of a %s is known', className => {
  for (const name of membersOf(descriptionOf(className), 'fixed', 'changing'))
    expect(Object.keys(stateTypes)).toContain(name);
});

describe('a controller', () => {
  let good: Served;
  let victim: VictimProcess;

  beforeAll(async () => {
    good = await Served.create();
    victim = await VictimProcess.create(good.url);
  });

  afterAll(async () => {
    await victim.close();
    await good.close();
  });

  const wrong: [string, unknown][] = [
    ['nothing', null],
    ['an unknown type', { type: 'call' }],
    ['an answer without an id', { type: 'answer', result: 1 }],
    ['a failure without an error', { type: 'failure', id: 1 }],
    ['a failure whose error is none', { type: 'failure', id: 1, error: { name: {}, message: { toString: 1 } } }],
    ['an add without an addition', { type: 'add', mafaldaRouter: 'room' }],
    ['an object without a state', add({ ...transport, handle: 9, state: null })],
    ['an object without what makes it one', add({ ...transport, handle: 9, state: {} })],
    ['an object of an unknown class', add({ ...transport, handle: 9, className: 'constructor' })],
    ['a parent that is none', add({ ...transport, handle: 9, parent: '2' })],
    ['an object in one that can hold none', add({ ...transport, handle: 9, parent: 3 })],
    ['an object in itself', add({ ...transport, handle: 9, parent: 9.5 })],
    ['a handle that is none', add({ ...transport, handle: -1 })],
    ['a handle of another object', add({ ...transport, id: 'other' })],
    ['an object whose appData can’t be read', add({ ...transport, handle: 9, appData: { $bigint: 'x' } })],
    ['a property of a wrong type', add({ ...transport, handle: 9, state: { id: 't', type: {} } })],
    ['a Worker in a MafaldaRouter', add({ ...worker, handle: 9, className: 'Worker' })],
    ['an event without arguments', { type: 'event', handle: 3, name: 'trace' }],
    ['an event with changes that are none', { type: 'event', handle: 3, name: 'trace', args: [], changes: 5 }],
    ['a change of a wrong type', { type: 'change', handle: 2, changes: { rtpCapabilities: 'text' } }],
    ['a change without changes', { type: 'change', handle: 2 }],
    ['a close for a reason of its own', { type: 'close', handle: 3, cause: { name: 'error' } }],
    ['a close with an error that is none', { type: 'close', handle: 1, cause: { name: 'died', error: 5 } }],
    ['a MafaldaRouter without a name', { type: 'closeMafaldaRouter' }],
    ['an idempotency key that is none', add({ ...transport, handle: 9, key: { length: 1 } })],
    ['a key without end', add({ ...transport, handle: 9, key: 'k'.repeat(2001) })],
    ['objects of others that are no list', { type: 'disown', handles: 3 }],
    ['objects of others that are none', { type: 'disown', handles: [3, -1] }],
    ['a list that is none', { type: 'list', slot: 0, list: {} }],
    ['a list in a slot that is none', { type: 'list', slot: 128, list: [] }],
    ['a list that is too large', { type: 'list', slot: 0, list: ['x'.repeat(50_000)] }],
    [
      'a reference to a list that it has not told',
      add({ ...transport, handle: 9, state: { id: 't', type: 'direct', rtpParameters: { codecs: { $list: 3 } } } }),
    ],
    ['a held MafaldaRouter without a name', { type: 'held', ids: [5] }],
    ['released MafaldaRouters that are no list', { type: 'released', ids: { length: 1, 0: 'room' } }],
    ['a list of MafaldaRouters that says not what part it is', { type: 'heldRooms', ids: [] }],
  ];

  test.each(wrong)('survives %s, and says whose session has ended', async (_what, message) => {
    const node = opened(
      await HostileNode.create({ onConnection: connection => connection.tell(...rightStart, message) }),
    );
    await victim.meet(node.url);
    await until('it says so', async () => (await victim.state()).errors.length >= 2);
    for (const error of (await victim.state()).errors) expect(error).toContain(`${node.url}: the session can't go on`);
  });

  test.each([
    null,
    {},
    'text',
    { ...welcome(version), session: 5 },
    { ...welcome(version), loadInterval: 1e308 },
    { ...welcome(version), labels: null },
    { ...welcome(version), mediasoup: { version: 3 } },
  ])('survives a welcome that is none: %j', async word => {
    const node = opened(await HostileNode.create({ welcome: () => word }));
    await victim.meet(node.url);
    await until('it says so', async () => (await victim.state()).errors.length > 0);
    expect((await victim.state()).errors[0]).toBe(
      `${node.url}: what answers there is no Mafalda server: a malformed welcome`,
    );
  });

  const handshakes: [string, string][] = [
    ...['pingInterval', 'pingTimeout'].flatMap(name => [
      ...['1e999', '-1e999', '-5', '0', '2147483648', '"25000"', 'null', '{}'].map((value): [string, string] => [
        `${name} ${value}`,
        JSON.stringify({ ...right, [name]: 'HERE' }).replace('"HERE"', value),
      ]),
      [`no ${name}`, JSON.stringify({ ...right, [name]: undefined })] as [string, string],
    ]),
    ['times that are too long together', JSON.stringify({ ...right, pingInterval: 2e9, pingTimeout: 2e9 })],
    ['no id', JSON.stringify({ ...right, sid: undefined })],
    ['nothing', 'null'],
  ];

  test('takes no handshake whose times can be no timer’s, or which comes twice', async () => {
    const greet = (send: (text: string) => void, ...opening: string[]): void => {
      for (const handshake of opening) send(`0${handshake}`);
      send('40{"sid":"y"}');
      send(`42${JSON.stringify(['welcome', null])}`);
    };
    for (const [what, opening] of [
      ...handshakes.map(([name, handshake]) => [name, [handshake]] as const),
      ['twice', [right, right].map(word => JSON.stringify(word))] as const,
    ]) {
      let heard = Buffer.alloc(0);
      const server = opened(
        await RawWebSocketServer.create((send, socket) => {
          socket.on('data', (data: Buffer) => (heard = Buffer.concat([heard, data])));
          greet(send, ...opening);
        }),
      );
      await victim.meet(server.url, 0);
      await until(`it hangs up: ${what}`, () => opcodesIn(heard).includes(CLOSE));
      // It has not got as far as the welcome, which is none.
      expect([what, (await victim.state()).errors]).toEqual([what, []]);
    }
    const server = opened(await RawWebSocketServer.create(send => greet(send, JSON.stringify(right))));
    await victim.meet(server.url, 0);
    await until('it listens to one that greets as it should', async () => (await victim.state()).errors.length > 0);
    expect((await victim.state()).warnings).toEqual([]);
  });

  test('ends the session of a server that tells of more and more objects', async () => {
    const node = opened(
      await HostileNode.create({
        onConnection: ({ tell }) =>
          tell(
            ...rightStart,
            ...Array.from({ length: 200 }, (_, index) => add({ ...transport, handle: 10 + index, id: `t${index}` })),
          ),
      }),
    );
    await victim.meet(node.url, 1, { objects: 100 });
    await until('it says so', async () => (await victim.state()).errors.length > 0);
    const { errors, objects } = await victim.state();
    expect(errors[0]).toMatch(/more than 100 objects \(limits\.objects\)/);
    expect(objects[0]).toBe(0);
  });

  const plain = {
    handle: 4,
    className: 'PlainTransport',
    id: 'p',
    parent: 2,
    appData: {},
    state: { id: 'p', type: 'plain', tuple: {} },
  };
  const state = { ...plain.state, tuple: { localAddress: 'x'.repeat(200_000) } };
  test.each<[string, unknown]>([
    ['a change', { type: 'change', handle: plain.handle, changes: state }],
    ['an event', { type: 'event', handle: plain.handle, name: 'trace', args: [{}], changes: state }],
    ['another add', add({ ...plain, state })],
  ])('ends the session of a server that tells ever more of the same objects, by %s', async (_what, message) => {
    const node = opened(
      await HostileNode.create({ onConnection: ({ tell }) => tell(...rightStart, add(plain), message) }),
    );
    await victim.meet(node.url, 1, { objectBytes: 100_000 });
    await until('it says so', async () => (await victim.state()).errors.length > 0);
    expect((await victim.state()).errors[0]).toMatch(
      /objects that take more than 100000 bytes \(limits\.objectBytes\)/,
    );
  });
});

/** Of WebSocket's frames, which a client masks. */
function opcodesIn(frames: Buffer): number[] {
  const opcodes: number[] = [];
  for (let at = 0; at + 2 <= frames.length;) {
    const length = frames[at + 1]! & 0x7f;
    opcodes.push(frames[at]! & 0x0f);
    at += 6 + (length === 126 ? 2 + (at + 4 <= frames.length ? frames.readUInt16BE(at + 2) : 0) : length);
  }
  return opcodes;
}

test('a server that does not keep to the protocol is tried again ever more rarely', async () => {
  const node = opened(await HostileNode.create({ onConnection: ({ tell }) => tell(null) }));
  const client = opened(new RemoteMafaldaClient(node.url));
  let errors = 0;
  client.on('error', () => ++errors);
  await until('it was tried some times', () => node.connections.length >= 4, 30_000);
  const gaps = node.connections.slice(1, 4).map((at, index) => at - node.connections[index]!);
  for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThan(0.5 * 500 * 2 ** index - 50);
  expect(errors).toBeGreaterThanOrEqual(3);
});

test('servers that send a client to each other see it more rarely after a while', async () => {
  const connections: number[] = [];
  const sends = (id: string): Promise<HostileNode> =>
    HostileNode.create({
      welcome: () => ({ ...welcome(version), session: { id, received: 0 } }),
      onConnection: ({ socket }) => {
        connections.push(performance.now());
        // While the client is on its way here, it does not listen to that.
        const saying = setInterval(() => socket.emit('goodbye'), 20);
        socket.on('disconnect', () => clearInterval(saying));
      },
    });
  const [one, two] = [opened(await sends('one')), opened(await sends('two'))];
  const client = opened(new RemoteMafaldaClient([one.url, two.url]));
  await until('it was sent away often', () => connections.length >= 22, 60_000);
  expect(connections[21]! - connections[0]!).toBeGreaterThan(1900);
  await client.close();
});

test.each([
  ['a server that ends', 1, false],
  ['a pair of servers that ends', 2, false],
  ['a pair of servers that refuses, and ends', 2, true],
])('%s each connection at once sees the client more rarely after a while', async (_what, count, isRefused) => {
  const connections: number[] = [];
  const node = opened(
    await HostileNode.create({
      welcome: () => ({ ...welcome(version), session: { id: `session ${connections.length}`, received: 0 } }),
      onConnection: ({ socket }) => {
        connections.push(performance.now());
        if (isRefused) socket.emit('refused', 'for no reason');
        socket.disconnect(true);
      },
    }),
  );
  // Two names of one server.
  const client = opened(new RemoteMafaldaClient([node.url, `${node.url}/mafalda`].slice(0, count)));
  client.on('error', () => undefined);
  await until('it has come back often', () => connections.length >= 23, 60_000);
  expect(connections[22]! - connections[0]!).toBeGreaterThan(700);
});

test('loads that are no numbers from 0 up are ignored', async () => {
  const hosts = [{ cores: 2, cpu: 3, memory: { total: 8e9, free: 4e9 } }];
  const report = { load: 7, workers: [], hosts };
  const node = opened(
    await HostileNode.create({
      onConnection: ({ socket }) => {
        socket.emit('load', report);
        for (const load of [-1, -1e308, null, '5', {}]) socket.emit('load', { ...report, load });
        for (const cores of [0, -2, 0.5, null])
          socket.emit('load', { ...report, load: 1, hosts: [{ ...hosts[0], cores }] });
        socket.emit('load', { ...report, load: 1, workers: [{ id: 'w', cpu: -5 }] });
        socket.emit('load', { ...report, load: 8 });
      },
      onCall: ({ tell }, { id }) => tell({ type: 'answer', id, result: {}, load: -1e308 }),
    }),
  );
  const client = opened(new RemoteMafaldaClient(node.url));
  const told: number[] = [];
  client.on('load', load => told.push(load));
  await until('the last one has come', () => told.at(-1) === 8);
  await client.getResourceUsages();
  expect([told, client.load]).toEqual([[7, 8], 8]);
});

test('an answer that is not what was asked for fails the call', async () => {
  const node = opened(
    await HostileNode.create({
      onCall: ({ tell }, { id, method }) =>
        tell({ type: 'answer', id, result: method === 'createDirectTransport' ? { $ref: 2 } : undefined }),
      onConnection: ({ tell }) => tell(...rightStart),
    }),
  );
  const client = opened(new RemoteMafaldaClient(node.url));
  const room = client.createMafaldaRouter({ id: 'room' });
  await expect(room.createDirectTransport()).rejects.toThrow(/something else than a DirectTransport/);
  await expect(room.createPlainTransport({})).rejects.toThrow(/something else than a PlainTransport/);
});

test('one silent node does not keep the answers of the others', async () => {
  const good = opened(await Served.create());
  const silent = opened(await HostileNode.create());
  const mafalda = opened(new MafaldaHorizontal([good.url, silent.url], { nodeTimeout: 60_000 }));
  await once(mafalda, 'connected');
  const room = mafalda.createMafaldaRouter();
  await room.createDirectTransport({ placement: { node: good.url } });
  const [usages, dump, ofRoom] = await Promise.all([
    mafalda.getResourceUsages(),
    mafalda.dump(),
    room.getResourceUsages(),
  ]);
  expect([Object.keys(usages).length, Object.keys(ofRoom).length]).toEqual([1, 1]);
  expect(dump.mafaldaRouters[0]!.workers).toHaveLength(1);
});
