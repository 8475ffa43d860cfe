/** Finding in a simulated swarm: what it costs, how long it takes, and how often it fails while peers come and go. */
import { targetOfRoom } from '../../src/swarm/dht/record.ts';
import { SimulatedTime } from '../simulation/simulatedTime.ts';
import type { Purpose } from './datagram.ts';
import { leaveOut } from './oneProcess.ts';
import { Shortcut } from './shortcut.ts';
import type { SimulatedPeer } from './simulatedPeer.ts';
import { SimulatedSwarm, STEP_MS, type SimulatedRoom, type SwarmSetup } from './simulatedSwarm.ts';
import { noTraffic } from './wire.ts';

const SETTLE_MS = 5000;
/** Time within which rooms begin that take a shortcut. */
const PLACE_MS = 3000;
/** Time within which rooms begin, and within which all peers follow their rooms: the interval of their lookups. */
const BEGIN_MS = 20_000;
const FOLLOW_MS = 20_000;
/** Time until peers look their rooms up in turns, and that is measured then: a little more than an interval each. */
const CALM_MS = 40_000;
const REST_MS = 40_000;
/** Age of a record that a lookup must find. */
const KNOWN_MS = 5000;
/** Limit for a newcomer to find a room. */
const PATIENCE_MS = 10_000;
/** Interval of the lines about what it is doing, in ms of real time. */
const PROGRESS_MS = 30_000;

export interface FindingSetup extends SwarmSetup {
  /** Time in which peers come and go, in ms. */
  duration: number;
  /** Share of the peers that go in an hour, as many as come. */
  churn: number;
  /** Lookups in that time. */
  lookups: number;
  /** Peers that join in the end, and look for a room. */
  newcomers: number;
  /**
   * Share of the peers that follow their rooms. What they send for that is added up for all: it does not depend on what others follow, and
   * is half of the work of a large swarm.
   */
  following: number;
  /** Share of the rooms whose records are published by the DHT, for the measurement. Others are placed by a {@link Shortcut}. */
  published: number;
  /** Returns whether the coming and going of peers shall end before its time. */
  isEnough: () => boolean;
}

export interface Spread {
  mean: number;
  p99: number;
}

export interface FindingResult {
  peers: number;
  /** Time in which peers came and went, in ms. */
  duration: number;
  records: number;
  /** Bytes that a peer sends in a second at rest, by what they are for. */
  atRest: Record<Purpose, number>;
  /** Bytes that all peers send for one publication of a record. */
  publication: number;
  /** The same as `atRest` while peers come and go, publications included. */
  inChurn: Record<Purpose, number>;
  /** Peers that have gone, and as many have come. */
  gone: number;
  lookups: number;
  /** Lookups that have found none of the peers that hold the room. */
  failed: number;
  /** Lookups that have missed one. */
  incomplete: number;
  /** Lookups that have also found a peer that had gone. */
  outdated: number;
  hops: Spread;
  requests: Spread;
  /** Time until the first holder, and until the end of the lookup, in ms. */
  first: Spread;
  whole: Spread;
  /** Time from the moment at which a peer finds a record of one that has gone until it leaves that one out, in ms. */
  leftOut: Spread;
  /** Time from the start of a peer that joins until it has found a room, in ms. */
  afterJoin: Spread;
  newcomers: number;
  /** Newcomers that have not found their room. */
  lost: number;
}

