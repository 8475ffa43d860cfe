/** Servers that are not reached: each client says why, and so does every call that fails for it. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { Server as SocketServer } from 'socket.io';
import {
  MafaldaHorizontal,
  NodeUnavailableError,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type ConnectFailure,
  type RemoteMafaldaClientOptions,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { RawWebSocketServer } from '../../helpers/rawWebSocketServer.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { selfSigned, signed, type Certificate } from '../../helpers/tls.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

let mine: Certificate;
let other: Certificate;
let client: Certificate & { ca: string };

/** Each of them has a Worker started when it begins to listen: they serve all situations. */
let servers: Record<'plain' | 'tls' | 'mutual', Served>;

beforeAll(async () => {
  [mine, other, client] = await Promise.all([selfSigned(), selfSigned(), signed()]);
  servers = {
    plain: await Served.create({ auth: 'secret' }),
    tls: await Served.create(mine),
    mutual: await Served.create({ ...mine, ca: client.ca }),
  };
});

afterAll(async () => {
  for (const served of Object.values(servers)) await served.close();
});

/** @returns its port */
async function listening(server: Server | HttpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  opened({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function unusedPort(): Promise<number> {
  const server = createTcp().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Situation {
  url: string;
  options?: RemoteMafaldaClientOptions;
}

const situations: Record<string, { make: () => Promise<Situation>; says: RegExp }> = {
  'no authority': {
    make: async () => ({ url: servers.tls.url }),
    says: /authority .* not known here: give it as `ca`.*DEPTH_ZERO_SELF_SIGNED_CERT/,
  },
  'another authority': {
    make: async () => ({ url: servers.tls.url, options: { ca: other.cert } }),
    says: /authority .* not known here/,
  },
  'another host': {
    make: async () => ({ url: servers.tls.url.replace('127.0.0.1', 'localhost'), options: { ca: mine.cert } }),
    says: /its certificate is for another host/,
  },
  'no certificate of its own': {
    make: async () => ({ url: servers.mutual.url, options: { ca: mine.cert } }),
    says: /does it ask for a certificate of yours/,
  },
  'a port where nobody listens': {
    make: async () => ({ url: `ws://127.0.0.1:${await unusedPort()}` }),
    says: /nobody listens on that port.*ECONNREFUSED/,
  },
  'an unknown host': {
    make: async () => ({ url: 'ws://nowhere.invalid:4443' }),
    says: /that name can’t be resolved.*(ENOTFOUND|EAI_AGAIN)/,
  },
  'ws:// to a port with TLS': {
    make: async () => ({ url: servers.tls.url.replace('wss', 'ws') }),
    says: /a port with TLS needs wss:/,
  },
  'wss:// to a port without': {
    make: async () => ({ url: servers.plain.url.replace('ws', 'wss') }),
    says: /it does not speak TLS on that port/,
  },
  'a wrong path': {
    make: async () => ({ url: `${servers.plain.url}/elsewhere` }),
    says: /no Mafalda server at that path/,
  },
  'a web server': {
    make: async () => ({
      url: `ws://127.0.0.1:${await listening(createHttp((_request, response) => response.end()))}`,
    }),
    says: /no Mafalda server.*response: 200/,
  },
  'a web server with TLS': {
    make: async () => ({
      url: `wss://127.0.0.1:${await listening(createHttps(mine, (_request, response) => response.end()))}`,
      options: { ca: mine.cert },
    }),
    says: /no Mafalda server.*response: 200/,
  },
  'another protocol': {
    make: async () => ({ url: `ws://127.0.0.1:${await listening(createTcp(socket => socket.end('220 hello\r\n')))}` }),
    says: /no Mafalda server.*Parse Error/,
  },
  'a server of WebSockets': {
    make: async () => ({ url: opened(await RawWebSocketServer.create(send => send('hello'))).url }),
    says: /what answers there is no Mafalda server/,
  },
  'another application of socket.io': {
    make: async () => {
      const http = createHttp();
      opened(new SocketServer(http, { path: '/mafalda' }));
      return { url: `ws://127.0.0.1:${await listening(http)}` };
    },
    says: /has not said welcome within 2500 ms/,
  },
  'a server that says a malformed welcome': {
    make: async () => {
      const http = createHttp();
      opened(new SocketServer(http, { path: '/mafalda' })).on('connection', socket => void socket.emit('welcome', {}));
      return { url: `ws://127.0.0.1:${await listening(http)}` };
    },
    says: /no Mafalda server: a malformed welcome/,
  },
  'one that says nothing': {
    make: async () => ({ url: `ws://127.0.0.1:${await listening(createTcp(socket => void socket.resume()))}` }),
    says: /it has not answered in time/,
  },
  'a wrong token': {
    make: async () => ({ url: servers.plain.url, options: { token: 'wrong' } }),
    says: /the token is missing or wrong/,
  },
};

describe.each(Object.entries(situations))('%s', (_what, { make, says }) => {
  test('is told with URL and cause, without anybody listening for errors, and by calls', async () => {
    const { url, options } = await make();
    const client = opened(new RemoteMafaldaClient(url, { ...options, callTimeout: 5000 }));
    const call = client.getResourceUsages().catch((thrown: unknown) => thrown as Error);
    const [failure] = (await once(client, 'connecterror')) as [ConnectFailure];
    expect(failure.url).toBe(url);
    expect(failure.error.message).toMatch(says);
    expect(failure.error.message.startsWith(url)).toBe(true);
    expect(client.trouble?.message).toMatch(says);
    // Of a server that was never there it is known that it has performed nothing.
    await client.close();
    const error = await call;
    expect(error.message).toMatch(says);
  });
});

test('a MafaldaHorizontal tells of each server, and why none can be used when it is asked for something', async () => {
  const made = await Promise.all(
    Object.entries(situations).map(async ([name, { make, says }]) => ({ name, says, ...(await make()) })),
  );
  // A server that says nothing has not been given up by then, and a URL is one node.
  const nodes = made.filter(({ name }) => name !== 'one that says nothing' && name !== 'another authority');
  const mafalda = opened(
    new MafaldaHorizontal(nodes.map(({ url, options }) => opened(new RemoteMafaldaClient(url, options)))),
  );
  const told = new Map<string, string[]>();
  mafalda.on('connecterror', ({ url, error }) => told.set(url, [...(told.get(url) ?? []), error.message]));
  const errors: Error[] = [];
  mafalda.on('error', error => errors.push(error));
  const creating = mafalda
    .createMafaldaRouter()
    .createDirectTransport()
    .catch((thrown: unknown) => thrown);
  await new Promise<void>(resolve => mafalda.once('connected', resolve));
  const error = (await creating) as NodeUnavailableError;
  expect(error).toBeInstanceOf(NodeUnavailableError);
  await until('each has been told of', () => told.size === nodes.length);
  for (const { url, says } of nodes) {
    expect(told.get(url)!.filter(message => says.test(message))).toHaveLength(1);
    expect(Object.keys(error.causes)).toContain(url);
  }
  expect(error.message).toMatch(/none of the 15 nodes is connected; .*; and 10 more, see causes$/);
  expect(errors.at(-1)).toMatchObject({
    code: 'ERR_MAFALDA_NODE_UNAVAILABLE',
    message: expect.stringMatching(/none of the 15 nodes is connected/),
  });
});

test('a cause is told once, however often it is tried, and again after the server was there', async () => {
  const served = opened(await Served.create());
  const proxy = opened(await CutProxy.create(served.url));
  const client = opened(new RemoteMafaldaClient(proxy.url));
  const told: string[] = [];
  client.on('connecterror', ({ error }) => told.push(error.message));
  await untilConnected(client);
  for (const times of [1, 2]) {
    proxy.blocked = true;
    const before = proxy.attempts.length;
    proxy.cut();
    await until('it was tried more than once', () => proxy.attempts.length >= before + 2);
    expect(told).toHaveLength(times);
    proxy.blocked = false;
    await once(client, 'connected');
    expect(client.trouble).toBeUndefined();
  }
});

test('`connected` without a node that can be used is warned of where nobody listens for errors, and time-outs say why', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    const url = `ws://127.0.0.1:${await unusedPort()}`;
    const mafalda = opened(new MafaldaHorizontal([url]));
    await once(mafalda, 'connected');
    const says = new RegExp(`none of the 1 nodes is connected; ${url}: nobody listens on that port`);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(says), { code: 'MAFALDA_NO_NODE' }]]);
    await expect(mafalda.createMafaldaRouter().createDirectTransport()).rejects.toThrow(says);
    await expect(mafalda.mediasoup.createWorker()).rejects.toThrow(says);
    await expect(
      mafalda.createMafaldaRouter().createDirectTransport({ placement: { node: url } }),
    ).rejects.toMatchObject({
      node: url,
      message: expect.stringMatching(/is not connected: .*nobody listens/),
    });
  } finally {
    warn.mockRestore();
  }
});

