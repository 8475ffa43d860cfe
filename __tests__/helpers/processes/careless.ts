/**
 * An application that waits for nothing: it makes one of everything on its nodes, and then, whenever it is told to, calls every method of every
 * object, with arguments and without, and looks at no promise. It runs with `--unhandled-rejections=strict`.
 */
import { once, type EventEmitter } from 'node:events';
import { MafaldaHorizontal, RemoteMafaldaClient, type MafaldaApi, type MafaldaRouter } from '../../../src/index.ts';
import { mediaCodecs, opus } from '../rtp.ts';

export interface CarelessSetup {
  urls: string[];
  callTimeout: number;
}

export interface CarelessAnswer {
  promises: number;
  told: string[];
}

const { urls, callTimeout } = JSON.parse(process.argv[2]!) as CarelessSetup;
const cluster = new MafaldaHorizontal(urls, { callTimeout, nodeTimeout: 1000 });
const client = new RemoteMafaldaClient(urls[0], { callTimeout });
const subjects = new Set<object>([cluster, client]);

/** Methods of emitters, and of those by which an object is ended for good, which come last. */
const emitters = [
  'on',
  'once',
  'off',
  'emit',
  'safeEmit',
  'safeEmitAsPromise',
  'addListener',
  'removeListener',
  'removeAllListeners',
  'prependListener',
  'prependOnceListener',
  'setMaxListeners',
  'getMaxListeners',
  'listeners',
  'rawListeners',
  'listenerCount',
  'eventNames',
  'constructor',
];
type Methods<T> = Exclude<
  { [K in keyof T]-?: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T],
  keyof EventEmitter | 'safeEmit'
>;

/** Its class has more, by which our own layers speak to each other, and deal with what they get. */
const roomMethods = {
  canConsume: true,
  close: true,
  createActiveSpeakerObserver: true,
  createAudioLevelObserver: true,
  createDirectTransport: true,
  createPipeTransport: true,
  createPlainTransport: true,
  createWebRtcTransport: true,
  dump: true,
  getResourceUsages: true,
  getRtpCapabilities: true,
  pipeToMafaldaRouter: true,
} satisfies Record<Methods<MafaldaRouter>, true>;

const endings = ['close', 'closeAllMafaldaRouters', 'delete', 'clear', 'reset', 'drain', 'disconnect'];

function argumentsOf(name: string, producerId: string, dataProducerId: string, router: unknown): unknown[] {
  const rtpCapabilities = {
    codecs: [{ kind: 'audio', mimeType: 'audio/opus', preferredPayloadType: 100, clockRate: 48000, channels: 2 }],
    headerExtensions: [],
  };
  const known: Record<string, unknown[]> = {
    produce: [{ kind: 'audio', rtpParameters: opus(Math.floor(Math.random() * 2 ** 31)) }],
    produceData: [{ label: 'more' }],
    consume: [{ producerId, rtpCapabilities }],
    consumeData: [{ dataProducerId }],
    canConsume: [{ producerId, rtpCapabilities }],
    addProducer: [{ producerId }],
    removeProducer: [{ producerId }],
    createRouter: [{ mediaCodecs }],
    createWebRtcTransport: [{ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] }],
    createPlainTransport: [{ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } }],
    createPipeTransport: [{ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } }],
    createWebRtcServer: [{ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] }],
    setPriority: [5],
    setPreferredLayers: [{ spatialLayer: 0 }],
    setMaxIncomingBitrate: [1_000_000],
    setMaxOutgoingBitrate: [1_000_000],
    setMinOutgoingBitrate: [100_000],
    enableTraceEvent: [['probation']],
    updateSettings: [{ logLevel: 'error' }],
    setBufferedAmountLowThreshold: [1000],
    setSubchannels: [[1, 2]],
    addSubchannel: [1],
    removeSubchannel: [1],
    send: ['hello'],
    sendRtcp: [Buffer.alloc(8)],
    pipeToRouter: [{ producerId, router }],
    drain: [urls[0], { timeout: 500 }],
    undrain: [urls[0]],
  };
  return known[name] ?? [];
}

/** Own methods and those of all classes above, but for those of plain objects. */
function methodsOf(object: object): string[] {
  if ('pipeToMafaldaRouter' in object) return Object.keys(roomMethods);
  const names = new Set<string>();
  for (
    let level: object | null = object;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && !/^[_@#]/.test(name) && !emitters.includes(name)) names.add(name);
    }
  }
  return [...names];
}

async function fill(mafalda: MafaldaApi): Promise<void> {
  const room = mafalda.createMafaldaRouter({
    id: `room of ${mafalda.constructor.name}`,
    routerOptions: { mediaCodecs },
  });
  const worker = await mafalda.mediasoup.createWorker();
  const router = await worker.createRouter({ mediaCodecs });
  for (const parent of [room, router] as (MafaldaRouter & typeof router)[]) {
    const transports = await Promise.all([
      parent.createDirectTransport(),
      parent.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } }),
      parent.createPipeTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } }),
      parent.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] }),
    ]);
    const [direct] = transports;
    const producer = await direct.produce({ kind: 'audio', rtpParameters: opus(1111) });
    const dataProducer = await direct.produceData();
    const rtpCapabilities = await (parent.getRtpCapabilities?.() ?? router.rtpCapabilities);
    const consumers = await Promise.all([
      direct.consume({ producerId: producer.id, rtpCapabilities }),
      direct.consumeData({ dataProducerId: dataProducer.id }),
    ]);
    const observers = await Promise.all([parent.createAudioLevelObserver(), parent.createActiveSpeakerObserver()]);
    for (const subject of [parent, ...transports, producer, dataProducer, ...consumers, ...observers])
      subjects.add(subject);
  }
  for (const subject of [
    worker,
    mafalda.mediasoup,
    await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] }),
  ])
    subjects.add(subject);
}

/** @returns how many calls gave a promise */
function callAll(): number {
  let promises = 0;
  const call = (subject: object, name: string, args: unknown[]): void => {
    try {
      const result: unknown = Reflect.apply((subject as Record<string, () => unknown>)[name]!, subject, args);
      if (result instanceof Promise) ++promises;
    } catch {
      // An application that is so careless as to give wrong arguments is told so at once, as by mediasoup.
    }
  };
  const objects = [...subjects].reverse();
  const router = objects.find(subject => 'pipeToRouter' in subject);
  for (const phase of [false, true]) {
    for (const subject of objects) {
      for (const name of methodsOf(subject).filter(each => endings.includes(each) === phase)) {
        const given = argumentsOf(name, 'nobody', 'nobody', router);
        if (given.length > 0) call(subject, name, given);
        call(subject, name, []);
      }
    }
  }
  return promises;
}

process.on('disconnect', () => process.exit());
/** Names of the errors that it was told of by events. */
const told = new Set<string>();
const note = ({ name }: Error): void => void told.add(name);
cluster.on('error', note).on('nodefailing', (_node, error) => note(error));
client.on('error', note);
await Promise.all([once(cluster, 'connected'), once(client, 'connected')]);
await fill(cluster);
await fill(client);
process.on('message', what =>
  process.send!({ promises: what === 'call' ? callAll() : 0, told: [...told] } satisfies CarelessAnswer),
);
process.send!('ready');
