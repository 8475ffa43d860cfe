/**
 * What docs/reference/protocol.md says, tried by somebody who has read nothing else: with socket.io's client alone. Another
 * server than ours is tried with PROTOCOL_URL=ws://host:port and PROTOCOL_TOKEN.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer } from '../../src/index.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { BareClient, handshake, type Message, type Wire } from '../helpers/bareClient.ts';
import { until } from '../helpers/until.ts';

const token = process.env['PROTOCOL_TOKEN'] ?? 'secret';
const opened = closingAfterEach();
let url: string;
let stop: () => Promise<void> = async () => undefined;
let rooms = 0;

beforeAll(async () => {
  if (process.env['PROTOCOL_URL']) url = process.env['PROTOCOL_URL'];
  else ({ url, stop } = await serve());
});

async function serve(): Promise<{ url: string; stop: () => Promise<void> }> {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  const server = new RemoteMafaldaServer(mafalda, {
    host: '127.0.0.1',
    auth: token,
    sessionTimeout: 2000,
    loadInterval: 200,
    region: 'here',
    labels: { a: 'b' },
  });
  await server.listen();
  const close = async (): Promise<void> => {
    await server.close();
    await mafalda.close();
  };
  return { url: server.url, stop: close };
}

afterAll(() => stop());

async function connect(): Promise<BareClient> {
  return opened(await BareClient.connect(url, token));
}

/** A client attached to a MafaldaRouter of its own, with two DirectTransports, of which one has a DataProducer. */
async function inRoom(): Promise<{
  client: BareClient;
  room: string;
  transport: number;
  other: number;
  producer: number;
  producerId: string;
}> {
  const client = await connect();
  const room = `protocol ${process.pid} ${++rooms}`;
  await client.result(0, 'createMafaldaRouter', [{ id: room }]);
  const [transport, other] = [
    await client.created(room, 'createDirectTransport'),
    await client.created(room, 'createDirectTransport'),
  ];
  const producer = await client.created(transport, 'produceData', [{ label: 'chat' }]);
  return { client, room, transport, other, producer, producerId: client.addition(producer).id };
}

describe('the handshake', () => {
  test('is answered by what the server is', async () => {
    const { welcome } = await connect();
    expect(welcome).toMatchObject({
      protocol: 1,
      serverId: expect.any(String),
      labels: expect.any(Object),
      session: { id: expect.any(String), received: 0 },
    });
    for (const name of ['maxPayload', 'sessionTimeout', 'loadInterval']) expect(welcome[name]).toBeGreaterThan(0);
    expect(welcome['mediasoup']).toMatchObject({
      version: expect.stringMatching(/^\d/),
      workerBin: expect.any(String),
      supportedRtpCapabilities: { codecs: expect.any(Array) },
    });
    expect((await connect()).welcome).toMatchObject({ serverId: welcome['serverId'] });
  });

  test.each([
    [{ protocol: 1 }, /^unauthorized/],
    [{ protocol: 1, token: 'no' }, /^unauthorized/],
    [{ protocol: 2, token: 'no' }, /^unauthorized/],
    [{ protocol: 2, token }, /^incompatible/],
    [{ protocol: '1', token }, /^malformed credentials/],
    [{ token }, /^malformed credentials/],
    [{ protocol: 1, token, session: { id: 'x' } }, /^malformed credentials/],
    [{ protocol: 1, token, endSessionId: 5 }, /^malformed credentials/],
  ])('%j is refused', async (auth, message) => {
    expect(await handshake(url, auth)).toMatch(message);
  });

  test('with a session that nobody knows begins another one', async () => {
    const client = opened(await BareClient.connect(url, token, { session: { id: 'unknown', received: 3 } }));
    expect(client.welcome.session).toMatchObject({ id: expect.not.stringMatching(/^unknown$/), received: 0 });
  });
});

