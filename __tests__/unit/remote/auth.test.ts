import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import {
  RefusedError,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type RemoteMafaldaServerOptions,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
let attempts = 0;

afterEach(() => {
  attempts = 0;
});

async function serve(auth: RemoteMafaldaServerOptions['auth']): Promise<Served> {
  return opened(await Served.create({ auth }));
}

/** What a client is told that is not let in. */
async function refusal(url: string, token?: string): Promise<Error> {
  const client = opened(new RemoteMafaldaClient(url, { token }));
  client.on('open', () => ++attempts);
  return new Promise((resolve, reject) => {
    client.once('error', resolve);
    client.once('connected', () => reject(new Error('it was let in')));
  });
}

describe('a shared token', () => {
  test('lets in who has it', async () => {
    const { url } = await serve('secret');
    await untilConnected(opened(new RemoteMafaldaClient(url, { token: 'secret' })));
  });

  test.each([undefined, '', 'wrong', 'secret '])('keeps out who has %p', async token => {
    const served = await serve('secret');
    const error = await refusal(served.url, token);
    expect(error.message).toContain(served.url);
    expect(error.message).toContain('the token is missing or wrong');
    expect(error.message).not.toContain('secret');
    expect(served.server.counts.clients).toBe(0);
  });

  test('who is kept out is told so once, and tries again until the server has changed its mind', async () => {
    let attempts = 0;
    const { url } = await serve(async token => {
      ++attempts;
      // As when the service behind it is down for a time.
      if (attempts < 3) throw new Error('the users can’t be looked up');
      return token === 'secret';
    });
    const client = opened(new RemoteMafaldaClient(url, { token: 'secret' }));
    const errors: Error[] = [];
    client.on('error', error => errors.push(error));
    // A call that is made meanwhile waits for that.
    await expect(client.createMafaldaRouter().createDirectTransport()).resolves.toMatchObject({ closed: false });
    expect([attempts, client.readyState]).toEqual([3, 4]);
    expect(errors).toEqual([expect.any(RefusedError)]);
    expect(errors[0]).toMatchObject({ permanent: false, reason: 'the users can’t be looked up' });
  });

  test('calls of who is kept out fail in time, with the reason, and open() tries again at once', async () => {
    let known = false;
    const { url } = await serve(() => known);
    const client = opened(new RemoteMafaldaClient(url, { callTimeout: 1000 }));
    let refusals = 0;
    client.on('error', () => ++refusals);
    await expect(client.getResourceUsages()).rejects.toMatchObject({
      code: 'ERR_MAFALDA_REFUSED',
      reason: expect.stringMatching(/token/),
    });
    expect([client.readyState, refusals]).toEqual([0, 1]);
    known = true;
    client.open();
    await untilConnected(client);
  });

  test('who stays connected keeps what it has while nobody can be let in', async () => {
    let refusing = false;
    const served = await serve(() => !refusing);
    const proxy = opened(await CutProxy.create(served.url));
    const client = opened(new RemoteMafaldaClient(proxy.url));
    const transport = await client.createMafaldaRouter().createDirectTransport();
    refusing = true;
    const refused = once(client, 'disconnected').then(() => new Promise(resolve => client.once('error', resolve)));
    proxy.cut();
    await refused;
    refusing = false;
    await untilConnected(client);
    expect([transport.closed, served.mafalda.transports.size]).toEqual([false, 1]);
    await expect(transport.dump()).resolves.toBeDefined();
  });

  test('who is kept out can open again where it is known', async () => {
    const [strict, other] = [await serve('secret'), await serve('mine')];
    const client = opened(new RemoteMafaldaClient(strict.url, { token: 'mine' }));
    await new Promise(resolve => client.once('error', resolve));
    client.open(other.url);
    await untilConnected(client);
    expect(client.url).toBe(other.url);
  });
});

describe('a function', () => {
  test('is asked for each client, with its token', async () => {
    const asked: unknown[] = [];
    const { url } = await serve(async token => {
      asked.push(token);
      return token === 'ticket';
    });
    await untilConnected(opened(new RemoteMafaldaClient(url, { token: 'ticket' })));
    expect((await refusal(url, 'other')).message).toContain('unauthorized');
    expect((await refusal(url)).message).toContain('unauthorized');
    expect(asked).toEqual(['ticket', 'other', undefined]);
  });

  test('can say why not', async () => {
    const { url } = await serve(() => {
      throw new Error('your subscription has ended');
    });
    expect((await refusal(url)).message).toContain('your subscription has ended');
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a text', 'no'],
  ])('that rejects with %s lets nobody in', async (_what, reason: unknown) => {
    const { url, server } = await serve(async () => {
      throw reason;
    });
    const error = await refusal(url);
    expect(error.message).not.toContain('undefined');
    expect(server.counts.clients).toBe(0);
  });

  test.each([1, 'yes', {}, undefined])('that answers %p, rather than true, lets nobody in', async answer => {
    const { url } = await serve(() => answer as unknown as boolean);
    expect((await refusal(url, 'x')).message).toContain('unauthorized');
  });
});

describe('the handshake', () => {
  async function handshakeError(url: string, auth: Record<string, unknown>): Promise<Error & { data?: unknown }> {
    const socket = io(url.replace('ws', 'http'), { path: '/mafalda', transports: ['websocket'], forceNew: true, auth });
    opened({ close: () => socket.disconnect() });
    return new Promise((resolve, reject) => {
      socket.on('connect_error', resolve);
      socket.on('welcome', () => reject(new Error('it was let in')));
    });
  }

  async function handshake(url: string, auth: Record<string, unknown>): Promise<string> {
    return (await handshakeError(url, auth)).message;
  }

  test('refuses another version of the protocol, and says which', async () => {
    const { url } = await serve('secret');
    const { message, data } = await handshakeError(url, { protocol: 99, token: 'secret' });
    expect([message, data]).toEqual([
      expect.stringMatching(/speaks version 1 of the protocol, the client version 99/),
      { permanent: true },
    ]);
    expect((await handshakeError(url, { protocol: 1, token: 'other' })).data).toBeUndefined();
    // Nothing is told of the server to who doesn't know the token.
    expect(await handshake(url, { protocol: 99, token: 'other' })).toMatch(/unauthorized/);
  });

  test.each([{}, { protocol: null }, { protocol: 1, token: {} }, { protocol: 1, token: 'secret', session: [] }])(
    'refuses %p',
    async auth => {
      const { url } = await serve('secret');
      expect(await handshake(url, auth)).toMatch(/malformed credentials/);
    },
  );

  test('of another version is not tried again, unless by open()', async () => {
    let [attempts, incompatible] = [0, true];
    const server = opened(new SocketServer(0, { path: '/mafalda' }));
    server.use((_socket, next) => {
      ++attempts;
      next(
        incompatible
          ? Object.assign(new Error('incompatible: too old'), { data: { permanent: true } })
          : new Error('try later'),
      );
    });
    const { port } = server.httpServer.address() as AddressInfo;
    const client = opened(new RemoteMafaldaClient(`ws://127.0.0.1:${port}`));
    const refused = new Promise<Error>(resolve => client.once('error', resolve));
    expect(await refused).toMatchObject({
      code: 'ERR_MAFALDA_REFUSED',
      permanent: true,
      reason: 'incompatible: too old',
    });
    expect([client.readyState, attempts]).toEqual([3, 1]);
    await expect(client.getResourceUsages()).rejects.toThrow(/incompatible: too old/);
    incompatible = false;
    client.open();
    await until('it goes on trying', () => attempts > 2);
    expect(client.readyState).toBe(0);
  });

  test('of a session that nobody knows begins a new one', async () => {
    const { url, server } = await serve(false);
    const socket = io(url.replace('ws', 'http'), {
      path: '/mafalda',
      transports: ['websocket'],
      auth: { protocol: 1, session: { id: 'made up', received: 5 } },
    });
    opened({ close: () => socket.disconnect() });
    const [welcome] = (await new Promise<unknown[]>(resolve => socket.once('welcome', (...args) => resolve(args)))) as [
      { session: { id: string; received: number } },
    ];
    expect(welcome.session.id).not.toBe('made up');
    expect(welcome.session.received).toBe(0);
    expect(server.counts.clients).toBe(1);
  });
});

test('what is served and not connected itself lets nobody in, until it is', async () => {
  const inner = opened(await Served.create());
  const proxy = opened(await CutProxy.create(inner.url));
  proxy.blocked = true;
  const between = opened(new RemoteMafaldaClient(proxy.url));
  const server = opened(new RemoteMafaldaServer(between, { host: '127.0.0.1', auth: false }));
  await server.listen();
  expect((await refusal(server.url)).message).toContain('unavailable: the server has not answered yet');
  const client = opened(new RemoteMafaldaClient(server.url));
  proxy.blocked = false;
  await once(between, 'connected');
  await until('it is let in', () => client.readyState === 4);
  await expect(client.createMafaldaRouter().createDirectTransport()).resolves.toMatchObject({ closed: false });
});

test('the HTTP server answers nothing else', async () => {
  const { url } = await serve(false);
  const { request } = await import('node:http');
  const asked = request(url.replace('ws', 'http')).end();
  const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(426);
  expect(attempts).toBe(0);
});