test('it is told through a tier above', async () => {
  const url = `ws://127.0.0.1:${await unusedPort()}`;
  const middle = opened(new MafaldaHorizontal([url]));
  middle.on('error', () => undefined);
  const server = opened(new RemoteMafaldaServer(middle, { host: '127.0.0.1', auth: false }));
  await server.listen();
  const client = opened(new RemoteMafaldaClient(server.url));
  const error = await client
    .createMafaldaRouter()
    .createDirectTransport()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'ERR_MAFALDA_NODE_UNAVAILABLE',
    causes: { [url]: { code: 'ERR_MAFALDA_NODE_UNAVAILABLE' } },
  });
  expect((error as Error).message).toMatch(/nobody listens on that port/);
});

describe('the path of a URL', () => {
  test('is where the server is looked for, and part of the server’s own URL', async () => {
    const served = opened(await Served.create({ path: '/media/1' }));
    expect(served.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/media\/1$/);
    await untilConnected(opened(new RemoteMafaldaClient(served.url)));
    await untilConnected(opened(new RemoteMafaldaClient(`${served.url}/`, { path: '/other' })));
    await untilConnected(opened(new RemoteMafaldaClient(served.url.replace('/media/1', ''), { path: '/media/1' })));
    const mafalda = opened(new MafaldaHorizontal([served.url]));
    await expect(mafalda.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
  });

  test('may have nothing behind it, and a URL no secret', () => {
    expect(() => new RemoteMafaldaClient('ws://127.0.0.1:1/a?token=secret')).toThrow(
      /must not have anything after its path/,
    );
    expect(() => new RemoteMafaldaClient('ws://me:secret@127.0.0.1:1')).toThrow(
      /^(?!.*secret).*there is the option token/,
    );
    expect(() => new RemoteMafaldaClient('127.0.0.1:1')).toThrow(TypeError);
  });

  test('of a server begins with a slash', () => {
    const { mafalda } = servers.plain;
    for (const path of ['media', '/', '/a?b'])
      expect(() => new RemoteMafaldaServer(mafalda, { auth: false, path })).toThrow(
        /path must be a path that begins with \//,
      );
  });
});
