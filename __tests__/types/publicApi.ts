/**
 * Code that an application may write, and code that it may not, as the compiler sees it: checked by `npm run typecheck`, never run. Each line with
 * `@ts-expect-error` fails the type check when it begins to compile.
 */
import type * as mediasoup from 'mediasoup/types';
import { createClient, createCluster, createSentinel } from 'redis';
import type { Autoscaler, AutoscalerOptions, Plan, Provisioner, plan } from '../../src/autoscale/index.ts';
import type {
  Directory,
  Mafalda,
  MafaldaApi,
  MafaldaHorizontal,
  MafaldaRouter,
  RemoteMafaldaClient,
  RemoteMafaldaServerOptions,
  Strategy,
} from '../../src/index.ts';
import { RedisDirectory } from '../../src/redis/index.ts';

declare const mafaldas: { local: Mafalda; remote: RemoteMafaldaClient; horizontal: MafaldaHorizontal };

export const implementations: readonly MafaldaApi[] = Object.values(mafaldas);

/** Objects that a MafaldaRouter hands out are mediasoup's own types. */
export async function dropIn(router: MafaldaRouter, rtpParameters: mediasoup.RtpParameters): Promise<void> {
  const transport: mediasoup.WebRtcTransport = await router.createWebRtcTransport();
  const producer: mediasoup.Producer = await transport.produce({ kind: 'audio', rtpParameters });
  const rtpCapabilities: mediasoup.RtpCapabilities = await router.getRtpCapabilities();
  const consumer: mediasoup.Consumer = await transport.consume({ producerId: producer.id, rtpCapabilities });
  const observer: mediasoup.AudioLevelObserver = await router.createAudioLevelObserver({ maxEntries: 1 });
  await observer.addProducer({ producerId: producer.id });
  consumer.on('score', ({ score }) => score.toFixed());
  router.on('workerdied', (worker: mediasoup.Worker, error: Error) => console.log(worker.pid, error.message));
  router.on('pathlost', ({ consumers }) => consumers.map(({ id }) => id));

  // @ts-expect-error There is no such event.
  router.on('workerdead', () => undefined);
  // @ts-expect-error There is no such option.
  await router.createWebRtcTransport({ listenIPs: [] });
  // @ts-expect-error There is no such kind.
  await transport.produce({ kind: 'voice', rtpParameters });
}

/** The application's own data keeps its type. */
export async function appData(router: MafaldaRouter): Promise<string> {
  const transport = await router.createDirectTransport<{ person: string }>({ appData: { person: 'Ada' } });
  // @ts-expect-error The data has no such member.
  void transport.appData.name;
  return transport.appData.person;
}

export async function canConsume(router: MafaldaRouter, rtpCapabilities: mediasoup.RtpCapabilities): Promise<boolean> {
  // @ts-expect-error The answer is a promise, unlike mediasoup's.
  const isConsumable: boolean = router.canConsume({ producerId: 'id', rtpCapabilities });
  return isConsumable;
}

/**
 * Without `await` the compiler finds only the one without a negation; the other one is for the linter, which refuses the directive if the rule finds
 * nothing there.
 */
export function refuse(router: MafaldaRouter, rtpCapabilities: mediasoup.RtpCapabilities): string {
  // eslint-disable-next-line @typescript-eslint/no-misused-promises
  if (!router.canConsume({ producerId: 'id', rtpCapabilities })) return 'never';
  // @ts-expect-error This condition will always return true.
  // eslint-disable-next-line @typescript-eslint/no-misused-promises
  return router.canConsume({ producerId: 'id', rtpCapabilities }) ? 'always' : 'never';
}

export function readOnly({ transports }: MafaldaApi): Map<string, mediasoup.Transport> {
  // @ts-expect-error The Maps are for reading.
  return transports;
}

export const strategy: Strategy = (candidates, { watermark }) => candidates.find(({ load }) => load < watermark);
// @ts-expect-error A strategy chooses one of the candidates, not an id.
export const idStrategy: Strategy = ([first]) => first?.id;

export const serverOptions: RemoteMafaldaServerOptions[] = [
  { auth: false },
  { auth: async token => token === 'secret', port: 4443, maxLoad: 80 },
  // @ts-expect-error Whom to let in must be said.
  { port: 4443 },
  // @ts-expect-error A duration is a number of milliseconds.
  { auth: false, sessionTimeout: '20s' },
];

/** Whatever node-redis makes serves as a pattern. */
export function directories(): Directory[] {
  const node = { host: 'sentinel-1', port: 26379 };
  return [
    new RedisDirectory('rediss://redis', { prefix: 'calls' }),
    new RedisDirectory(createClient({ socket: { tls: true, host: 'redis' } })),
    new RedisDirectory(createCluster({ rootNodes: [{ url: 'redis://redis-1' }] })),
    new RedisDirectory(createSentinel({ name: 'main', sentinelRootNodes: [node] })),
    // @ts-expect-error There is no such option.
    new RedisDirectory('redis://redis', { prefx: 'calls' }),
  ];
}

/** Any object with the three methods is a provisioner. */
export const provisioner: Provisioner = {
  start: async ({ region = 'eu', fence, signal }) => ({ id: `${region} ${fence}`, url: `wss://${signal.aborted}` }),
  stop: async id => void id.length,
  list: async () => [{ id: 'a' }, { id: 'b', url: 'wss://b' }],
};

export const autoscalerOptions: AutoscalerOptions[] = [
  { max: 5 },
  { min: 0, max: 5, headroom: 0.3, scaleInAfter: 60_000, drainDeadline: 0, regions: { eu: { min: 1 }, us: {} } },
  // @ts-expect-error The most that there may be must be said.
  { min: 1 },
  // @ts-expect-error There is no such option of a region.
  { max: 5, regions: { eu: { minimum: 1 } } },
];

export function autoscale(autoscaler: Autoscaler): number {
  autoscaler.on('scaleout', servers => servers.map(({ id }) => id.length));
  autoscaler.on('scalein', ({ url }) => url?.length);
  autoscaler.on('wanted', count => count.toFixed());
  // @ts-expect-error There is no such event.
  autoscaler.on('scaleup', () => undefined);
  return autoscaler.wanted;
}

export function decide(decider: typeof plan): Plan {
  const history = { demand: new Map(), boots: [], failures: new Map() };
  return decider({ servers: [], watermark: 66, waiting: [] }, history, { max: 3 }, Date.now());
}
