/** Everything at once, in an order that a seed decides: whatever happens, calls settle, states agree, and nothing is left. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { Consumer, DirectTransport, Producer, RtpCapabilities } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  type MafaldaApi,
  type MafaldaRouter,
  type Strategy,
} from '../../src/index.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { mediaCodecs } from '../helpers/rtp.ts';
import { seededRandom } from '../helpers/random.ts';
import { Served } from '../helpers/serve.ts';
import { until } from '../helpers/until.ts';

const opened = closingAfterEach();
const roundRobin: Strategy = candidates => [...candidates].sort((a, b) => a.placed - b.placed)[0];

interface System {
  mafalda: MafaldaApi;
  served: Served[];
}

const systems: Record<string, () => Promise<System>> = {
  Mafalda: async () => ({ mafalda: opened(new Mafalda(mediasoup, { workerBudget: false })), served: [] }),
  RemoteMafaldaClient: async () => {
    const served = opened(await Served.create());
    return { mafalda: opened(new RemoteMafaldaClient(served.url)), served: [served] };
  },
  MafaldaHorizontal: async () => {
    const served = [opened(await Served.create()), opened(await Served.create())];
    return {
      mafalda: opened(
        new MafaldaHorizontal(
          served.map(({ url }) => url),
          { strategy: roundRobin },
        ),
      ),
      served,
    };
  },
};

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', onUnhandled);
});

afterEach(() => {
  process.off('unhandledRejection', onUnhandled);
});

class Chaos {
  readonly transports: DirectTransport[] = [];
  readonly producers: Producer[] = [];
  readonly consumers: Consumer[] = [];
  readonly calls: Promise<unknown>[] = [];
  readonly #mafaldaRouter: MafaldaRouter;
  readonly #rtpCapabilities: RtpCapabilities;
  readonly #random: () => number;
  #nextSsrc = 1;

  constructor(mafaldaRouter: MafaldaRouter, rtpCapabilities: RtpCapabilities, random: () => number) {
    this.#mafaldaRouter = mafaldaRouter;
    this.#rtpCapabilities = rtpCapabilities;
    this.#random = random;
  }

  async step(): Promise<void> {
    const [transport, producer, consumer] = [
      this.#any(this.transports),
      this.#any(this.producers),
      this.#any(this.consumers),
    ];
    const chance = this.#random();
    if (chance < 0.2 || !transport) this.#note(this.#mafaldaRouter.createDirectTransport(), this.transports);
    else if (chance < 0.35 || !producer) this.#note(this.#produce(transport), this.producers);
    else if (chance < 0.7)
      this.#note(
        transport.consume({ producerId: producer.id, rtpCapabilities: this.#rtpCapabilities }),
        this.consumers,
      );
    else if (chance < 0.8) this.calls.push(producer.paused ? producer.resume() : producer.pause());
    else if (chance < 0.86) consumer?.close();
    else if (chance < 0.91) producer.close();
    else if (chance < 0.93) transport.close();
    else await Promise.allSettled(this.calls);
    const pause = this.#random();
    if (pause < 0.3) await new Promise(resolve => setImmediate(resolve));
    else if (pause < 0.5) await Promise.allSettled([this.calls.at(-1)]);
  }

  #produce(transport: DirectTransport): Promise<Producer> {
    const codecs = [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }];
    return transport.produce({ kind: 'audio', rtpParameters: { codecs, encodings: [{ ssrc: this.#nextSsrc++ }] } });
  }

  /** Mostly one that is open. */
  #any<T extends { closed: boolean }>(list: T[]): T | undefined {
    const open = this.#random() < 0.95 ? list.filter(({ closed }) => !closed) : list;
    return open[Math.floor(this.#random() * open.length)];
  }

  #note<T>(call: Promise<T>, list: T[]): void {
    this.calls.push(call.then(result => list.push(result)));
  }
}

describe.each(Object.entries(systems))('%s', (_name, createSystem) => {
  async function start(seed: number): Promise<{ chaos: Chaos; mafaldaRouter: MafaldaRouter; system: System }> {
    const system = await createSystem();
    const mafaldaRouter = system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 });
    const chaos = new Chaos(mafaldaRouter, await mafaldaRouter.getRtpCapabilities(), seededRandom(seed));
    return { chaos, mafaldaRouter, system };
  }

  /** With a time limit: a call that never settles is a defect. */
  async function settle(chaos: Chaos): Promise<PromiseSettledResult<unknown>[]> {
    let settled: PromiseSettledResult<unknown>[] | undefined;
    void Promise.allSettled(chaos.calls).then(results => (settled = results));
    await until('all calls have settled', () => settled !== undefined);
    return settled!;
  }

  test.each([1, 2, 3])('ends up in a state that agrees with itself (seed %i)', async seed => {
    const { chaos, mafaldaRouter, system } = await start(seed);
    for (let step = 0; step < 250; ++step) await chaos.step();
    const results = await settle(chaos);
    // What is refused is refused because something was closed in the meantime, and says so.
    for (const result of results)
      if (result.status === 'rejected') expect(String(result.reason)).toMatch(/closed|not found|NotFound/i);

    const byId = new Map(chaos.producers.map(producer => [producer.id, producer]));
    const wrong = (): string[] =>
      chaos.consumers
        .filter(({ closed }) => !closed)
        .flatMap(({ producerId, producerPaused }) => {
          const producer = byId.get(producerId)!;
          if (producer.closed) return [`consumer of ${producerId}, which is closed`];
          return producer.paused === producerPaused
            ? []
            : [`consumer of ${producerId}: producerPaused is ${producerPaused}`];
        });
    await until('consumers agree with their producers', () => wrong().length === 0).catch((error: Error) => {
      throw new Error(`${error.message}: ${wrong().join('; ')}`);
    });
    expect(chaos.consumers.filter(({ closed }) => !closed).length).toBeGreaterThan(5);

    await mafaldaRouter.close();
    expect([...chaos.transports, ...chaos.producers, ...chaos.consumers].every(({ closed }) => closed)).toBe(true);
    await until('nothing is left at the servers', () =>
      system.served.every(({ mafalda }) => mafalda.transports.size === 0 && mafalda.routers.size === 0),
    );
    expect(unhandled).toEqual([]);
  });

  test.each([4, 5, 6])('can be closed in the middle of all that (seed %i)', async seed => {
    const { chaos, mafaldaRouter, system } = await start(seed);
    for (let step = 0; step < 40 + 10 * seed; ++step) await chaos.step();
    const closing = mafaldaRouter.close();
    await settle(chaos);
    await closing;
    expect([...chaos.transports, ...chaos.producers, ...chaos.consumers].filter(({ closed }) => !closed)).toEqual([]);
    expect([mafaldaRouter.transports.size, mafaldaRouter.routers.size, mafaldaRouter.workers.size]).toEqual([0, 0, 0]);
    await until('nothing is left at the servers', () =>
      system.served.every(({ mafalda }) => mafalda.transports.size === 0 && mafalda.routers.size === 0),
    );
    expect(unhandled).toEqual([]);
  });
});
