import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { io } from 'socket.io-client';
import { RemoteMafaldaClient, type RemoteMafaldaServerOptions } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

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

  test('who is kept out does not try again, and its calls fail', async () => {
    const { url } = await serve('secret');
    const client = opened(new RemoteMafaldaClient(url));
    let refusals = 0;
    client.on('error', () => ++refusals);
    const call = client.createMafaldaRouter().createDirectTransport();
    await expect(call).rejects.toThrow(Error);
    expect(client.readyState).toBe(3);
    await expect(client.getResourceUsages()).rejects.toThrow(/not open/);
    // Longer than the delay of its first attempts to reconnect: another client comes and goes meanwhile.
    for (const delay of [300, 300]) await new Promise(resolve => setTimeout(resolve, delay));
    expect(refusals).toBe(1);
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
  async function handshake(url: string, auth: Record<string, unknown>): Promise<string> {
    const socket = io(url.replace('ws', 'http'), { path: '/mafalda', transports: ['websocket'], forceNew: true, auth });
    opened({ close: () => socket.disconnect() });
    return new Promise((resolve, reject) => {
      socket.on('connect_error', error => resolve(error.message));
      socket.on('welcome', () => reject(new Error('it was let in')));
    });
  }

  test('refuses another version of the protocol, and says which', async () => {
    const { url } = await serve('secret');
    expect(await handshake(url, { protocol: 99, token: 'secret' })).toMatch(/speaks version 1 of the protocol, the client version 99/);
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

  test('of a session that nobody knows begins a new one', async () => {
    const { url, server } = await serve(undefined);
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

test('the HTTP server answers nothing else', async () => {
  const { url } = await serve(undefined);
  const { request } = await import('node:http');
  const asked = request(url.replace('ws', 'http')).end();
  const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(426);
  expect(attempts).toBe(0);
});