describe('calls', () => {
  test('travel together: what is made is told before the answer, parents first', async () => {
    const client = await connect();
    const room = `protocol ${process.pid} ${++rooms}`;
    client.say(
      { type: 'call', id: 1, target: 0, method: 'createMafaldaRouter', args: [{ id: room }] },
      { type: 'call', id: 2, target: room, method: 'createDirectTransport', args: [{ appData: { name: 'one' } }] },
    );
    const answer = await client.answer(2);
    const kinds = client.inbox.map(({ type, id, addition }) => addition?.['className'] ?? `${type} ${id}`);
    expect(kinds).toEqual(['answer 1', 'SharedWorker', 'Router', 'DirectTransport', 'answer 2']);
    const [worker, router, transport] = client.inbox.flatMap(({ addition }) => addition ?? []);
    expect(worker).toMatchObject({
      handle: expect.any(Number),
      id: expect.any(String),
      state: { pid: expect.any(Number), subprocessClosed: false },
    });
    expect(worker).not.toHaveProperty('parent');
    expect([router!.parent, transport!.parent]).toEqual([worker!.handle, router!.handle]);
    expect(transport).toMatchObject({ appData: { name: 'one' }, state: { id: transport!.id, type: 'direct' } });
    expect(answer.result).toEqual({ $ref: transport!.handle });
  });

  test('change what they change before they are answered', async () => {
    const { client, other, producer, producerId } = await inRoom();
    const consumer = await client.created(other, 'consumeData', [{ dataProducerId: producerId }]);
    expect(client.addition(consumer).state).toMatchObject({
      dataProducerId: producerId,
      paused: false,
      subchannels: [],
    });
    await client.result(consumer, 'setSubchannels', [[7]]);
    expect(client.inbox.slice(-2)).toMatchObject([
      { type: 'change', handle: consumer, changes: { subchannels: [7] } },
      { type: 'answer' },
    ]);
    await client.result(producer, 'pause');
    const events = client.inbox.filter(({ type }) => type === 'event');
    expect(events).toContainEqual({
      type: 'event',
      handle: producer,
      name: 'pause',
      args: [],
      changes: { paused: true },
    });
    expect(events).toContainEqual({
      type: 'event',
      handle: consumer,
      name: 'dataproducerpause',
      args: [],
      changes: { dataProducerPaused: true },
    });
  });

  test('that can’t be made fail by names of errors', async () => {
    const { client, room, transport } = await inRoom();
    const failures: [Wire, string, unknown[], string][] = [
      [0, 'constructor', [], 'TypeError'],
      [room, 'emit', [], 'TypeError'],
      [transport, 'routerClosed', [], 'TypeError'],
      ['nowhere', 'close', [], 'NotFoundError'],
      [1_000_000, 'dump', [], 'NotFoundError'],
      [room, 'createWebRtcTransport', [], 'TypeError'],
      [transport, 'produceData', [{ label: 5 }], 'TypeError'],
      [room, 'createWebRtcTransport', [{ webRtcServer: { $ref: 1_000_000 } }], 'NotFoundError'],
      [room, 'createDirectTransport', [{ appData: { of: { $ref: 'none' } } }], 'TypeError'],
      [
        room,
        'createDirectTransport',
        [JSON.parse(`{"appData":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`)],
        'TypeError',
      ],
    ];
    for (const [target, method, args, name] of failures) {
      expect(await client.call(target, method, args)).toMatchObject({
        type: 'failure',
        error: { name, message: expect.any(String) },
      });
    }
  });

  test('may name in appData what has closed', async () => {
    const { client, room } = await inRoom();
    const created = await client.created(room, 'createDirectTransport', [
      { appData: { of: { $ref: 1_000_000 }, is: 'kept' } },
    ]);
    expect(client.addition(created).appData).toEqual({ is: 'kept' });
  });

  test('of mediasoup’s module make Workers that belong to no MafaldaRouter', async () => {
    const client = await connect();
    const worker = await client.created(-1, 'createWorker', [{ appData: { mine: true } }]);
    const router = await client.created(worker, 'createRouter');
    expect(
      client.inbox.flatMap(({ type, mafaldaRouter, addition }) =>
        type === 'add' ? [[mafaldaRouter, addition?.['className']]] : [],
      ),
    ).toEqual([
      [undefined, 'Worker'],
      [undefined, 'Router'],
    ]);
    expect(client.addition(router).parent).toBe(worker);
    client.say({ type: 'send', target: worker, method: 'close', args: [] });
    await until('its process has ended', () => client.inbox.at(-1)?.type === 'forget');
    const told = client.inbox.filter(({ handle }) => handle === worker).map(({ type, name }) => name ?? type);
    expect(told).toEqual(['close', 'subprocessclose', 'forget']);
    expect(await client.call(-1, 'createWorker', [{ workerBin: '/bin/false' }])).toMatchObject({
      type: 'failure',
      error: { name: 'TypeError' },
    });
  });
});

