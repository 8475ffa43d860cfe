/** Each tier in between adds one hop to a control call, and nothing more: here every hop is slow enough to be counted. */
import { afterAll, beforeAll, test } from '@jest/globals';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { DirectTransport } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer, type MafaldaApi } from '../../src/index.ts';
import { delayProxy } from '../helpers/delayProxy.ts';
import { mediaCodecs, opus } from '../helpers/rtp.ts';
import { expectTrips } from '../helpers/trips.ts';

/** Long beside what a busy machine takes for the rest. */
const DELAY_MS = 150;
const ROUND_TRIP_MS = 2 * DELAY_MS;
/** Root to middle, middle to leaf. */
const HOPS = 2;

const closing: (() => Promise<unknown>)[] = [];
let root: MafaldaHorizontal;
let middles: string[];

beforeAll(async () => {
  const leaves = await Promise.all(
    [1, 2, 3, 4].map(() => serveSlowly(new Mafalda(mediasoup, { workerBudget: false }))),
  );
  middles = await Promise.all(
    [leaves.slice(0, 2), leaves.slice(2)].map(async below => serveSlowly(await above(below))),
  );
  root = await above(middles);
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** @returns its URL, behind a wire that takes its time */
async function serveSlowly(mafalda: MafaldaApi): Promise<string> {
  const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false });
  await server.listen();
  const proxy = await delayProxy(server.url, DELAY_MS);
  closing.push(
    () => mafalda.close(),
    () => server.close(),
    () => proxy.close(),
  );
  return proxy.url;
}

async function above(nodes: string[]): Promise<MafaldaHorizontal> {
  const mafalda = new MafaldaHorizontal(nodes, {
    strategy: candidates => [...candidates].sort((a, b) => a.placed - b.placed)[0],
  });
  closing.push(() => mafalda.close());
  await once(mafalda, 'connected');
  return mafalda;
}

test('one for each hop of a call, two for each hop of the first consume of a stream in another branch', async () => {
  const expected = {
    create: HOPS,
    produce: HOPS,
    canConsume: 0,
    'first consume': 2 * HOPS,
    'next consume': HOPS,
    'first consume over an open link': HOPS,
    // The middle does that alone: once down to it, and twice from there.
    'first consume in the same branch': 1 + 2,
    getStats: HOPS,
  };
  await expectTrips(expected, ROUND_TRIP_MS, async count => {
    const mafaldaRouter = root.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const at = (middle: number): Promise<DirectTransport> =>
      mafaldaRouter.createDirectTransport({ placement: { node: middles[middle]! } });
    // Workers start outside of the measurement. Each middle takes its leaves in turn.
    const [source, sibling, sink] = [await at(0), await at(0), await at(1), await at(1)];
    const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
    let ssrc = 1;
    const produce = async (): Promise<string> =>
      (await source.produce({ kind: 'audio', rtpParameters: opus(ssrc++) })).id;

    await count('create', () => at(1));
    const producerId = await count('produce', produce);
    const second = await produce();
    await count('canConsume', () => mafaldaRouter.canConsume({ producerId, rtpCapabilities }));
    await count('first consume', () => sink.consume({ producerId, rtpCapabilities }));
    await count('next consume', () => sink.consume({ producerId, rtpCapabilities }));
    await count('first consume over an open link', () => sink.consume({ producerId: second, rtpCapabilities }));
    await count('first consume in the same branch', () => sibling.consume({ producerId, rtpCapabilities }));
    await count('getStats', () => sink.getStats());
    await mafaldaRouter.close();
  });
});
