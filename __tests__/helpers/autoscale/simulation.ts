/** Simulated servers on an imaginary day, which the real `plan()` starts and stops. The clock ticks once a second. */
import { HistoryRecorder } from '../../../src/autoscale/history.ts';
import { plan, type Plan } from '../../../src/autoscale/plan.ts';
import type { PlanOptions } from '../../../src/autoscale/planOptions.ts';
import type { ServerState, Snapshot } from '../../../src/autoscale/snapshot.ts';
import { concentrate, type NodeState } from '../../../src/placement/strategies.ts';
import type { Day } from './days.ts';

/** Load of a person, in percent of a server: one of 4 cores takes 2,000 consumers, and each person has ten. */
export const PERSON_LOAD = 0.5;
export const WATERMARK = 66;
const CORES = 4;
const DECISION_S = 5;
/** Age of the servers that are there when the day begins, in seconds. */
const DAY_S = 86_400;

/** World that the plan meets. */
export interface World {
  /** Duration from the order of a server to its connection, in seconds. */
  boot: number;
  /** Load, in percent, from which on a server refuses what is new. */
  maxLoad?: number;
  /** Longest time that a join waits, in seconds. */
  wait?: number;
  /** Whether the start with this number, from 0 on, fails when its time has come. */
  fails?: (start: number) => boolean;
}

interface Server {
  id: string;
  phase: ServerState['phase'];
  since: number;
  ordered: number;
  people: number;
  placed: number;
}

interface Waiting {
  since: number;
  to: number;
}

/** Curve of a simulation, a point for each decision. */
export interface Point {
  at: number;
  people: number;
  servers: number;
  /** Fewest servers that could take all people. */
  bound: number;
}

export class Simulation {
  readonly #day: Day;
  readonly #options: PlanOptions;
  readonly #world: World;
  readonly #history: HistoryRecorder;
  readonly servers = new Set<Server>();
  readonly curve: Point[] = [];
  readonly events: { at: number; what: 'start' | 'stop' | 'drain' | 'undrain' | 'fail'; id: string; why: string }[] =
    [];
  readonly #leaves = new Map<number, Server[]>();
  readonly #waiting = new Set<Waiting>();
  #next = 0;
  #nextId = 0;
  #people = 0;
  #now = 0;
  joins = 0;
  waited = 0;
  /** Joins that landed above the watermark. */
  squeezed = 0;
  refused = 0;
  /** People who were on a server that was stopped. */
  cut = 0;
  starts = 0;
  stops = 0;
  serverSeconds = 0;
  boundSeconds = 0;
  most = 0;

  constructor(day: Day, options: PlanOptions, world: World) {
    this.#day = day;
    this.#options = options;
    this.#world = world;
    this.#history = new HistoryRecorder(options.scaleInAfter ?? 600_000);
    // Servers for those who are there when the day begins are there, too.
    const people = day.stays.filter(({ from }) => from === 0).length;
    const servers = Math.max(options.min ?? 1, Math.ceil((people * PERSON_LOAD) / WATERMARK));
    for (let count = 0; count < servers; ++count) this.#order(-DAY_S, 'running');
  }

  /** Server time, in relation to what a clairvoyant would have needed at least. */
  get ratio(): number {
    return this.serverSeconds / this.boundSeconds;
  }