describe('two clients of a MafaldaRouter', () => {
  test('are told of what the other does, closes and closes again', async () => {
    const { client, room, transport, other, producer, producerId } = await inRoom();
    const second = await connect();
    await second.result(0, 'createMafaldaRouter', [{ id: room }]);
    expect(second.inbox.flatMap(({ addition }) => addition ?? [])).toEqual(
      client.inbox.flatMap(({ addition }) => addition ?? []),
    );
    const consumer = await second.created(other, 'consumeData', [{ dataProducerId: producerId }]);
    client.say({ type: 'send', target: producer, method: 'close', args: [] });
    const closing = (): Message[] => second.inbox.filter(({ type }) => type === 'close');
    await until('both are closed', () => closing().length >= 2);
    expect(closing()).toMatchObject([{ handle: producer }, { handle: consumer, cause: { name: 'dataproducerclose' } }]);
    const inside = await second.created(transport, 'produceData');
    client.say({ type: 'send', target: transport, method: 'close', args: [] });
    await until('it is closed', () => closing().length >= 3);
    expect([closing()[2]!.handle, closing().some(({ handle }) => handle === inside)]).toEqual([transport, false]);
    await client.result(room, 'close');
    await until('it is closed', () => second.inbox.at(-1)?.type === 'closeMafaldaRouter');
    expect(second.inbox.at(-1)).toEqual({ type: 'closeMafaldaRouter', mafaldaRouter: room });
    expect(client.inbox.some(({ type }) => type === 'closeMafaldaRouter')).toBe(false);
  });

  test('hear messages if they have asked for them, or have made who gets them', async () => {
    const { client, room, other, producer, producerId } = await inRoom();
    const consumer = await client.created(other, 'consumeData', [{ dataProducerId: producerId }]);
    const second = await connect();
    await second.result(0, 'createMafaldaRouter', [{ id: room }]);
    const heard = ({ inbox }: BareClient): unknown[] =>
      inbox.filter(({ name }) => name === 'message').map(({ args }) => String(args![0]));
    const send = (...texts: string[]): void =>
      texts.forEach(text => client.say({ type: 'send', target: producer, method: 'send', args: [Buffer.from(text)] }));
    send('one');
    await until('it is heard', () => heard(client).length === 1);
    second.say({ type: 'listen', handle: consumer, name: 'message', listening: true });
    client.say({ type: 'listen', handle: consumer, name: 'message', listening: false });
    await Promise.all([second.call(0, 'getResourceUsages'), client.call(0, 'getResourceUsages')]);
    // More than a packet holds.
    const many = Array.from({ length: 25 }, (_, index) => `message ${index}`);
    for (let index = 0; index < many.length; index += 10) send(...many.slice(index, index + 10));
    await until('all are heard', () => heard(second).length === many.length);
    expect([heard(client), heard(second)]).toEqual([['one'], many]);
  });

  test('carry any data, and take nobody’s for a reference', async () => {
    const { client, room } = await inRoom();
    const second = await connect();
    await second.result(0, 'createMafaldaRouter', [{ id: room }]);
    const appData = {
      $$ref: 1,
      list: [{ $bigint: '12' }, { $undefined: true }],
      $_placeholder: true,
      num: 9,
      bytes: Buffer.from('x'),
    };
    const made = await client.created(room, 'createDirectTransport', [{ appData }]);
    await until('the other knows', () => second.knows(made));
    expect([client.addition(made).appData, second.addition(made).appData]).toEqual([appData, appData]);
  });
});