export async function simulateFinding(setup: FindingSetup, progress: (what: string) => void): Promise<FindingResult> {
  const restore = leaveOut(!setup.sealed);
  let doing = (): string => 'peers join';
  // A timer of real time, since it is set before there is another one.
  const timer = setInterval(() => progress(`${doing()} (${time.now / 1000} s of its time)`), PROGRESS_MS);
  const time = new SimulatedTime(true);
  const shortcut = new Shortcut();
  const swarm = new SimulatedSwarm(time, setup);
  try {
    await swarm.grow(setup.peers);
    await time.pass(SETTLE_MS);
    progress(`${setup.peers} peers have joined`);

    doing = () => 'they publish';
    swarm.wire.traffic = noTraffic();
    const count = Math.ceil(setup.published * swarm.rooms.length);
    await swarm.publish(swarm.rooms.slice(0, count), setup.published * BEGIN_MS);
    await time.pass(SETTLE_MS);
    const { finding, storing, telling } = swarm.wire.traffic;
    const publication = (finding.bytes + storing.bytes + telling.bytes) / swarm.records;
    progress(`${swarm.records} records are published`);

    doing = () => 'the other records are placed';
    const leave = shortcut.open();
    await swarm.publish(swarm.rooms.slice(count), PLACE_MS);
    await time.pass(STEP_MS);
    leave();
    const { records } = swarm;
    progress(`${records} records are there`);

    doing = () => 'they follow rooms';
    const followers = new Set(swarm.peers.slice(0, setup.following * setup.peers));
    const all = swarm.rooms.flatMap(room => [...room.holders.keys()].map(peer => ({ room, peer })));
    const held = all.filter(({ peer }) => followers.has(peer));
    await swarm.evenly(held, FOLLOW_MS, ({ room, peer }) => void peer.watch(room.id));
    await time.pass(CALM_MS);
    const atRest = await measureTraffic(swarm, () => time.pass(REST_MS));
    atRest.finding *= all.length / held.length;
    progress(`${REST_MS / 1000} s at rest are over`);

    const churn = new Churn(swarm, setup);
    doing = () => churn.progress;
    const inChurn = await measureTraffic(swarm, () => churn.run());
    progress(`${churn.duration / 1000} s with churn are over: ${churn.progress}`);

    doing = () => 'newcomers join';
    const joins = await join(swarm, setup.newcomers);
    const result: FindingResult = {
      peers: setup.peers,
      duration: churn.duration,
      records,
      atRest,
      publication,
      inChurn,
      ...churn.result(),
      ...joins,
    };
    progress(JSON.stringify(result));
    return result;
  } finally {
    await swarm.close();
    time.close();
    clearInterval(timer);
    shortcut.close();
    restore();
  }
}

/** Returns the bytes that a peer sends in a second meanwhile. */
async function measureTraffic(swarm: SimulatedSwarm, run: () => Promise<void>): Promise<Record<Purpose, number>> {
  const begun = swarm.time.now;
  swarm.wire.traffic = noTraffic();
  await run();
  const share = (swarm.peers.length * (swarm.time.now - begun)) / 1000;
  const entries = Object.entries(swarm.wire.traffic).map(([purpose, { bytes }]) => [purpose, bytes / share]);
  return Object.fromEntries(entries) as Record<Purpose, number>;
}

/** Peers that come and go, and lookups meanwhile. */
class Churn {
  readonly #swarm: SimulatedSwarm;
  readonly #setup: FindingSetup;
  readonly #looking = new Set<SimulatedPeer>();
  readonly #hops: number[] = [];
  readonly #requests: number[] = [];
  readonly #first: number[] = [];
  readonly #whole: number[] = [];
  readonly #leftOut: number[] = [];
  #gone = 0;
  #failed = 0;
  #incomplete = 0;
  #outdated = 0;
  /** Time that has passed, in ms. */
  duration = 0;

  constructor(swarm: SimulatedSwarm, setup: FindingSetup) {
    this.#swarm = swarm;
    this.#setup = setup;
  }

  get progress(): string {
    const { lookups, failed, incomplete, outdated } = this.result();
    return `${this.#gone} have gone, ${lookups} lookups: ${failed} failed, ${incomplete} incomplete, ${outdated} outdated`;
  }

