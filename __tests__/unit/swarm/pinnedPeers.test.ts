/** Peers know each other by the certificates whose fingerprints they sign, whoever answers at their URLs. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer } from '../../../src/index.ts';
import { SwarmDirectory } from '../../../src/swarm/directory/swarmDirectory.ts';
import { fingerprintOf } from '../../../src/swarm/fingerprint.ts';
import { Identity } from '../../../src/swarm/identity.ts';
import type { MafaldaSwarm } from '../../../src/swarm/index.ts';
import { Trust } from '../../../src/swarm/trust.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { host, shortTiming, swarmPeers, urlsOf } from '../../helpers/swarmPeers.ts';
import { selfSigned, type Certificate } from '../../helpers/tls.ts';
import { tlsBetween } from '../../helpers/tlsBetween.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const { key, join } = swarmPeers();
let certificates: [Certificate, Certificate];
beforeAll(async () => {
  certificates = [await selfSigned(), await selfSigned()];
});

/** A URL with a port that was free a moment ago. */
async function freeUrl(): Promise<string> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return `wss://${host}:${port}`;
}

async function secure({ cert, key: certKey }: Certificate, first?: MafaldaSwarm): Promise<MafaldaSwarm> {
  return join(first, { url: await freeUrl(), cert, certKey });
}

async function use(swarm: MafaldaSwarm, url: string): Promise<void> {
  const room = swarm.createMafaldaRouter();
  await room.createDirectTransport({ placement: { node: url } });
  await room.close();
}

/** A peer that is known in the DHT by a URL, with the fingerprint of a certificate. */
async function announce(first: MafaldaSwarm, url: string, { cert }: Certificate): Promise<void> {
  const directory = opened(
    new SwarmDirectory(
      {
        bootstrap: [await first.address()],
        trust: new Trust({ key, trusted: undefined, revoked: [] }),
        host,
        listenHost: host,
        port: 0,
        identity: new Identity(),
        fingerprint: fingerprintOf(cert),
      },
      shortTiming,
    ),
  );
  directory.register({ url, serverId: url, load: 0, draining: false });
  await until('it is known', () => urlsOf(first).includes(url));
}

test('certificates that peers have signed themselves are enough', async () => {
  const first = await secure(certificates[0]);
  const second = await secure(certificates[1], first);
  await until('they know each other', () => urlsOf(first).includes(second.url) && urlsOf(second).includes(first.url));
  await use(first, second.url);
  await use(second, first.url);
});

test('something between that answers in a peer’s place is refused, and hears nothing', async () => {
  const [own, another] = certificates;
  const first = await secure(own);
  const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false }));
  const server = opened(new RemoteMafaldaServer(mafalda, { host, ...own, auth: () => true }));
  await server.listen();
  await announce(first, server.url, own);
  await use(first, server.url);

  const between = opened(await tlsBetween(server.url, another));
  await announce(first, between.url, own);
  await expect(use(first, between.url)).rejects.toThrow('something between here and there answers in its place');
  expect(between.heard).toBe(0);
});