describe('RTP capabilities', () => {
  test('are told once, and stand for themselves in the calls that refer to them', async () => {
    const { client, room } = await inRoom();
    const codec = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
    const own = `${room} with codecs`;
    await client.result(0, 'createMafaldaRouter', [{ id: own, routerOptions: { mediaCodecs: [codec] } }]);
    const transport = await client.created(own, 'createDirectTransport');
    const rtpParameters = {
      mid: '0',
      codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
      encodings: [{ ssrc: 1 }],
    };
    const { id: producerId } = client.addition(
      await client.created(transport, 'produce', [{ kind: 'audio', rtpParameters }]),
    );
    const rtpCapabilities = (await client.result(own, 'getRtpCapabilities')) as object;
    const consume = (slot: unknown): Promise<Message> =>
      client.call(transport, 'consume', [{ producerId, rtpCapabilities: { $capabilities: slot } }]);

    client.say(
      { type: 'capabilities', slot: 0, rtpCapabilities },
      { type: 'capabilities', slot: 127, rtpCapabilities: { codecs: 'none' } },
    );
    expect([await consume(0), await consume(0)]).toMatchObject([{ type: 'answer' }, { type: 'answer' }]);
    await client.reconnect();
    expect(await consume(0)).toMatchObject({ type: 'answer' });
    for (const slot of [1, 127, '0', null])
      expect(await consume(slot)).toMatchObject({ type: 'failure', error: { name: 'TypeError' } });
    // A slot can be used again.
    client.say(
      { type: 'capabilities', slot: 127, rtpCapabilities },
      { type: 'capabilities', slot: 0, rtpCapabilities: { codecs: [], headerExtensions: [] } },
    );
    expect(await consume(127)).toMatchObject({ type: 'answer' });
    expect(await consume(0)).toMatchObject({ type: 'failure' });
  });

  test('are data: what refers to an object is refused, and leaves that alone', async () => {
    const { client, transport } = await inRoom();
    client.say({
      type: 'capabilities',
      slot: 0,
      rtpCapabilities: { codecs: [], headerExtensions: [], more: { $ref: transport } },
    });
    expect(
      await client.call(transport, 'consume', [{ producerId: 'x', rtpCapabilities: { $capabilities: 0 } }]),
    ).toMatchObject({
      type: 'failure',
      error: { name: 'NotFoundError' },
    });
    expect(await client.call(transport, 'produceData')).toMatchObject({ type: 'answer' });
  });

  test('that are too large can’t be referred to', async () => {
    const { client, transport } = await inRoom();
    client.say({ type: 'capabilities', slot: 0, rtpCapabilities: { codecs: [], uri: 'x'.repeat(16_384) } });
    expect(
      await client.call(transport, 'consume', [{ producerId: 'x', rtpCapabilities: { $capabilities: 0 } }]),
    ).toMatchObject({
      type: 'failure',
      error: { name: 'RangeError' },
    });
  });
});

describe('lists that objects have in common', () => {
  const listenInfos = [{ protocol: 'udp', ip: '127.0.0.1' }];
  const codec = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };

  /** The objects as a client knows them, with the lists in the places of references. */
  function statesOf({ inbox }: BareClient): object[] {
    const lists = new Map<number, unknown>();
    return inbox.flatMap(({ type, slot, list, addition }) => {
      if (type === 'list') lists.set(slot!, list);
      if (!addition) return [];
      const resolve = (_key: string, value: unknown): unknown =>
        typeof value === 'object' && value !== null && '$list' in value ? lists.get(value.$list as number) : value;
      return [JSON.parse(JSON.stringify(addition.state), resolve) as object];
    });
  }

  test('are told once to who understands that, and with each object to others', async () => {
    const room = `protocol lists ${process.pid}`;
    const [client, other] = [opened(await BareClient.connect(url, token, { lists: true })), await connect()];
    for (const each of [client, other])
      await each.result(0, 'createMafaldaRouter', [{ id: room, routerOptions: { mediaCodecs: [codec] } }]);
    for (let ssrc = 1; ssrc <= 4; ++ssrc) {
      const transport = await client.created(room, 'createWebRtcTransport', [{ listenInfos }]);
      const rtpParameters = {
        mid: '0',
        codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
        encodings: [{ ssrc }],
      };
      await client.created(transport, 'produce', [{ kind: 'audio', rtpParameters }]);
    }
    await until('both know all', () => [client, other].every(({ inbox }) => inbox.filter(isAdd).length === 10));
    const told = client.inbox.filter(({ type }) => type === 'list');
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(new Set(told.map(({ list }) => JSON.stringify(list))).size).toBe(told.length);
    expect(statesOf(client)).toEqual(other.inbox.filter(isAdd).map(({ addition }) => addition!.state));
    expect(JSON.stringify(other.inbox)).not.toContain('$list');
    expect(JSON.stringify(client.inbox.filter(isAdd)).length).toBeLessThan(
      JSON.stringify(other.inbox.filter(isAdd)).length,
    );
  });

  test('are told again to who attaches later, and after a snapshot', async () => {
    const { client: first, room, producer } = await inRoom();
    const client = opened(await BareClient.connect(url, token, { lists: true }));
    for (let made = 0; made < 3; ++made) await first.created(room, 'createWebRtcTransport', [{ listenInfos }]);
    await client.result(0, 'createMafaldaRouter', [{ id: room }]);
    const states = statesOf(client);
    expect(client.inbox.filter(({ type }) => type === 'list')).toHaveLength(1);
    client.deaf = true;
    for (let round = 0; round < 210 && client.connected; ++round) {
      await Promise.all(
        Array.from({ length: 50 }, () => [first.call(producer, 'pause'), first.call(producer, 'resume')]).flat(),
      );
    }
    await client.untilDisconnected();
    client.deaf = false;
    client.inbox.length = 0;
    await client.reconnect();
    await until('all is there', () => client.inbox.filter(isAdd).length === states.length);
    expect(client.inbox.filter(({ type }) => type === 'list')).toHaveLength(1);
    expect(statesOf(client)).toEqual(states);
  }, 60_000);

  function isAdd({ type }: Message): boolean {
    return type === 'add';
  }
});

