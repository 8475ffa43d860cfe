/** What one client might say to use up a server, or to end it: the others go on. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import type { ServerSetup } from '../../helpers/processes/server.ts';
import { BareClient } from '../../helpers/bareClient.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { untilConnected } from '../../helpers/serve.ts';
import { ServerProcess } from '../../helpers/serverProcess.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const mediaCodecs = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2, preferredPayloadType: 100 },
];
const codec = { mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 };

let server: ServerProcess;
let client: BareClient;
let other: RemoteMafaldaClient;

async function start(setup: Omit<ServerSetup, 'address'> = {}): Promise<void> {
  server = opened(await ServerProcess.create({ auth: 'secret', ...setup }));
  client = opened(await BareClient.connect(server.url, 'secret'));
  other = opened(new RemoteMafaldaClient(server.url, { token: 'secret' }));
  await untilConnected(other);
}

async function expectOtherServed(): Promise<void> {
  await expect(other.createMafaldaRouter().createDirectTransport()).resolves.toMatchObject({ closed: false });
  expect((await server.state()).polluted).toBe(false);
}

describe('pipeToRouter()', () => {
  let routers: number[];
  let transport: number;

  beforeEach(async () => {
    await start();
    const worker = await client.created(-1, 'createWorker');
    routers = [
      await client.created(worker, 'createRouter', [{ mediaCodecs }]),
      await client.created(worker, 'createRouter', [{ mediaCodecs }]),
    ];
    transport = await client.created(routers[0]!, 'createDirectTransport');
    await client.created(transport, 'produceData', [{ id: 'd' }]);
  });

  test('with anything that is no Router fails, and so does what takes other objects', async () => {
    const wrong: unknown[] = [{}, 5, 'router', true, [], { id: 'x' }, { $ref: transport }];
    for (const router of wrong) {
      const answer = await client.call(routers[0]!, 'pipeToRouter', [{ dataProducerId: 'd', router }]);
      expect(answer).toMatchObject({
        type: 'failure',
        error: { name: 'TypeError', message: 'pipeToRouter().router must be a Router' },
      });
    }
    const webRtcServer = { $ref: transport };
    expect(await client.call(routers[0]!, 'createWebRtcTransport', [{ webRtcServer }])).toMatchObject({
      error: { name: 'TypeError' },
    });
    expect(await client.call(transport, 'produceData', [{ label: { $ref: transport } }])).toMatchObject({
      error: { name: 'TypeError' },
    });
    expect(await client.call(transport, 'produceData', [{ other: [{ $ref: transport }] }])).toMatchObject({
      error: { message: expect.stringMatching(/must not be an object/) },
    });
    await expectOtherServed();
    // A Router is one: whatever mediasoup says of the rest.
    const { error } = await client.call(routers[0]!, 'pipeToRouter', [
      { dataProducerId: 'd', router: { $ref: routers[1] } },
    ]);
    expect(error?.message ?? '').not.toMatch(/must be a Router/);
  });

  // mediasoup remembers the pair that has failed on one side, and forgets to wait for the one that it makes then.
  test('that fails one way, and then the other way, fails the calls only', async () => {
    const [one, two] = routers;
    const back = await client.created(two!, 'createDirectTransport');
    await client.created(back, 'produceData', [{ id: 'e' }]);
    const listenInfo = { protocol: 'udp', ip: '203.0.113.7' };
    for (const [from, to, dataProducerId] of [
      [one, two, 'd'],
      [two, one, 'e'],
      [one, two, 'd'],
    ]) {
      expect(
        await client.call(from!, 'pipeToRouter', [{ dataProducerId, listenInfo, router: { $ref: to } }]),
      ).toMatchObject({ type: 'failure' });
    }
    await expectOtherServed();
  });
});

test('lists that no real client sends are refused at once', async () => {
  await start();
  await client.result(0, 'createMafaldaRouter', [{ id: 'mine', routerOptions: { mediaCodecs } }]);
  const transport = await client.created('mine', 'createDirectTransport');
  const produce = (rtpParameters: object): Promise<unknown> =>
    client.call(transport, 'produce', [{ kind: 'audio', rtpParameters }]);
  const many = <T>(value: T, count = 101): T[] => Array.from({ length: count }, () => value);
  const lists: [object, RegExp][] = [
    [{ codecs: many(codec, 3000) }, /codecs must be an array of objects, at most 100/],
    [{ codecs: [codec], encodings: many({ ssrc: 1 }) }, /encodings must be/],
    [{ codecs: [codec], headerExtensions: many({ uri: 'x', id: 1 }) }, /headerExtensions must be/],
    [{ codecs: [{ ...codec, rtcpFeedback: many({ type: 'nack' }) }] }, /rtcpFeedback must be/],
    [
      { codecs: [{ ...codec, parameters: Object.fromEntries(many('').map((_, index) => [`p${index}`, 1])) }] },
      /parameters must be/,
    ],
    [{ codecs: [codec], mid: 'x'.repeat(30_000) }, /mid must be a string of at most/],
  ];
  for (const [rtpParameters, message] of lists) {
    expect(await produce(rtpParameters)).toMatchObject({
      type: 'failure',
      error: { message: expect.stringMatching(message) },
    });
  }
  expect(await client.call(transport, 'produceData', [{ appData: { list: many(1, 30_000) } }])).toMatchObject({
    error: { name: 'RangeError' },
  });
  await expectOtherServed();
});

test('calls in one packet whose answers are large do not end it', async () => {
  await start();
  await client.result(0, 'createMafaldaRouter', [{ id: 'mine' }]);
  await client.created('mine', 'createDirectTransport', [{ appData: { text: 'x'.repeat(600_000) } }]);
  client.deaf = true;
  // As text they would be more than a string can hold.
  const calls = Array.from({ length: 1500 }, (_, id) => ({
    type: 'call',
    id,
    target: 'mine',
    method: 'dump',
    args: [],
  }));
  client.say(...calls);
  await expectOtherServed();
  const before = (await server.state()).memory;
  await expectOtherServed();
  expect(before).toBeLessThan(800_000_000);
});

test('failures do not repeat what was sent', async () => {
  await start();
  const long = 'x'.repeat(900_000);
  const answers = [
    await client.call(0, long),
    await client.call(long, 'dump'),
    await client.call(0, 'createMafaldaRouter', [{ id: long }]),
  ];
  for (const answer of answers) {
    expect(answer.type).toBe('failure');
    expect(JSON.stringify(answer).length).toBeLessThan(5000);
  }
  await expectOtherServed();
});

test('a client that acknowledges nothing is cut off in time', async () => {
  await start({ limits: { sessionBytes: 5_000_000 } });
  await client.result(0, 'createMafaldaRouter', [{ id: 'mine' }]);
  const transport = await client.created('mine', 'createDirectTransport', [{ appData: { text: 'x'.repeat(100_000) } }]);
  client.deaf = true;
  const refused = client.refused();
  for (let index = 0; index < 200 && client.connected; ++index) {
    client.say({
      type: 'call',
      id: index,
      target: transport,
      method: 'produceData',
      args: [{ appData: { text: 'x'.repeat(100_000) } }],
    });
    await new Promise(setImmediate);
  }
  await Promise.race([refused, client.untilDisconnected()]);
  await expectOtherServed();
});

test('a client has no more than its bytes', async () => {
  await start({ limits: { objectBytes: 1_600_000 } });
  await client.result(0, 'createMafaldaRouter', [{ id: 'mine' }]);
  const transport = await client.created('mine', 'createDirectTransport');
  const appData = { text: 'x'.repeat(300_000) };
  const made: number[] = [];
  for (let index = 0; index < 4; ++index) made.push(await client.created(transport, 'produceData', [{ appData }]));
  const refusal = {
    type: 'failure',
    error: { name: 'LimitError', code: 'ERR_MAFALDA_LIMIT', fields: { limit: 'objectBytes', max: 1_600_000 } },
  };
  expect(await client.call(transport, 'produceData', [{ appData }])).toMatchObject(refusal);
  expect(await client.call('mine', 'openLink', [{ routerId: 'a', remoteRouterId: 'b', network: false }])).toMatchObject(
    refusal,
  );
  for (const handle of made) client.say({ type: 'send', target: handle, method: 'close', args: [] });
  await expect(client.created(transport, 'produceData', [{ appData }])).resolves.toBeGreaterThan(0);
  await expectOtherServed();
});

test('nor has it more by what it says of its objects later', async () => {
  await start({ limits: { objectBytes: 1_000_000 } });
  const worker = await client.created(-1, 'createWorker');
  const routers: number[] = [];
  for (let index = 0; index < 4; ++index) routers.push(await client.created(worker, 'createRouter', [{ mediaCodecs }]));
  const parameters = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`x${index}`, 'x'.repeat(15_000)]));
  const update = (router: number): Promise<unknown> =>
    client.call(router, 'updateMediaCodecs', [[{ ...mediaCodecs[0], parameters }]]);
  const refusal = { type: 'failure', error: { name: 'LimitError', fields: { limit: 'objectBytes' } } };
  // To say the same again makes nothing larger.
  for (const router of [...routers.slice(0, 3), routers[0]!, routers[3]!])
    expect(await update(router)).toMatchObject({ type: 'answer' });
  expect(await update(routers[0]!)).toMatchObject(refusal);
  expect(await client.call(worker, 'createRouter', [{ mediaCodecs }])).toMatchObject(refusal);
  client.say({ type: 'send', target: routers[0]!, method: 'close', args: [] });
  await expect(client.created(worker, 'createRouter', [{ mediaCodecs }])).resolves.toBeGreaterThan(0);
  await expectOtherServed();
});

test('bytes per second are limited, and more clients than there may be are not let in', async () => {
  await start({ limits: { bytesPerSecond: 200_000, clients: 2 } });
  const third = new RemoteMafaldaClient(server.url, { token: 'secret' });
  const why = await new Promise<Error>(resolve => third.once('error', resolve));
  await third.close();
  expect(why.message).toMatch(/full: the server has 2 clients/);
  const refused = client.refused();
  for (let index = 0; index < 4; ++index)
    client.say({ type: 'send', target: 0, method: 'x', args: ['x'.repeat(100_000)] });
  expect(await refused).toBe('more than 200000 bytes per second');
  await until('it is cut off', () => !client.connected);
  await expectOtherServed();
});
