/**
 * A client of two central servers, in processes of their own, over two media servers: calls are under way and media flows while
 * the server that it uses is ended, which is started again for the next round.
 */
import type { DirectTransport, Producer } from 'mediasoup/types';
import { CallTimeoutError, RemoteMafaldaClient, type MafaldaRouter } from '../../src/index.ts';
import { objectsAt } from './centralServers.ts';
import { seededRandom } from './random.ts';
import { mediaCodecs, openPath, opus, RtpReceiver, RtpSender } from './rtp.ts';
import { Served, untilConnected } from './serve.ts';
import { ServerProcess } from './serverProcess.ts';
import { until } from './until.ts';

const CALLS = 200;
const STRAGGLERS_MS = 2000;
/** Longer than it takes until the client is shown what calls without an answer have made. */
const LATE_MS = 5000;

export interface Round {
  /** Calls that were rejected with an unknown outcome. */
  unknown: number;
  /** Calls that were rejected for any other reason: their messages. */
  failed: string[];
  /** Objects that calls have made, and that are not exactly once at the media servers, or are closed here. */
  wrong: string[];
  /** Objects of before that are closed, here or at the media servers. */
  closed: string[];
  /** Objects at the media servers that the client has not made knowingly. */
  unclaimed: number;
  lostPackets: number;
  /** Time until a call that was made when the server ended was answered, in ms. */
  nextAnswerMs: number;
}

interface Identified {
  readonly id: string;
  readonly closed: boolean;
}

export class CentralSweep {
  readonly #media: Served[];
  readonly #centrals: Map<string, ServerProcess>;
  readonly #client: RemoteMafaldaClient;
  readonly #random: () => number;
  #room!: MafaldaRouter;
  #transport!: DirectTransport;
  #producer!: Producer;
  #sender!: RtpSender;
  #receiver!: RtpReceiver;

  static async create(seed: number): Promise<CentralSweep> {
    const media = await Promise.all([Served.create(), Served.create()]);
    const nodes = media.map(({ url }) => url);
    const centrals = await Promise.all([ServerProcess.create({ nodes }), ServerProcess.create({ nodes })]);
    const sweep = new CentralSweep(media, centrals, seed);
    await sweep.#begin();
    return sweep;
  }

  private constructor(media: Served[], centrals: ServerProcess[], seed: number) {
    this.#media = media;
    this.#centrals = new Map(centrals.map(central => [central.url, central]));
    this.#client = new RemoteMafaldaClient([...this.#centrals.keys()]);
    this.#random = seededRandom(seed);
  }

  /** @param at number of the call at which the server ends */
  async round(signal: 'SIGKILL' | 'SIGTERM', at: number): Promise<Round> {
    const before = this.#own();
    const packets = this.#stream();
    const used = this.#client.url!;
    const made: Identified[] = [];
    const calls: Promise<unknown>[] = [];
    let nextAnswer: Promise<number> | undefined;
    for (let number = 0; number < CALLS; ++number) {
      calls.push(this.#call(number, made));
      if (number === at) nextAnswer = this.#end(used, signal, made);
      if (this.#random() < 0.3) await new Promise(resolve => setImmediate(resolve));
    }
    const outcomes = await Promise.allSettled(calls);
    const nextAnswerMs = await nextAnswer!;
    const lostPackets = await packets();
    const reasons = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    const isUnknown = (error: Error): boolean =>
      error instanceof CallTimeoutError && error.message.includes('was lost');
    const known = new Set([...before, ...made].map(({ id }) => id));
    const unclaimed = (): number => this.#media.flatMap(objectsAt).filter(id => !known.has(id)).length;
    await until('what calls without an answer have made is closed', () => unclaimed() === 0, LATE_MS).catch(
      () => undefined,
    );
    const there = this.#media.flatMap(objectsAt);
    const round: Round = {
      unknown: reasons.filter(isUnknown).length,
      failed: reasons.filter(error => !isUnknown(error)).map(({ message }) => message),
      wrong: made.filter(({ id, closed }) => closed || countOf(there, id) !== 1).map(({ id }) => id),
      closed: before
        .filter(({ id, closed }) => closed || countOf(there, id) !== 1)
        .map(
          ({ id, closed, constructor }) => `${constructor.name} ${id}, closed ${closed}, ${countOf(there, id)} times`,
        ),
      unclaimed: unclaimed(),
      lostPackets,
      nextAnswerMs,
    };
    await this.#restart(used);
    for (const object of made) (object as unknown as { close(): void }).close();
    await until('what the round has made is closed', () => {
      const left = this.#media.flatMap(objectsAt);
      return !made.some(({ id }) => left.includes(id));
    });
    return round;
  }

  async close(): Promise<void> {
    await this.#client.close();
    await Promise.all([...this.#centrals.values()].map(central => central.close()));
    await Promise.all(this.#media.map(served => served.close()));
  }

  async #begin(): Promise<void> {
    await untilConnected(this.#client);
    this.#room = this.#client.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
    const [one, other] = this.#media.map(({ url }) => ({ placement: { node: url } }));
    this.#sender = await RtpSender.create(this.#room, 'audio', undefined, one);
    this.#receiver = await RtpReceiver.create(this.#room, this.#sender.producer.id, other);
    this.#transport = await this.#room.createDirectTransport();
    this.#producer = await this.#transport.produce({ kind: 'audio', rtpParameters: opus(1) });
    await openPath(this.#sender, [this.#receiver]);
  }

  #own(): Identified[] {
    const { transport, producer } = this.#sender;
    const { transport: sink, consumer } = this.#receiver;
    return [transport, producer, sink, consumer, this.#transport, this.#producer];
  }

  /** Sends packets until it is called back. @returns to be called for how many were lost */
  #stream(): () => Promise<number> {
    let isOver = false;
    const sending = this.#sender.stream(Infinity, () => isOver);
    return async () => {
      isOver = true;
      const sent = await sending;
      const lost = (): number => sent.filter(number => !this.#receiver.received.has(number)).length;
      await until('stragglers have arrived', () => lost() === 0, STRAGGLERS_MS).catch(() => undefined);
      return lost();
    };
  }

  async #call(number: number, made: Identified[]): Promise<void> {
    const rtpParameters = opus(1000 + number);
    if (number % 5 === 0) made.push(await this.#transport.produce({ kind: 'audio', rtpParameters }));
    else if (number % 5 === 1) made.push(await this.#room.createDirectTransport());
    else if (number % 5 === 2) {
      const rtpCapabilities = await this.#room.getRtpCapabilities();
      made.push(await this.#transport.consume({ producerId: this.#producer.id, rtpCapabilities }));
    } else if (number % 5 === 3) await (number % 2 === 0 ? this.#producer.pause() : this.#producer.resume());
    else await this.#transport.dump();
  }

  /** Ends the server. @returns when a call after that has been answered, in ms */
  async #end(url: string, signal: 'SIGKILL' | 'SIGTERM', made: Identified[]): Promise<number> {
    const process = this.#centrals.get(url)!;
    process.signal(signal);
    const endedAt = performance.now();
    made.push(await this.#transport.produceData());
    const answeredAt = performance.now();
    await process.ended();
    await until('the client uses the other one', () => this.#client.url !== url);
    return answeredAt - endedAt;
  }

  /** Starts a server again where it was. */
  async #restart(url: string): Promise<void> {
    const nodes = this.#media.map(served => served.url);
    this.#centrals.set(url, await ServerProcess.create({ nodes, port: Number(new URL(url).port) }));
  }
}

function countOf(ids: readonly string[], id: string): number {
  return ids.filter(each => each === id).length;
}