  run(): this {
    for (this.#now = 0; this.#now < this.#day.length; ++this.#now) this.#second();
    return this;
  }

  #second(): void {
    for (const server of [...this.servers])
      if (server.phase === 'starting' && this.#now - server.ordered >= this.#world.boot) this.#arrive(server);
    for (const server of this.#leaves.get(this.#now) ?? []) {
      if (!this.servers.has(server)) continue;
      --server.people;
      --this.#people;
    }
    this.#leaves.delete(this.#now);
    for (; this.#day.stays[this.#next] && this.#day.stays[this.#next]!.from <= this.#now; ++this.#next) {
      ++this.joins;
      this.#join({ since: this.#now, to: this.#day.stays[this.#next]!.to });
    }
    for (const waiting of this.#waiting) this.#join(waiting);
    if (this.#now % DECISION_S === 0) this.#decide();
    const bound = Math.max(this.#options.min ?? 1, Math.ceil((this.#people * PERSON_LOAD) / WATERMARK));
    this.serverSeconds += this.servers.size;
    this.boundSeconds += bound;
    this.most = Math.max(this.most, this.servers.size);
    if (this.#now % 60 === 0)
      this.curve.push({ at: this.#now, people: this.#people, servers: this.servers.size, bound });
  }

  #join(join: Waiting): void {
    const states = new Map<NodeState, Server>();
    for (const server of this.servers) {
      const { id, phase, people, placed } = server;
      if (phase === 'running') states.set({ id, load: people * PERSON_LOAD, placed, hasRouter: false }, server);
    }
    const candidates = [...states.keys()];
    const hasRoom = candidates.some(({ load }) => load < WATERMARK);
    const isNew = !this.#waiting.has(join);
    if (!hasRoom) {
      if (isNew) {
        this.#waiting.add(join);
        this.#decide();
      }
      const isOnItsWay = [...this.servers].some(({ phase }) => phase === 'starting');
      if (isOnItsWay && this.#now - join.since < (this.#world.wait ?? 10)) return;
    }
    this.#waiting.delete(join);
    if (this.#now > join.since) ++this.waited;
    const accepting = candidates.filter(({ load }) => load < (this.#world.maxLoad ?? Infinity));
    if (accepting.length === 0) {
      ++this.refused;
      return;
    }
    if (!hasRoom) ++this.squeezed;
    const server = states.get(concentrate(accepting, { mafaldaRouterId: 'room', watermark: WATERMARK })!)!;
    ++server.people;
    ++server.placed;
    ++this.#people;
    const at = Math.max(this.#now + 1, Math.round(join.to));
    this.#leaves.set(at, [...(this.#leaves.get(at) ?? []), server]);
  }

  #arrive(server: Server): void {
    if (this.#world.fails?.(Number(server.id))) {
      this.servers.delete(server);
      this.#note('fail', server.id, 'as the test says');
      this.#history.failed(undefined, server.ordered * 1000, this.#now * 1000);
      return;
    }
    server.phase = 'running';
    server.since = this.#now;
    this.#history.booted(undefined, (this.#now - server.ordered) * 1000);
  }

  #decide(): void {
    const now = this.#now * 1000;
    this.#history.observe(this.#snapshot(), [undefined], now);
    this.#apply(plan(this.#snapshot(), this.#history, this.#options, now));
  }

  #snapshot(): Snapshot {
    return {
      watermark: WATERMARK,
      waiting: [{ count: this.#waiting.size }],
      servers: [...this.servers].map(({ id, phase, since, people }) => ({
        id,
        phase,
        since: since * 1000,
        load: people * PERSON_LOAD,
        cores: CORES,
        transports: people,
        empty: people === 0,
      })),
    };
  }

  #apply({ start, drain, undrain, stop }: Plan): void {
    for (const { why } of start) {
      ++this.starts;
      this.#note('start', this.#order(this.#now, 'starting').id, why);
    }
    for (const { id, why } of drain) this.#turn(id, 'draining', 'drain', why);
    for (const { id, why } of undrain) this.#turn(id, 'running', 'undrain', why);
    for (const { id, why } of stop) {
      const server = this.#find(id);
      this.servers.delete(server);
      this.cut += server.people;
      this.#people -= server.people;
      ++this.stops;
      this.#note('stop', id, why);
    }
  }

  #turn(id: string, phase: Server['phase'], what: 'drain' | 'undrain', why: string): void {
    const server = this.#find(id);
    server.phase = phase;
    server.since = this.#now;
    this.#note(what, id, why);
  }

  #order(ordered: number, phase: Server['phase']): Server {
    const server: Server = { id: String(this.#nextId++), phase, since: ordered, ordered, people: 0, placed: 0 };
    this.servers.add(server);
    return server;
  }

  #find(id: string): Server {
    return [...this.servers].find(server => server.id === id)!;
  }

  #note(what: Simulation['events'][number]['what'], id: string, why: string): void {
    this.events.push({ at: this.#now, what, id, why });
  }
}
