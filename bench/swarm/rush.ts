/**
 * A rush: many peers ask for one stream at the same moment. Who serves whom is decided by the real policy of delegation; peers, their load
 * and the network exist only here.
 */
import { seededRandom } from '../../__tests__/helpers/random.ts';
import { followRedirects } from '../../src/piping/delegation/followRedirects.ts';
import { decide, type Branch, type Candidate, type Redirect } from '../../src/piping/delegation/policy.ts';
import { oneWay, SimulatedTime } from '../simulation/simulatedTime.ts';

const WATERMARK = 66;
/** Load of a pipe, in percent of a peer. */
const LOAD_OF_PIPE = 1;
/** Time for which a place that does not have the stream yet lets askers wait, in ms. */
const ARRIVAL_TIMEOUT_MS = 1000;
const LIMIT_MS = 60_000;

export interface RushSetup {
  /** Peers that ask. */
  peers: number;
  /** Pipes of a stream that a peer makes before it sends askers on. */
  fanOut: number;
  /** Share of the peers that are above the watermark from the beginning. */
  busy: number;
  /** The way from one peer to another, in ms. */
  latency: { min: number; max: number };
}

export interface RushResult {
  /** Peers that have the stream in the end. */
  served: number;
  /** Most pipes of one peer, and of one that was above the watermark. */
  mostPipes: number;
  mostOfBusy: number;
  /** Peers that were served beyond a share, since all that they had asked were full. */
  forced: number;
  depth: { mean: number; max: number };
  redirects: { mean: number; p99: number; max: number };
  /** Time until the last one has the stream, in ms. */
  took: number;
}

export async function simulateRush(setup: RushSetup): Promise<RushResult> {
  const time = new SimulatedTime();
  const random = seededRandom(1);
  const { min, max } = setup.latency;
  const latency = (): number => Math.round(min + (max - min) * random());
  const places = new Map<string, Place>();
  for (let index = 0; index <= setup.peers; ++index) {
    const isBusy = index > 0 && random() < setup.busy;
    places.set(`peer-${index}`, new Place(`peer-${index}`, isBusy, setup.fanOut));
  }
  const [origin, ...askers] = [...places.values()] as [Place, ...Place[]];
  origin.arrive([]);
  let took = 0;
  const asking = askers.map(async asker => {
    await asker.ask(origin, places, latency);
    took = Math.max(took, time.now);
  });
  const done = Promise.allSettled(asking);
  let isDone = false;
  void done.then(() => (isDone = true));
  while (!isDone && time.now < LIMIT_MS) await time.pass(10);
  time.close();
  const all = [...places.values()];
  const depths = askers.flatMap(({ path }) => path?.length ?? []);
  const redirects = askers.flatMap(asker => asker.redirects ?? []).sort((one, other) => one - other);
  return {
    served: depths.length,
    mostPipes: Math.max(...all.map(({ pipes }) => pipes)),
    mostOfBusy: Math.max(0, ...all.filter(({ isBusy }) => isBusy).map(({ pipes }) => pipes)),
    forced: askers.filter(({ isForced }) => isForced).length,
    depth: { mean: meanOf(depths), max: Math.max(...depths) },
    redirects: {
      mean: meanOf(redirects),
      p99: redirects[Math.ceil(redirects.length * 0.99) - 1]!,
      max: redirects.at(-1)!,
    },
    took,
  };
}

/** A peer with, or without, the stream. */
class Place {
  readonly id: string;
  readonly isBusy: boolean;
  /** Ids of the peers through which the stream comes, once it has come. */
  path: readonly string[] | undefined;
  redirects: number | undefined;
  isForced = false;
  readonly #fanOut: number;
  readonly #branches = new Map<string, Branch>();
  #sent = 0;
  #onArrival: (() => void)[] = [];

  constructor(id: string, isBusy: boolean, fanOut: number) {
    this.id = id;
    this.isBusy = isBusy;
    this.#fanOut = fanOut;
  }

  get pipes(): number {
    return this.#branches.size;
  }

  get load(): number {
    return (this.isBusy ? WATERMARK + 10 : 10) + LOAD_OF_PIPE * this.pipes;
  }

  arrive(path: readonly string[]): void {
    this.path = path;
    for (const arrived of this.#onArrival.splice(0)) arrived();
  }

  /** Asks for the stream until a place serves it, as an asker of the real code does. */
  async ask(origin: Place, places: ReadonlyMap<string, Place>, latency: () => number): Promise<void> {
    const first: Candidate = { routerId: origin.id, depth: 0, load: 0 };
    let path: readonly string[] = [];
    const { source, redirects, forced } = await followRedirects(first, {
      watermark: WATERMARK,
      loadOf: ({ load }) => load,
      ask: async (candidate, question) => {
        const place = places.get(candidate.routerId)!;
        await oneWay(latency());
        const answer = await place.#answer(this, question);
        await oneWay(latency());
        if (!Array.isArray(answer)) return answer as Redirect;
        path = answer as string[];
        return undefined;
      },
    });
    this.redirects = redirects;
    this.isForced = forced;
    if (source) this.arrive(path);
  }

  /** @returns the way of the stream to the asker, or where the asker is sent */
  async #answer(
    asker: Place,
    question: { asked: readonly string[]; must: boolean },
  ): Promise<Redirect | readonly string[]> {
    if (!this.path) await this.#arrival();
    if (!this.path) throw new Error('the stream has not come in time');
    const serving = {
      path: this.path,
      load: this.load,
      watermark: WATERMARK,
      pipes: this.pipes,
      fanOut: this.#fanOut,
      branches: [...this.#branches.values()],
    };
    const redirect = decide(serving, { ...question, routers: [asker.id] });
    if (!redirect) {
      this.#branches.set(asker.id, { routerId: asker.id, load: asker.load, sentAt: 0 });
      return [...this.path, this.id];
    }
    const [next] = redirect.candidates;
    const branch = next && this.#branches.get(next.routerId);
    if (branch) this.#branches.set(branch.routerId, { ...branch, sentAt: ++this.#sent });
    return redirect;
  }

  async #arrival(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#onArrival.push(resolve);
      setTimeout(resolve, ARRIVAL_TIMEOUT_MS);
    });
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
