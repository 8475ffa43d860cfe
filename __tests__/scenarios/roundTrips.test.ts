/** Round trips are what users feel: here a wire that is slow enough makes them countable. */
import { afterAll, beforeAll, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { DirectTransport } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer } from '../../src/index.ts';
import { delayProxy } from '../helpers/delayProxy.ts';
import type { TcpProxy } from '../helpers/tcpProxy.ts';
import { mediaCodecs, opus } from '../helpers/rtp.ts';
import { expectTrips } from '../helpers/trips.ts';

const DELAY_MS = 100;

const mafaldas = [new Mafalda(mediasoup, { workerBudget: false }), new Mafalda(mediasoup, { workerBudget: false })];
const servers = mafaldas.map(mafalda => new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false }));
let proxies: TcpProxy[];
let mafalda: MafaldaHorizontal;

beforeAll(async () => {
  for (const server of servers) await server.listen();
  proxies = await Promise.all(servers.map(({ url }) => delayProxy(url, DELAY_MS)));
  mafalda = new MafaldaHorizontal(proxies.map(({ url }) => url));
  await once(mafalda, 'connected');
});

afterAll(async () => {
  await mafalda.close();
  for (const proxy of proxies) await proxy.close();
  for (const server of servers) await server.close();
  for (const served of mafaldas) await served.close();
});

test('one for a call, two for the first consume of a stream on another node, one for the next', async () => {
  const expected = {
    create: 1,
    produce: 1,
    canConsume: 0,
    'first consume': 2,
    'next consume': 1,
    'first consume over an open link': 1,
  };
  await expectTrips(expected, 2 * DELAY_MS, async count => {
    const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const at = (proxy: number): Promise<DirectTransport> =>
      mafaldaRouter.createDirectTransport({ placement: { node: proxies[proxy]!.url } });
    // Workers start outside of the measurement.
    const [source, destination] = await Promise.all([at(0), at(1)]);
    const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();

    await count('create', () => at(1));
    const { id: producerId } = await count('produce', () => source.produce({ kind: 'audio', rtpParameters: opus(1) }));
    const second = await source.produce({ kind: 'audio', rtpParameters: opus(2) });
    await count('canConsume', () => mafaldaRouter.canConsume({ producerId, rtpCapabilities }));
    await count('first consume', () => destination.consume({ producerId, rtpCapabilities }));
    await count('next consume', () => destination.consume({ producerId, rtpCapabilities }));
    await count('first consume over an open link', () =>
      destination.consume({ producerId: second.id, rtpCapabilities }),
    );
    await mafaldaRouter.close();
  });
});

test('one for the first use of a room, and none more for a stream that somebody else has produced a moment ago', async () => {
  const other = new MafaldaHorizontal(proxies.map(({ url }) => url));
  await once(other, 'connected');
  const expected = { 'first use': 1, 'first use by another controller': 1, 'first consume of what is new': 2 };
  await expectTrips(expected, 2 * DELAY_MS, async count => {
    // Workers run since the test before, or the first round.
    const options = { id: randomUUID(), routerOptions: { mediaCodecs } };
    const [ours, theirs] = [mafalda, other].map(user => user.createMafaldaRouter(options));
    const at = (proxy: number): object => ({ placement: { node: proxies[proxy]!.url } });
    const rtpCapabilities = await ours!.getRtpCapabilities();
    const source = await count('first use', () => ours!.createDirectTransport(at(0)));
    const sink = await count('first use by another controller', () => theirs!.createDirectTransport(at(1)));
    const { id: producerId } = await source.produce({ kind: 'audio', rtpParameters: opus(1) });
    await count('first consume of what is new', () => sink.consume({ producerId, rtpCapabilities }));
    await ours!.close();
  });
  await other.close();
});
