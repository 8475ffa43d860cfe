/** A server and its clients speak over IPv6 as they do over IPv4. */
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaClient, RemoteMafaldaServer } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';

const opened = closingAfterEach();
const hasIPv6 = Object.values(networkInterfaces()).some(addresses =>
  addresses?.some(({ address }) => address === '::1'),
);
if (!hasIPv6) console.warn('the test of servers over IPv6 is left out: this machine has no loopback address of it');

(hasIPv6 ? test : test.skip)('the URL is one of IPv6, and so is the media', async () => {
  const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false }));
  const server = opened(new RemoteMafaldaServer(mafalda, { host: '::1', auth: 'secret' }));
  await server.listen();
  expect(server.url).toMatch(/^ws:\/\/\[::1\]:\d+$/);
  const client = opened(new RemoteMafaldaClient(server.url, { token: 'secret' }));
  await once(client, 'connected');
  const room = client.createMafaldaRouter({ routerOptions: { mediaCodecs: [] } });
  const transport = await room.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '::1' }] });
  expect(transport.iceCandidates.map(({ address }) => address)).toEqual(['::1']);
});
