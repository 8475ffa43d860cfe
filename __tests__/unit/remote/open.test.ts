/** Doors that must not stand open by mistake. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { describe, expect, jest, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { io } from 'socket.io-client';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type RemoteMafaldaServerOptions,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const localMafalda = (): Mafalda => opened(new Mafalda(mediasoup, { workerBudget: false }));

function serverWith(options: object): RemoteMafaldaServer {
  return new RemoteMafaldaServer(localMafalda(), options as RemoteMafaldaServerOptions);
}

describe('a server', () => {
  test.each([
    ['missing', {}],
    ['missing', { auth: undefined }],
    ['an empty string', { auth: '' }],
    ['a number', { auth: 42 }],
    ['a boolean', { auth: true }],
    ['null', { auth: null }],
  ])('is refused whose auth is %s', (what, options) => {
    expect(() => serverWith(options)).toThrow(TypeError);
    expect(() => serverWith(options)).toThrow(
      new RegExp(`auth must be the token .* or false if everybody .*; it is ${what}`),
    );
  });

  test('that shares another one’s HTTP server has that one’s address and TLS', () => {
    for (const option of [{ cert: 'x', key: 'x' }, { ca: 'x' }, { port: 4443 }]) {
      expect(() => serverWith({ auth: false, server: createServer(), ...option })).toThrow(
        /server and (cert|ca|port) exclude each other/,
      );
    }
  });

  test.each([
    { announcedAddress: 'http://1.2.3.4' },
    { announcedAddress: '1.2.3.4:4443' },
    { announcedAddress: 42 },
    { announcedAddress: '' },
    { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0', announcedAddress: 'media 1' }] },
    { listenIps: [{ ip: '0.0.0.0', announcedIp: 'udp://x' }] },
    { pipeListenInfo: { protocol: 'udp', ip: '0.0.0.0', announcedAddress: '-' } },
  ])('announces nothing that clients can’t look for: %j', options => {
    expect(() => serverWith({ auth: false, ...options })).toThrow(TypeError);
    expect(() => serverWith({ auth: false, ...options })).toThrow(/must be an IP address or the name of a host/);
  });

  test.each(['203.0.113.7', '2001:db8::7', 'localhost', 'media-1.example.', 'media_1'])(
    'announces %s',
    announcedAddress => {
      expect(() => serverWith({ auth: false, announcedAddress })).not.toThrow();
    },
  );

  test('lets in no web pages but those that are named', async () => {
    const { url } = opened(await Served.create({ origins: ['https://admin.example'] }));
    const connect = async (origin?: string): Promise<string> => {
      const extraHeaders = origin === undefined ? undefined : { origin };
      const socket = io(url.replace('ws', 'http'), {
        path: '/mafalda',
        transports: ['websocket'],
        reconnection: false,
        auth: { protocol: 1 },
        extraHeaders,
      });
      opened({ close: () => socket.disconnect() });
      return Promise.race(
        ['connect', 'connect_error'].map(
          event => new Promise<string>(resolve => socket.once(event, () => resolve(event))),
        ),
      );
    };
    expect(await connect()).toBe('connect');
    expect(await connect('https://admin.example')).toBe('connect');
    expect(await connect('https://evil.example')).toBe('connect_error');
    expect(await connect('null')).toBe('connect_error');
  });
});

describe('a token', () => {
  test('can be one for each server', async () => {
    const shown: (string | undefined)[][] = [[], []];
    const servers = await Promise.all(
      shown.map(async (tokens, index) =>
        opened(await Served.create({ auth: token => (tokens.push(token), token === `for server ${index}`) })),
      ),
    );
    const urls = servers.map(({ url }) => url);
    const mafalda = opened(new MafaldaHorizontal(urls, { token: async url => `for server ${urls.indexOf(url)}` }));
    await once(mafalda, 'connected');
    await until('both are connected', () => servers.every(({ server }) => server.counts.clients === 1));
    expect(shown).toEqual([['for server 0'], ['for server 1']]);
  });

  test('that can’t be had is asked for again, and until then the client is refused', async () => {
    const served = opened(await Served.create({ auth: 'right' }));
    let attempts = 0;
    const token = (): string => {
      if (++attempts === 1) throw new Error('the vault is closed');
      return 'right';
    };
    const client = opened(new RemoteMafaldaClient(served.url, { token }));
    const [error] = (await once(client, 'error').catch((refused: unknown) => [refused])) as [Error];
    expect(error.message).toMatch(/no token: the vault is closed/);
    await untilConnected(client);
  });

  test('that is no string is refused', () => {
    expect(() => new RemoteMafaldaClient('ws://127.0.0.1:1', { token: 42 as unknown as string })).toThrow(
      /RemoteMafaldaClient: token must be a string, or a function of the URL; it is a number/,
    );
  });

  test('that leaves the machine unencrypted is warned of, once', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      for (const url of [
        'ws://127.0.0.1:1',
        'ws://localhost:1',
        'wss://192.0.2.1:1',
        'ws://192.0.2.1:1',
        'ws://192.0.2.1:1',
      ]) {
        opened(new RemoteMafaldaClient(url, { token: 'secret' }));
      }
      opened(new RemoteMafaldaClient('ws://192.0.2.2:1'));
      const warning = expect.stringContaining('the token for ws://192.0.2.1:1 leaves this machine unencrypted');
      expect(warn.mock.calls).toEqual([[warning, { code: 'MAFALDA_PLAIN_TOKEN' }]]);
    } finally {
      warn.mockRestore();
    }
  });
});