  async run(): Promise<void> {
    const { time } = this.#swarm;
    const { duration, lookups, churn, peers, isEnough } = this.#setup;
    const goings = (peers * churn * duration) / 3_600_000;
    let offered = 0;
    for (let passed = STEP_MS; passed <= duration && !isEnough(); passed += STEP_MS) {
      this.duration = passed;
      for (const due = Math.floor((goings * passed) / duration); this.#gone < due;) this.#replace();
      for (const due = Math.floor((lookups * passed) / duration); offered < due; ++offered) this.#begin();
      await time.pass(STEP_MS);
    }
    while (this.#looking.size > 0) await time.pass(STEP_MS);
  }

  result(): Omit<FindingResult, 'peers' | 'duration' | 'records' | 'atRest' | 'publication' | 'inChurn' | keyof Joins> {
    return {
      gone: this.#gone,
      lookups: this.#whole.length,
      failed: this.#failed,
      incomplete: this.#incomplete,
      outdated: this.#outdated,
      hops: spreadOf(this.#hops),
      requests: spreadOf(this.#requests),
      first: spreadOf(this.#first),
      whole: spreadOf(this.#whole),
      leftOut: spreadOf(this.#leftOut),
    };
  }

  /** Ends a peer, every other one without a word; another one takes its place in its rooms. */
  #replace(): void {
    const { peers } = this.#swarm;
    const rooms = this.#swarm.remove(
      this.#swarm.pick(peers.filter(peer => !this.#looking.has(peer))),
      ++this.#gone % 2 === 0,
    );
    const successor = this.#swarm.join();
    this.#noteLeftOut(successor);
    for (const room of rooms) {
      successor.watch(room.id);
      this.#swarm.hold(successor, room);
    }
  }

  /** Notes how long a peer names others that have gone. */
  #noteLeftOut({ directory }: SimulatedPeer): void {
    const { time, gone } = this.#swarm;
    const named = new Map<string, number>();
    directory.on('node', ({ url }) => void (gone.has(url) && named.set(url, named.get(url) ?? time.now)));
    directory.on('nodegone', url => void (named.has(url) && this.#leftOut.push(time.now - named.get(url)!)));
  }

  #begin(): void {
    const peer = this.#swarm.pick(this.#swarm.peers);
    const room = this.#swarm.pick(this.#swarm.rooms);
    if (this.#looking.has(peer) || !peer.dht) return;
    this.#looking.add(peer);
    void this.#lookUp(peer, room).finally(() => this.#looking.delete(peer));
  }

  async #lookUp(peer: SimulatedPeer, room: SimulatedRoom): Promise<void> {
    const { time, gone } = this.#swarm;
    const begun = time.now;
    const known = [...room.holders].flatMap(([{ url }, since]) => (since <= begun - KNOWN_MS ? [url] : []));
    const target = targetOfRoom(room.id);
    const trace = peer.trace(target);
    const found = new Set<string>();
    for await (const { url } of peer.dht!.find(target)) {
      if (found.size === 0) this.#first.push(time.now - begun);
      found.add(url);
    }
    trace.end();
    this.#whole.push(time.now - begun);
    this.#requests.push(trace.requests);
    if (trace.hops !== undefined) this.#hops.push(trace.hops);
    // A peer that has gone meanwhile need not be found.
    const expected = known.filter(url => [...room.holders.keys()].some(holder => holder.url === url));
    if (expected.some(url => !found.has(url))) ++this.#incomplete;
    if (expected.length > 0 && !expected.some(url => found.has(url))) ++this.#failed;
    if ([...found].some(url => (gone.get(url) ?? Infinity) <= begun)) ++this.#outdated;
  }
}

interface Joins {
  afterJoin: Spread;
  newcomers: number;
  lost: number;
}

/** Lets newcomers join, each with two addresses of others, and find a room. */
async function join(swarm: SimulatedSwarm, newcomers: number): Promise<Joins> {
  const { time } = swarm;
  const took: number[] = [];
  const rooms = swarm.rooms.filter(({ holders }) => holders.size > 0);
  await swarm.evenly(Array.from({ length: newcomers }), PATIENCE_MS, () => {
    const room = swarm.pick(rooms);
    const begun = time.now;
    const watch = swarm.join().watch(room.id);
    const urls = new Set([...room.holders.keys()].map(({ url }) => url));
    let isFound = false;
    watch.on('change', () => {
      if (isFound || ![...watch.urls].some(url => urls.has(url))) return;
      isFound = true;
      took.push(time.now - begun);
    });
  });
  await time.pass(PATIENCE_MS);
  return { afterJoin: spreadOf(took), newcomers, lost: newcomers - took.length };
}

function spreadOf(values: number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { mean, p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN };
}