describe('a session', () => {
  test('goes on over another connection: nothing is lost, and nothing is done twice', async () => {
    const { client, transport } = await inRoom();
    const before = client.received;
    for (const id of ['one', 'two', 'three'])
      client.say({
        type: 'call',
        id: 1000 + client.inbox.length,
        target: transport,
        method: 'produceData',
        args: [{ id }],
      });
    const again = client.say({
      type: 'call',
      id: 7000,
      target: transport,
      method: 'produceData',
      args: [{ id: 'four' }],
    });
    await client.reconnect();
    expect(client.welcome.session.id).toBe(client.sessionId);
    await client.answer(7000);
    client.repeat(again);
    const { dataProducerIds } = (await client.result(transport, 'dump')) as { dataProducerIds: string[] };
    expect(dataProducerIds).toHaveLength(5);
    expect(client.inbox.filter(({ id }) => id === 7000)).toHaveLength(1);
    expect(client.received).toBeGreaterThan(before);
    expect(client.gaps).toBe(0);
  });

  test('acknowledges what it has nothing to answer to', async () => {
    const { client, producer } = await inRoom();
    for (let sent = 0; sent < 250; ++sent) client.say({ type: 'send', target: producer, method: 'send', args: ['x'] });
    await until('they are acknowledged', () => client.acknowledged > 200);
  });

  test.each([
    [
      'a gap',
      (client: BareClient) => client.emit(client.number + 2, 0, { type: 'send', target: 0, method: 'x', args: [] }),
    ],
    ['what is no message', (client: BareClient) => client.emit(client.number + 1, 0, { type: 'answer', id: 1 })],
    [
      'an acknowledgement of what was never sent',
      (client: BareClient) => client.emit(client.number + 1, 1e6, { type: 'send', target: 0, method: 'x', args: [] }),
    ],
  ])('is over after %s', async (_what, act) => {
    const { client, room } = await inRoom();
    act(client);
    await client.untilDisconnected();
    await client.reconnect();
    expect(client.welcome.session.id).not.toBe(client.sessionId);
    expect(await client.call(room, 'getRtpCapabilities')).toMatchObject({ type: 'failure' });
  });

  test('that is given up by endSessionId is over before the next one begins', async () => {
    const { client, room } = await inRoom();
    const next = opened(await BareClient.connect(url, token, { endSessionId: client.welcome.session.id }));
    await next.result(0, 'createMafaldaRouter', [{ id: room }]);
    expect(next.inbox.some(({ addition }) => addition?.className === 'DirectTransport')).toBe(false);
  });

  test('is over after its time, or with a goodbye', async () => {
    const [late, polite] = [await inRoom(), await inRoom()];
    await polite.client.bye();
    late.client.leave();
    const watcher = await connect();
    await watcher.result(0, 'createMafaldaRouter', [{ id: late.room }]);
    const { sessionTimeout } = late.client.welcome;
    await new Promise(resolve => setTimeout(resolve, 1.5 * Number(sessionTimeout)));
    for (const { client } of [late, polite]) {
      await client.reconnect();
      expect(client.welcome.session.id).not.toBe(client.sessionId);
    }
  });

  test('goes on with a snapshot when too much was missed', async () => {
    const { client, room, transport, other, producer } = await inRoom();
    const second = await connect();
    await second.result(0, 'createMafaldaRouter', [{ id: room }]);
    const doomed = await client.created(other, 'produceData', [{ id: 'doomed' }]);
    client.deaf = true;
    client.say({ type: 'call', id: 9000, target: transport, method: 'dump', args: [] });
    for (let round = 0; round < 210 && client.connected; ++round) {
      await Promise.all(
        Array.from({ length: 50 }, () => [second.call(producer, 'pause'), second.call(producer, 'resume')]).flat(),
      );
    }
    await client.untilDisconnected();
    second.say({ type: 'send', target: doomed, method: 'close', args: [] });
    const added = await second.created(transport, 'produceData', [{ id: 'added' }]);
    await second.result(producer, 'pause');
    client.deaf = false;
    const known = client.inbox.length;
    await client.reconnect();
    expect(client.welcome.session.id).toBe(client.sessionId);
    await client.answer(9000);
    const missed = client.inbox.slice(known);
    expect(missed.map(({ type }) => type)).toEqual(['close', 'add', 'add', 'add', 'add', 'add', 'add', 'answer']);
    expect(missed[0]!.handle).toBe(doomed);
    const states = new Map(missed.flatMap(({ addition }) => (addition ? [[addition.handle, addition.state]] : [])));
    expect(states.get(producer)).toMatchObject({ paused: true, label: 'chat' });
    expect([states.has(added), states.has(transport), states.has(doomed), client.gaps]).toEqual([true, true, false, 0]);
  });
});

