import { beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { RemoteMafaldaClient, RemoteMafaldaServer, type RemoteMafaldaServerOptions } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { selfSigned, signed, type Certificate } from '../../helpers/tls.ts';

const opened = closingAfterEach();

let cert: string;
let key: string;

beforeAll(async () => {
  ({ cert, key } = await selfSigned());
});

describe('a server with a certificate', () => {
  test('is used by who trusts its authority', async () => {
    const served = opened(await Served.create({ cert, key, auth: 'secret' }));
    expect(served.url).toMatch(/^wss:\/\/127\.0\.0\.1:\d+$/);
    const client = opened(new RemoteMafaldaClient(served.url, { ca: cert, token: 'secret' }));
    await untilConnected(client);
    await expect(client.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
  });

  test.each(['without `ca`', 'with another `ca`'])('is not used by a client %s', async what => {
    const https = createServer({ cert, key });
    const served = opened(await Served.create({ server: https }));
    https.listen(0, '127.0.0.1');
    await once(https, 'listening');
    opened({
      close: () => {
        https.closeAllConnections();
        https.close();
      },
    });
    const refused = once(https, 'tlsClientError');
    const ca = what === 'without `ca`' ? undefined : (await selfSigned()).cert;
    const client = opened(new RemoteMafaldaClient(served.url, { ca }));
    let connected = false;
    client.on('open', () => (connected = true));
    await refused;
    expect([connected, client.readyState, served.server.counts.clients]).toEqual([false, 0, 0]);
  });

  test('is not reached without TLS', async () => {
    const served = opened(await Served.create({ cert, key }));
    const client = opened(new RemoteMafaldaClient(served.url.replace('wss', 'ws')));
    const call = expect(client.getResourceUsages()).rejects.toThrow(/closed before/);
    await client.close();
    await call;
  });
});

describe('a server with an authority for its clients', () => {
  let mine: Certificate & { ca: string };

  beforeAll(async () => {
    mine = await signed();
  });

  test('serves who has a certificate of it', async () => {
    const served = opened(await Served.create({ cert, key, ca: mine.ca, auth: 'secret' }));
    const client = opened(
      new RemoteMafaldaClient(served.url, { ca: cert, cert: mine.cert, key: mine.key, token: 'secret' }),
    );
    await untilConnected(client);
    await expect(client.createMafaldaRouter().createDirectTransport()).resolves.toBeDefined();
    // The certificate does not stand for the token.
    const other = opened(
      new RemoteMafaldaClient(served.url, { ca: cert, cert: mine.cert, key: mine.key, token: 'wrong' }),
    );
    const refused = new Promise<Error>(resolve => other.once('error', resolve));
    expect((await refused).message).toMatch(/token/);
  });

  test.each(['no certificate', 'one that signs itself', 'one of another authority'])(
    'does not talk to who has %s',
    async what => {
      let asked = 0;
      const auth = (): boolean => Boolean(++asked);
      const served = opened(await Served.create({ cert, key, ca: mine.ca, auth }));
      const shown =
        what === 'no certificate' ? {} : what === 'one that signs itself' ? await selfSigned() : await signed();
      const client = opened(new RemoteMafaldaClient(served.url, { callTimeout: 1500, ...shown, ca: cert }));
      await expect(client.getResourceUsages()).rejects.toThrow(
        /not answered within 1500 ms by .*: there is no connection at present/,
      );
      expect([asked, client.readyState, served.server.counts.clients]).toEqual([0, 0, 0]);
    },
  );

  test('needs a certificate of its own', async () => {
    const { mafalda } = opened(await Served.create());
    expect(() => new RemoteMafaldaServer(mafalda, { auth: false, ca: mine.ca })).toThrow(/ca needs cert and key/);
  });
});

describe('a server’s options', () => {
  test('need certificate and key together', async () => {
    const { mafalda } = opened(await Served.create());
    expect(() => new RemoteMafaldaServer(mafalda, { auth: false, cert })).toThrow(/cert and key/);
    expect(() => new RemoteMafaldaServer(mafalda, { auth: false, key })).toThrow(/cert and key/);
    expect(() => new RemoteMafaldaServer(mafalda, { auth: false, tls: true } as RemoteMafaldaServerOptions)).toThrow(
      /unknown option tls/,
    );
  });

  test('tell of a port that is taken, and the server can listen elsewhere or again', async () => {
    const first = opened(await Served.create());
    const port = Number(new URL(first.url).port);
    const second = opened(new RemoteMafaldaServer(first.mafalda, { host: '127.0.0.1', auth: false, port }));
    await expect(second.listen()).rejects.toThrow(/EADDRINUSE/);
    await first.server.close();
    await second.listen();
    expect(second.url).toBe(`ws://127.0.0.1:${port}`);
  });

  test('give a URL that can be used, with IPv6 too', async () => {
    const { mafalda } = opened(await Served.create());
    const server = opened(new RemoteMafaldaServer(mafalda, { host: '::1', auth: false }));
    await server.listen();
    expect(new URL(server.url).hostname).toBe('[::1]');
    await untilConnected(opened(new RemoteMafaldaClient(server.url)));
  });

  test('have a URL only while it listens; close() and listen() know their state', async () => {
    const { mafalda } = opened(await Served.create());
    const server = opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false }));
    expect(() => server.url).toThrow(/does not listen/);
    await server.close();
    await server.listen();
    await expect(server.listen()).rejects.toThrow(/listens already/);
    await server.close();
    await server.close();
    expect(() => server.url).toThrow(/does not listen/);
  });
});
