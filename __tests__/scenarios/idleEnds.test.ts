/** The last viewer leaves, and the next one comes while the pipe ends, or the link after it: nobody learns of that, whatever the moment. */
import { describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { AudioLevelObserver, DirectTransport, RtpObserver, Transport } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type MafaldaApi,
  type MafaldaRouter,
  type Strategy,
} from '../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { delayProxy } from '../helpers/delayProxy.ts';
import { DirectSender } from '../helpers/directRtp.ts';
import { mediaCodecs } from '../helpers/rtp.ts';
import { createInEveryPlace } from '../helpers/spread.ts';

const IDLE_MS = 150;
const ROOMS = 9;
/** More than enough for what is there to be heard. */
const HEARD_MS = 30_000;
/** mediasoup counts ten packets in an interval of the observer at least, or tells nothing: also where a busy machine lets us say little. */
const OBSERVED_AT_ONCE = 5;
const token = 'those who watch again';
const opened = closingAfterEach();
const roundRobin: Strategy = candidates => [...candidates].sort((a, b) => a.placed - b.placed)[0];

interface System {
  places: number;
  create: () => Promise<MafaldaApi>;
}

const systems: [name: string, delayMs: number, system: System][] = [
  ['Mafalda', 0, { places: 2, create: async () => leaf() }],
  [
    'RemoteMafaldaClient',
    25,
    { places: 2, create: async () => opened(new RemoteMafaldaClient(await serve(leaf(), 25), { token })) },
  ],
  ...[0, 25, 75].map((delayMs): [string, number, System] => [
    'MafaldaHorizontal',
    delayMs,
    { places: 4, create: async () => above([await serve(leaf(), delayMs), await serve(leaf(), delayMs)]) },
  ]),
  [
    'tiers',
    25,
    {
      places: 4,
      create: async () =>
        above([await serve(above([await serve(leaf(), 0)]), 25), await serve(above([await serve(leaf(), 0)]), 25)]),
    },
  ],
];

function leaf(): Mafalda {
  return opened(new Mafalda(mediasoup, { workerBudget: false, idlePipeTimeout: IDLE_MS }));
}

function above(urls: string[]): MafaldaHorizontal {
  return opened(new MafaldaHorizontal(urls, { token, strategy: roundRobin }));
}

async function serve(mafalda: MafaldaApi, delayMs: number): Promise<string> {
  const server = opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: token }));
  await server.listen();
  return delayMs === 0 ? server.url : opened(await delayProxy(server.url, delayMs)).url;
}

/** Around the end of the pipe, and around that of the link: from a moment before until everybody has heard of it. */
function gaps(delayMs: number): number[] {
  const around = (end: number, heard: number): number[] => [
    ...Array.from({ length: 12 }, (_, step) => end - 8 + 2 * step),
    ...Array.from({ length: 6 }, (_, step) => end + 16 + (step * heard) / 5),
  ];
  return [...around(IDLE_MS, 2 * delayMs), ...around(2 * IDLE_MS, 4 * delayMs)];
}

describe('who watches again while an idle pipe ends', () => {
  test.each(systems)(
    '%s, %i ms one way: gets the stream, at each moment',
    async (_name, delayMs, { places, create }) => {
      const mafalda = await create();
      const left = gaps(delayMs);
      const tried = left.length;
      const failures: string[] = [];
      const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
      let done = 0;
      const runs = Array.from({ length: ROOMS }, async (_, index) => {
        const viewer = await Viewer.create(mafalda, places);
        for (let turn = index, gap = left.shift(); gap !== undefined; gap = left.shift(), ++turn) {
          const kind = kinds[turn % kinds.length]!;
          try {
            await viewer.watch(kind);
            await pause(gap);
            await viewer.watch(kind);
          } catch (error) {
            failures.push(`${kind} after ${gap} ms: ${String(error)}`);
          }
          ++done;
          // The link ends too, so that the next one begins with another.
          await pause(2 * IDLE_MS + 4 * delayMs);
        }
        await viewer.mafaldaRouter.close();
      });
      await Promise.all(runs);
      expect(failures).toEqual([]);
      expect(done).toBe(tried);
    },
  );
});

const kinds = ['audio', 'data', 'observer'] as const;
type Kind = (typeof kinds)[number];

/** Somebody who watches what is produced in another Router. */
class Viewer {
  readonly mafaldaRouter: MafaldaRouter;
  readonly #sender: DirectSender;
  readonly #dataProducerId: string;
  readonly #transport: DirectTransport;
  readonly #observer: AudioLevelObserver;
  readonly #say: () => void;

  static async create(mafalda: MafaldaApi, places: number): Promise<Viewer> {
    const mafaldaRouter = mafalda.createMafaldaRouter({
      routerOptions: { mediaCodecs },
      watermarkWorker: 0,
    }) as PipeableMafaldaRouter;
    const sender = await DirectSender.create(mafaldaRouter, 'audio');
    const dataProducer = await sender.transport.produceData({ label: 'chat' });
    const isElsewhere = (object: Transport | RtpObserver): boolean =>
      mafaldaRouter.tree.nodeOf(object)?.parent !== mafaldaRouter.tree.nodeOf<'transport'>(sender.transport)?.parent;
    const transports = await createInEveryPlace(mafaldaRouter, places, () => mafaldaRouter.createDirectTransport());
    const observers = await Promise.all(
      Array.from({ length: 2 * places }, () => mafaldaRouter.createAudioLevelObserver({ interval: 250 })),
    );
    return new Viewer(
      mafaldaRouter,
      sender,
      dataProducer.id,
      transports.find(isElsewhere)!,
      observers.find(isElsewhere)!,
      () => dataProducer.send('hello'),
    );
  }

  private constructor(
    mafaldaRouter: MafaldaRouter,
    sender: DirectSender,
    dataProducerId: string,
    transport: DirectTransport,
    observer: AudioLevelObserver,
    say: () => void,
  ) {
    this.mafaldaRouter = mafaldaRouter;
    this.#sender = sender;
    this.#dataProducerId = dataProducerId;
    this.#transport = transport;
    this.#observer = observer;
    this.#say = say;
  }

  /** Watches until something is heard, and leaves. */
  async watch(kind: Kind): Promise<void> {
    const producerId = this.#sender.producer.id;
    if (kind === 'observer') {
      await this.#observer.addProducer({ producerId });
      this.#sender.extension = 3;
      const say = (): void => {
        for (let packet = 0; packet < OBSERVED_AT_ONCE; ++packet) this.#sender.send();
      };
      await heard(found => this.#observer.once('volumes', found), say);
      return this.#observer.removeProducer({ producerId });
    }
    if (kind === 'audio') {
      const consumer = await this.#transport.consume({
        producerId,
        rtpCapabilities: await this.mafaldaRouter.getRtpCapabilities(),
      });
      await heard(
        found => consumer.once('rtp', found),
        () => this.#sender.send(),
      );
      return consumer.close();
    }
    const consumer = await this.#transport.consumeData({ dataProducerId: this.#dataProducerId });
    await heard(found => consumer.once('message', found), this.#say);
    consumer.close();
  }
}

/** Says something again and again until it is heard. */
async function heard(listen: (found: () => void) => void, say: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearInterval(saying);
      clearTimeout(timeout);
      act();
    };
    const saying = setInterval(say, 10);
    const timeout = setTimeout(() => settle(() => reject(new Error('nothing is heard'))), HEARD_MS);
    listen(() => settle(resolve));
  });
}