describe('what another client has made', () => {
  test('is adopted: it stays when its maker leaves, and goes with who has adopted it', async () => {
    const { client, room, transport, other, producer } = await inRoom();
    const [second, watcher] = [await connect(), await connect()];
    for (const each of [second, watcher]) await each.result(0, 'createMafaldaRouter', [{ id: room }]);
    const [worker, router] = client.inbox.flatMap(({ addition }) => addition?.handle ?? []);
    await second.result(room, 'adopt', [[transport, worker, router, 1_000_000]]);
    await until('its maker is told', () => client.inbox.some(({ type }) => type === 'disown'));
    expect(client.inbox.findLast(({ type }) => type === 'disown')).toEqual({ type: 'disown', handles: [transport] });
    const closed = (): unknown[] => watcher.inbox.flatMap(({ type, handle }) => (type === 'close' ? [handle] : []));
    await client.bye();
    await until('the rest has gone', () => closed().length === 2);
    expect(closed()).toEqual([other, producer]);
    expect(await second.call(transport, 'dump')).toMatchObject({ type: 'answer' });
    await second.bye();
    await until('it has gone, too', () => closed().length === 3);
    expect(closed()).toEqual([other, producer, transport]);
    expect(await watcher.call(room, 'adopt', ['all'])).toMatchObject({ type: 'failure', error: { name: 'TypeError' } });
  });

  test('stays when its maker says that it has moved, whose session and connection end', async () => {
    const { client, room, transport } = await inRoom();
    const { id } = client.addition(transport);
    const second = await connect();
    await second.result(0, 'createMafaldaRouter', [{ id: room }]);
    await client.moved();
    await client.untilDisconnected();
    const { orphans } = (await second.result(room, 'dump')) as { orphans: object[] };
    expect(orphans).toMatchObject([{ session: client.sessionId, objects: expect.arrayContaining([id]) }]);
    await client.reconnect();
    expect(client.welcome.session.id).not.toBe(client.sessionId);
  });

  test('is an orphan when its maker was away for too long, and becomes that client’s own that uses it', async () => {
    const { client, room, transport, other } = await inRoom();
    const [second, watcher] = [await connect(), await connect()];
    for (const each of [second, watcher]) await each.result(0, 'createMafaldaRouter', [{ id: room }]);
    const { session } = client.welcome;
    // This tells that the answers before it have arrived.
    await client.result(room, 'getRtpCapabilities');
    client.leave();
    const orphans = async (): Promise<{ session: string; objects: string[] }[]> => {
      const dump = (await watcher.result(room, 'dump')) as { orphans: { session: string; objects: string[] }[] };
      return dump.orphans;
    };
    await until('it is given up', async () => (await orphans()).length > 0);
    const [left] = await orphans();
    expect(left).toMatchObject({ session: session.id, objects: { length: 3 } });
    await second.result(transport, 'produceData', [{ label: 'more' }]);
    await until('one is left', async () => (await orphans())[0]?.objects.length === 1);
    expect((await orphans())[0]!.objects).toEqual([client.addition(other).id]);
    await second.bye();
    await until('what it has taken over goes with it', () =>
      watcher.inbox.some(({ type, handle }) => type === 'close' && handle === transport),
    );
  });

  test('is found by the key of the call that has made it', async () => {
    const { client, room } = await inRoom();
    const key = `key ${process.pid}`;
    client.say({ type: 'call', id: 1, target: room, method: 'createDirectTransport', args: [], key });
    const { result } = await client.answer(1);
    const second = await connect();
    await second.result(0, 'createMafaldaRouter', [{ id: room }]);
    const found = second.inbox.flatMap(({ addition }) => (addition?.key === key ? [addition] : []));
    expect(found).toMatchObject([{ className: 'DirectTransport' }]);
    expect(result).toEqual({ $ref: found[0]!.handle });
  });
});

