/** A controller as a process of its own, which uses a good server, and each bad one that it is told of. Whatever is thrown in it ends it. */
import { once } from 'node:events';
import { MafaldaHorizontal, RemoteMafaldaClient, type MafaldaApi } from '../../../src/index.ts';
import { watchTurns } from '../fuzz/starvation.ts';
import { mediaCodecs } from '../rtp.ts';
import type { VictimRequest, VictimState } from '../victimProcess.ts';

const [goodUrl] = process.argv.slice(2);
const longestTurn = watchTurns();
// Whether it is answered is for the parent to judge.
const good = new RemoteMafaldaClient(goodUrl, { callTimeout: 600_000 });
await once(good, 'connected');
const goodRouter = good.createMafaldaRouter({ id: 'good' });

const members = (): string[] =>
  [Object, Array, Function, String].flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype));
const innocent = members().join();
let bad: MafaldaApi[] = [];
let errors: string[] = [];
const warnings: string[] = [];
process.on('warning', ({ name }) => warnings.push(name));

async function meet(url: string, clients: number, limits: VictimRequest['limits']): Promise<void> {
  await Promise.all(bad.map(mafalda => mafalda.close()));
  errors = [];
  const options = { callTimeout: 300, limits };
  // By a second name of the same server, every other client has two of them, and moves when it is asked to leave.
  const remote = Array.from(
    { length: clients },
    (_, index) => new RemoteMafaldaClient(index % 2 === 1 ? [url, `${url}/mafalda`] : url, options),
  );
  const horizontal = new MafaldaHorizontal([url, goodUrl!], options);
  bad = [...remote, horizontal];
  const note = ({ message }: Error): void => void errors.push(message);
  for (const client of remote) client.on('error', note);
  horizontal.on('error', note);
  for (const mafalda of bad) void use(mafalda).catch(() => undefined);
}

/** Much of what an application does; what comes of it is for the bad server to say. */
async function use(mafalda: MafaldaApi): Promise<void> {
  const room = mafalda.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
  void makeRouter(mafalda).catch(() => undefined);
  void mafalda.getResourceUsages();
  void room.dump();
  void room.getRtpCapabilities();
  const [transport, other] = await Promise.all([
    room.createDirectTransport(),
    room.createDirectTransport(),
    room.createAudioLevelObserver(),
  ]);
  const producer = await transport.produceData({ label: 'x', appData: { a: 1 } });
  const consumer = await other.consumeData({ dataProducerId: producer.id });
  consumer.on('message', () => undefined);
  producer.send('x');
  void transport.getStats();
  await producer.pause();
}

async function makeRouter({ mediasoup }: MafaldaApi): Promise<void> {
  const worker = await mediasoup.createWorker();
  await worker.createRouter({ mediaCodecs });
}

process.on('message', (request: VictimRequest) => {
  const answer = async (): Promise<void> => {
    if (request.url !== undefined) await meet(request.url, request.clients, request.limits);
    // A good server must be usable as if nothing had happened.
    const transport = await goodRouter.createDirectTransport();
    transport.close();
    const memory = process.memoryUsage().rss;
    const objects = bad.map(({ transports }) => transports.size);
    const polluted = members().join() !== innocent;
    process.send!({ memory, errors, warnings, polluted, objects, longestTurn: longestTurn() } satisfies VictimState);
  };
  // Nothing of it may fail: then there is no answer.
  void answer();
});
process.on('disconnect', () => process.exit());
process.send!('ready');
