import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { io, type Socket } from 'socket.io-client';
import { RemoteMafaldaClient, type MafaldaRouter } from '../../../src/index.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

type Answer = { type: string; id: number; error?: { name: string; message: string } };

let served: Served;
let client: RemoteMafaldaClient;
let mafaldaRouter: MafaldaRouter;

beforeAll(async () => {
  served = await Served.create();
  client = new RemoteMafaldaClient(served.url);
  await untilConnected(client);
  mafaldaRouter = client.createMafaldaRouter({ id: 'well-behaved' });
  await mafaldaRouter.createDirectTransport();
});

afterAll(async () => {
  await client.close();
  await served.untilEmpty();
  await served.close();
});

let socket: Socket;
let answers: Answer[];
let number: number;

beforeEach(async () => {
  [answers, number] = [[], 0];
  socket = io(served.url.replace('ws', 'http'), {
    path: '/mafalda',
    transports: ['websocket'],
    forceNew: true,
    auth: { protocol: 1 },
    reconnection: false,
  });
  socket.on('message', (_number: number, _received: number, ...messages: Answer[]) => answers.push(...messages));
  await new Promise(resolve => socket.once('welcome', resolve));
});

/** The others are served as if nothing had happened. */
afterEach(async () => {
  if (socket.connected) await socket.emitWithAck('bye');
  socket.disconnect();
  const transport = await mafaldaRouter.createDirectTransport();
  expect((await transport.dump()).id).toBe(transport.id);
  transport.close();
  expect(served.server.counts.clients).toBe(1);
});

async function call(target: unknown, method: string, args: unknown[] = []): Promise<Answer> {
  const id = ++number;
  socket.emit('message', number, 0, { type: 'call', id, target, method, args });
  await until('an answer', () => answers.some(answer => answer.id === id));
  return answers.find(answer => answer.id === id)!;
}

/** What ends the session, and the connection with it. */
async function expectEnd(act: () => void): Promise<void> {
  const disconnected = new Promise(resolve => socket.once('disconnect', resolve));
  act();
  expect(await disconnected).toBe('io server disconnect');
}

describe('what is no message ends the session:', () => {
  test.each([
    null,
    [],
    'call',
    5,
    true,
    {},
    { type: 'call' },
    { type: 'answer', id: 1 },
    { type: 'call', id: 1, target: null, method: 'x', args: [] },
  ])('%p', message => expectEnd(() => socket.emit('message', 1, 0, message)));

  test.each([
    ['nothing at all', []],
    ['numbers that are none', ['one', 'two', {}]],
    ['an object for a number', [{}, 0, { type: 'send', target: 0, method: 'x', args: [] }]],
    ['an acknowledgement of what was never sent', [1, 1e9, { type: 'send', target: 0, method: 'x', args: [] }]],
  ])('%s', (_what, args) => expectEnd(() => socket.emit('message', ...args)));

  test.each([null, {}, 'all', -0.5, 1e9])('acknowledge %p', received =>
    expectEnd(() => socket.emit('acknowledge', received)),
  );
});

describe('events that nobody knows do nothing:', () => {
  test.each(['welcome', 'load', 'constructor', '__proto__', 'disconnecting'])('%s', async event => {
    try {
      socket.emit(event, {}, []);
    } catch {
      // A name that socket.io keeps for itself is not even sent.
    }
    expect(await call(0, 'getResourceUsages')).toMatchObject({ type: 'answer' });
  });
});

const forbidden = [
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'emit',
  'on',
  'removeAllListeners',
  'safeEmit',
  '_events',
  '#closed',
  '',
  'closed',
];

describe('methods that may not be called from outside:', () => {
  test.each([...forbidden, 'closeAllMafaldaRouters', 'close', 'makeMafaldaRouter', 'release'])(
    'mafalda.%s()',
    async method => {
      expect(await call(0, method)).toMatchObject({
        type: 'failure',
        error: { name: 'TypeError', message: expect.stringMatching(/can be called/) },
      });
    },
  );

  test.each([...forbidden, 'release', 'assertOpen', 'reportWorkerDied', 'tree'])('mafaldaRouter.%s()', async method => {
    await call(0, 'createMafaldaRouter', [{ id: 'mine' }]);
    expect(await call('mine', method)).toMatchObject({ type: 'failure', error: { name: 'TypeError' } });
  });

  test.each([...forbidden, 'routerClosed', 'getInternal', 'handleWorkerNotifications'])(
    'transport.%s()',
    async method => {
      await call(0, 'createMafaldaRouter', [{ id: 'mine' }]);
      const { result } = (await call('mine', 'createDirectTransport')) as unknown as { result: { $ref: number } };
      expect(await call(result.$ref, method)).toMatchObject({ type: 'failure', error: { name: 'TypeError' } });
    },
  );
});