describe('a client that follows held MafaldaRouters', () => {
  test('is told all of them, and then what changes, also on its next connection', async () => {
    const { client, room } = await inRoom();
    const follower = await connect();
    const told = (kind: string): string[] => follower.inbox.flatMap(({ type, ids = [] }) => (type === kind ? ids : []));
    follower.say({ type: 'followRooms' });
    await until('the list has ended', () => follower.inbox.some(({ isLast }) => isLast === true));
    const parts = follower.inbox.filter(({ type }) => type === 'heldRooms');
    expect([parts[0]!.isFirst, parts.at(-1)!.isLast]).toEqual([true, true]);
    expect(told('heldRooms')).toContain(room);
    const next = await inRoom();
    await until('it is told', () => told('held').includes(next.room));
    await follower.reconnect();
    await client.bye();
    await until('it is told', () => told('released').includes(room));
    expect([told('released').includes(next.room), client.inbox.some(({ type }) => type === 'heldRooms')]).toEqual([
      false,
      false,
    ]);
  });
});

// The server of somebody else can't be closed from here.
(process.env['PROTOCOL_URL'] ? test.skip : test)(
  'a server that closes waits until clients that can move have done so',
  async () => {
    const own = await serve();
    opened({ close: own.stop });
    const mover = opened(await BareClient.connect(own.url, token, { canMove: true }));
    const stayer = opened(await BareClient.connect(own.url, token));
    let hasHeard = false;
    void stayer.goodbye().then(() => (hasHeard = true));
    const goodbye = mover.goodbye();
    const stopped = own.stop();
    await goodbye;
    expect(await handshake(own.url, { protocol: 1, token })).toMatch(/^closing/);
    expect([stayer.connected, hasHeard]).toEqual([true, false]);
    await mover.moved();
    await stopped;
    expect([stayer.connected, mover.connected]).toEqual([false, false]);
  },
);

test('who sends too much is refused, and told so', async () => {
  const { client } = await inRoom();
  const refused = client.refused();
  // At once, so that it is too much however slow the machine is.
  client.emit(1, 0, ...Array.from({ length: 25_000 }, () => 0));
  expect(await refused).toMatch(/messages per second/);
  await client.untilDisconnected();
});

test('load is reported again and again', async () => {
  const client = await connect();
  await until('some reports have come', () => client.loads.length >= 3);
  expect(client.loads.at(-1)).toMatchObject({
    load: expect.any(Number),
    workers: expect.any(Array),
    hosts: [
      {
        cores: expect.any(Number),
        cpu: expect.any(Number),
        memory: { total: expect.any(Number), free: expect.any(Number) },
      },
    ],
  });
});
