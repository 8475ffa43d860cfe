/** A swarm as it is: each peer is a process on a host of its own, in one room, and each packet between them is counted. */
import { randomBytes } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Network } from './netns.ts';
import type {
  Arrival,
  Sending,
  TalkingPeerAnswer,
  TalkingPeerCommands,
  TalkingPeerReport,
  TalkingPeerSetup,
} from './processes/talkingPeer.ts';
import { until } from './until.ts';

const SCRIPT = fileURLToPath(new URL('processes/talkingPeer.ts', import.meta.url));
/** For how long something more may arrive after the last packet that has, in ms. */
const STRAGGLERS_MS = 1500;

export class RealPeer {
  readonly name: string;
  readonly index: number;
  /** Address of its DHT. */
  readonly address: string;
  readonly url: string;
  /** Id of the stream that it produces. */
  stream = '';
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: TalkingPeerAnswer) => void>();
  #nextId = 0;

  constructor(name: string, index: number, address: string, url: string, child: ChildProcess) {
    this.name = name;
    this.index = index;
    this.address = address;
    this.url = url;
    this.#child = child;
    child.on('message', message => {
      const answer = message as TalkingPeerAnswer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    child.on('exit', () => {
      for (const [id, answer] of this.#waiting) answer({ id, error: `${name} has ended` });
      this.#waiting.clear();
    });
  }

  /** @throws {Error} as the peer */
  async call<Name extends keyof TalkingPeerCommands>(
    name: Name,
    ...args: Parameters<TalkingPeerCommands[Name]>
  ): Promise<Awaited<ReturnType<TalkingPeerCommands[Name]>>> {
    const id = this.#nextId++;
    const answer = new Promise<TalkingPeerAnswer>(resolve => this.#waiting.set(id, resolve));
    this.#child.send({ id, name, args });
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${this.name}: ${error}`);
    return result as Awaited<ReturnType<TalkingPeerCommands[Name]>>;
  }

  async kill(): Promise<void> {
    const gone = new Promise(resolve => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** Fate of a stream at a consumer. */
export interface Delivery extends Arrival {
  from: string;
  to: string;
  sent: number;
  /** Whether the stream came through a peer that is lost: the consumer was told, and has consumed it again. */
  hasLostPath: boolean;
}

/** Outcome of the death of a peer. */
export interface Mending {
  /** Time until its own stream had ended everywhere. */
  noticedMs: number;
  /** Streams of others that came through it, with the times until `pathlost`, and until the next packet. */
  ways: { to: string; id: string; lostMs: number; flowsMs: number }[];
}

export type RealSwarmOptions = Pick<TalkingPeerSetup, 'fanOut' | 'nodeTimeout'>;

export class RealSwarm {
  /** Peers that live. */
  readonly peers = new Map<string, RealPeer>();
  readonly network: Network;
  readonly #names: readonly string[];
  readonly #key = randomBytes(32).toString('base64');

  readonly #options: RealSwarmOptions;

  /** @param names of all peers that there will ever be */
  static async create(names: readonly string[], options: RealSwarmOptions = {}): Promise<RealSwarm> {
    return new RealSwarm(await Network.create(names), names, options);
  }

  private constructor(network: Network, names: readonly string[], options: RealSwarmOptions) {
    this.network = network;
    this.#names = names;
    this.#options = options;
  }

  /** Starts a peer that knows the address of another one, if there is one yet. */
  async start(name: string): Promise<RealPeer> {
    const [known] = this.peers.values();
    const address = this.network.addressOf(name);
    const index = this.#names.indexOf(name);
    const setup: TalkingPeerSetup = {
      address,
      index,
      bootstrap: known ? [known.address] : [],
      key: this.#key,
      room: 'room',
      ...this.#options,
    };
    const { child, said } = await this.network.start<string>(name, SCRIPT, setup);
    const peer = new RealPeer(name, index, said, `ws://${address}:4443`, child);
    this.peers.set(name, peer);
    return peer;
  }

  get(name: string): RealPeer {
    return this.peers.get(name)!;
  }

  /** Each of the peers produces a stream, and consumes those of all others. Resolves when something of each arrives. */
  async talk(names = [...this.peers.keys()]): Promise<void> {
    const peers = names.map(name => this.get(name));
    await Promise.all(peers.map(async peer => (peer.stream ||= await peer.call('produce'))));
    await Promise.all(
      peers.map(peer =>
        peer.call(
          'consume',
          peers.filter(other => other !== peer).map(({ stream }) => stream),
        ),
      ),
    );
    await this.untilHeard(peers);
  }

  /** Resolves when each of the peers gets packets that are sent from now on from each other of them. */
  async untilHeard(peers = [...this.peers.values()], timeoutMs = 60_000): Promise<void> {
    const from = await sentBy(peers);
    let silent: Delivery[] = [];
    await until(
      'all hear all',
      async () => {
        silent = (await this.#deliveries(peers, from, await sentBy(peers))).filter(({ received }) => received === 0);
        return silent.length === 0;
      },
      timeoutMs,
    ).catch(async (error: Error) => {
      const reports = await this.reports(peers);
      const reasons = silent.map(({ from, to }) => {
        const why = reports.get(this.get(to))!.failures[this.get(from).stream];
        return `${from} at ${to}${why === undefined ? '' : ` (${why})`}`;
      });
      throw new Error(`${error.message}; silent are ${reasons.join(', ')}`);
    });
  }

  /**
   * Counts what is sent between these peers while something happens.
   * @returns what has become of each stream at each of them
   */
  async during(peers: readonly RealPeer[], act: () => Promise<void>): Promise<Delivery[]> {
    const from = await sentBy(peers);
    const before = await this.reports([...peers]);
    await act();
    const to = await sentBy(peers);
    let deliveries = await this.#deliveries(peers, from, to);
    for (let quietSince = Date.now(); Date.now() - quietSince < STRAGGLERS_MS;) {
      if (deliveries.every(({ received, sent }) => received === sent)) break;
      await new Promise(resolve => setTimeout(resolve, 100));
      const next = await this.#deliveries(peers, from, to);
      if (sumOf(next) > sumOf(deliveries)) quietSince = Date.now();
      deliveries = next;
    }
    const after = await this.reports([...peers]);
    return deliveries.map(delivery => {
      const [to, from] = [this.get(delivery.to), this.get(delivery.from)];
      const lost = after.get(to)!.pathsLost.slice(before.get(to)!.pathsLost.length);
      return { ...delivery, hasLostPath: lost.some(({ id }) => id === from.stream) };
    });
  }

  /** @returns what each of the peers says of itself */
  async reports(peers = [...this.peers.values()]): Promise<Map<RealPeer, TalkingPeerReport>> {
    return new Map(await Promise.all(peers.map(async peer => [peer, await peer.call('report')] as const)));
  }

  /**
   * Kills a peer, and waits until all others know that it has gone, and hear each other.
   * @returns the ways that were lost with it, with the time that each took, and until its own stream had ended everywhere
   */
  async killAndMend(name: string): Promise<Mending> {
    const { stream } = this.get(name);
    const others = [...this.peers.values()].filter(peer => peer.name !== name);
    const before = await this.reports(others);
    const killedAt = Date.now();
    await this.kill(name);
    await until('all have noticed', async () =>
      [...(await this.reports()).values()].every(({ consuming }) => !consuming.includes(stream)),
    );
    const noticedMs = Date.now() - killedAt;
    await this.untilHeard();
    const after = await this.reports(others);
    const ways = others.flatMap(peer =>
      after
        .get(peer)!
        .pathsLost.slice(before.get(peer)!.pathsLost.length)
        // A peer that notices last may be told first that the way of the dead peer's own stream is lost.
        .filter(({ id }) => id !== stream)
        .map(({ id, lostAt, flowsAt }) => ({
          to: peer.name,
          id,
          lostMs: lostAt - killedAt,
          flowsMs: (flowsAt ?? Infinity) - killedAt,
        })),
    );
    return { noticedMs, ways };
  }

  /** Returns the peer through which most streams come to others, beside its own. */
  async middle(): Promise<RealPeer> {
    const reports = await this.reports();
    const throughs = [...reports].map(([peer, { routers }]) => ({
      peer,
      through: [...reports.values()].reduce(
        (sum, { ways }) =>
          sum + Object.values(ways).filter(way => way.slice(1).some(id => routers.includes(id))).length,
        0,
      ),
    }));
    return throughs.sort((one, other) => other.through - one.through)[0]!.peer;
  }

  async kill(name: string): Promise<void> {
    const peer = this.get(name);
    this.peers.delete(name);
    await peer.kill();
  }

  async close(): Promise<void> {
    await this.network.close();
  }

  async #deliveries(
    peers: readonly RealPeer[],
    from: ReadonlyMap<RealPeer, number>,
    to: ReadonlyMap<RealPeer, number>,
  ): Promise<Delivery[]> {
    const all = peers.map(async peer => {
      const others = peers.filter(other => other !== peer && other.stream !== '');
      const sendings = others.map((other): Sending => ({
        id: other.stream,
        sender: other.index,
        from: from.get(other)!,
        to: to.get(other)!,
      }));
      const arrivals = await peer.call('arrived', sendings);
      return others.map((other, index) => ({
        from: other.name,
        to: peer.name,
        sent: sendings[index]!.to - sendings[index]!.from,
        ...arrivals[index]!,
        hasLostPath: false,
      }));
    });
    return (await Promise.all(all)).flat();
  }
}

/** @returns the number of the next packet of each peer */
async function sentBy(peers: readonly RealPeer[]): Promise<Map<RealPeer, number>> {
  const entries = peers.map(async peer => [peer, (await peer.call('report')).sent[peer.stream] ?? 0] as const);
  return new Map(await Promise.all(entries));
}

function sumOf(deliveries: readonly Delivery[]): number {
  return deliveries.reduce((sum, { received }) => sum + received, 0);
}