describe('what is not this client’s', () => {
  test('is not found: a MafaldaRouter that it is not attached to', async () => {
    const closing = await call('well-behaved', 'close');
    expect(closing).toMatchObject({ type: 'failure', error: { name: 'NotFoundError' } });
    expect(mafaldaRouter.closed).toBe(false);
  });

  test('is not found: objects in it, by their handles', async () => {
    for (let handle = 1; handle < 30; ++handle) {
      const answer = await call(handle, 'close');
      expect(answer).toMatchObject({ type: 'failure', error: { name: 'NotFoundError' } });
    }
    expect(mafaldaRouter.transports.size).toBe(1);
  });

  test('is not found as an argument either', async () => {
    await call(0, 'createMafaldaRouter', [{ id: 'mine' }]);
    for (let handle = 1; handle < 30; ++handle) {
      const answer = await call('mine', 'createWebRtcTransport', [{ webRtcServer: { $ref: handle } }]);
      expect(answer).toMatchObject({
        type: 'failure',
        error: { name: 'NotFoundError', message: expect.stringMatching(/unknown object/) },
      });
    }
    // What an application keeps for itself is its own business, and leads to nothing.
    const appData = { handles: Array.from({ length: 29 }, (_, index) => ({ $ref: index + 1 })) };
    expect(await call('mine', 'createDirectTransport', [{ appData }])).toMatchObject({ type: 'answer' });
    expect(JSON.stringify(answers)).not.toContain('"handles":[{"$ref"');
  });
});

describe('arguments that make no sense', () => {
  test.each([
    [{ id: '' }, /id must be/],
    [{ maxWorkers: -1 }, /maxWorkers must be/],
    [{ unknown: 1 }, /unknown option/],
    ['text', /options must be an object/],
    [null, /options must be an object/],
    [{ id: 'well-behaved', routerOptions: { mediaCodecs: [] } }, /different routerOptions/],
  ])('createMafaldaRouter(%p) is refused', async (options, message) => {
    expect(await call(0, 'createMafaldaRouter', [options])).toMatchObject({
      type: 'failure',
      error: { name: 'TypeError', message: expect.stringMatching(message) },
    });
  });

  // A caller at another machine must not choose what program runs, or what files are read, on this one.
  test.each(['workerBin', 'dtlsCertificateFile', 'dtlsPrivateKeyFile'])(
    'workerSettings.%s is not a client’s to choose',
    async name => {
      const answer = await call(0, 'createMafaldaRouter', [
        { id: 'mine', workerSettings: { [name]: '/nonexistent/file' } },
      ]);
      expect(answer).toMatchObject({ type: 'failure', error: { message: expect.stringContaining(name) } });
    },
  );

  test.each([[null], ['text'], [5], [[]], [{ appData: 'text' }]])(
    'createDirectTransport(%p) answers, one way or the other',
    async options => {
      await call(0, 'createMafaldaRouter', [{ id: 'mine' }]);
      expect((await call('mine', 'createDirectTransport', [options])).type).toMatch(/answer|failure/);
    },
  );

  test.each(['openLink', 'offerPipe', 'connectLink', 'acceptPipe', 'confirmPipes'])(
    '%s() without any fails',
    async method => {
      await call(0, 'createMafaldaRouter', [{ id: 'mine' }]);
      for (const args of [[], [null], [{}], [{ routerId: 5, stream: null, remote: null }]]) {
        expect(await call('mine', method, args)).toMatchObject({ type: 'failure' });
      }
    },
  );

  test('data that is too deep, or poisons prototypes, fails', async () => {
    const deep = JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown;
    expect(await call(0, 'createMafaldaRouter', [deep])).toMatchObject({
      error: { message: expect.stringMatching(/nested/) },
    });
    const poison = JSON.parse('{"__proto__": {"polluted": true}}') as unknown;
    expect(await call(0, 'createMafaldaRouter', [poison])).toMatchObject({
      error: { message: expect.stringMatching(/__proto__/) },
    });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

test.each([
  ['arguments', (deep: string) => `{"type":"call","id":1,"target":0,"method":"createMafaldaRouter","args":${deep}}`],
  [
    'appData',
    (deep: string) =>
      `{"type":"call","id":1,"target":0,"method":"createMafaldaRouter","args":[{"routerOptions":{"appData":${deep}}}]}`,
  ],
  ['capabilities', (deep: string) => `{"type":"capabilities","slot":0,"rtpCapabilities":{"codecs":${deep}}}`],
])('%s that are nested deeper than any stack are refused', async (_what, message) => {
  const depth = 100_000;
  // No library sends that: it is written by hand.
  socket.io.engine.write(`2["message",1,0,${message('['.repeat(depth) + ']'.repeat(depth))}]`);
  number = 1;
  const answer = await call(0, 'getResourceUsages');
  expect(answer.type).toBe('answer');
});
