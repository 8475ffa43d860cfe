/** The servers that a provisioner has started, as the autoscaler knows them, and the orders that are under way. */
import type { NodeDump } from '../api/dump.ts';
import type { MafaldaApi } from '../api/types.ts';
import type { ListedServer, ProvisionedServer } from './provisioner.ts';
import type { ServerPhase, ServerState } from './snapshot.ts';

/** Node of a MafaldaHorizontal, with its state. */
export interface FleetNode {
  readonly state: NodeDump;
  readonly mafalda: MafaldaApi;
}

/** Nodes of a MafaldaHorizontal. */
export interface FleetNodes {
  readonly all: readonly FleetNode[];
  find(url: string): FleetNode | undefined;
}

/** Server that is being ordered, and has no id yet. */
export interface Order {
  readonly region: string | undefined;
  readonly at: number;
}

export interface FleetServer {
  readonly id: string;
  url: string | undefined;
  readonly region: string | undefined;
  phase: ServerPhase;
  since: number;
  /** Time at which it was first used, or used again after it had been drained. */
  usedSince: number;
  /** Time at which it was ordered, or found. */
  readonly ordered: number;
  /** Time from which on its id is known here. */
  readonly known: number;
  /** Time since which it is connected; undefined if it is not. */
  heardSince: number | undefined;
  /** Whether another server has its address by now. */
  isSuperseded: boolean;
  /** Number of lists in a row that it was missing in. */
  missing: number;
  /** Whether the provisioner is just stopping it. */
  isBeingStopped: boolean;
  /** Whether this autoscaler has ordered it, and so knows how long it has taken. */
  readonly isOwn: boolean;
  hasConnected: boolean;
  /** Whether an autoscaler has drained it, and so may use it again. */
  isDrainedHere: boolean;
  /** Time at which it was last to be used again. */
  undrainedAt: number;
  /** Whether it is being waited for until nothing is left there. */
  isEmptying: boolean;
  /** Whether nothing was left there. */
  drained: boolean;
}

/** Number of lists in a row without a server after which it is gone: a list may be a moment old. */
const GONE_AFTER_LISTS = 2;

/** Time after which a server that is connected has reported its load, in ms. */
const REPORT_MS = 3000;
/** Time for which a server that was stopped may still be listed, in ms. */
const STOPPED_IS_LISTED_MS = 60_000;

/** Changes that a look at the nodes has shown. */
export interface FleetChanges {
  /** Servers that have connected for the first time. */
  readonly connected: readonly FleetServer[];
}

export class Fleet {
  readonly #isShared: boolean;
  readonly #servers = new Map<string, FleetServer>();
  readonly #orders = new Set<Order>();
  /** Times at which ids were listed first that belong to no server here. */
  readonly #strangers = new Map<string, number>();
  /** Times at which servers were stopped, whose ids may still be listed. */
  readonly #stopped = new Map<string, number>();

  /** @param isShared whether several autoscalers drain the servers */
  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  [Symbol.iterator](): MapIterator<FleetServer> {
    return this.#servers.values();
  }

  get(id: string): FleetServer | undefined {
    return this.#servers.get(id);
  }

  /** Whether a server is on its way in the region, or in any if none is named. */
  isGrowing(region?: string): boolean {
    const isThere = (server: { region: string | undefined }): boolean =>
      region === undefined || server.region === undefined || server.region === region;
    return (
      [...this.#orders].some(isThere) ||
      [...this.#servers.values()].some(server => server.phase === 'starting' && isThere(server))
    );
  }

  order(region: string | undefined, now: number): Order {
    const order = { region, at: now };
    this.#orders.add(order);
    return order;
  }

  cancel(order: Order): void {
    this.#orders.delete(order);
  }

  /** Notes the server that has come of an order. */
  started(order: Order, { id, url }: ProvisionedServer, now: number): FleetServer {
    this.#orders.delete(order);
    this.#strangers.delete(id);
    return this.#add({ id, url, region: order.region }, order.at, now, true);
  }

  /**
   * Notes that a server was stopped.
   * @returns whether it was there until now
   */
  stopped(id: string, now: number): boolean {
    this.#stopped.set(id, now);
    return this.#servers.delete(id);
  }

  /**
   * Compares what is known with what the provisioner has listed.
   * @param asked time at which it was asked
   * @returns servers that were not known, and servers that there are no longer
   */
  reconcile(
    listed: readonly ListedServer[],
    asked: number,
    now: number,
  ): { found: FleetServer[]; gone: FleetServer[] } {
    const ids = new Set(listed.map(({ id }) => id));
    const gone: FleetServer[] = [];
    for (const server of this.#servers.values()) {
      if (ids.has(server.id)) server.missing = 0;
      else if (server.known < asked && ++server.missing >= GONE_AFTER_LISTS) gone.push(server);
    }
    for (const { id } of gone) this.#servers.delete(id);
    for (const id of this.#strangers.keys()) if (!ids.has(id)) this.#strangers.delete(id);
    for (const [id, at] of this.#stopped) if (asked - at > STOPPED_IS_LISTED_MS) this.#stopped.delete(id);
    const found: FleetServer[] = [];
    for (const server of listed) {
      const known = this.#servers.get(server.id);
      if (known && known.url === undefined && server.url !== undefined) {
        this.#supersede(server.url);
        known.url = server.url;
        found.push(known);
      }
      if (known || this.#stopped.has(server.id) || this.#mayBeOrdered(server.id, asked)) continue;
      this.#strangers.delete(server.id);
      found.push(this.#add(server, now, now, false));
    }
    return { found, gone };
  }

  /** Notes what the nodes are at the moment. */
  observe(nodes: FleetNodes, now: number): FleetChanges {
    const connected: FleetServer[] = [];
    for (const server of this.#servers.values()) {
      if (server.phase === 'stopping') continue;
      const state = server.url === undefined ? undefined : nodes.find(server.url)?.state;
      const phase = phaseOf(server, state);
      if (!state?.connected) server.heardSince = undefined;
      else server.heardSince ??= now;
      if (phase !== 'starting' && phase !== 'lost' && !server.hasConnected) {
        server.hasConnected = true;
        connected.push(server);
      }
      if (phase !== 'draining') server.drained = server.isDrainedHere = false;
      if (phase !== server.phase) {
        const isBack = phase === 'running' && (server.phase === 'lost' || server.phase === 'unreachable');
        server.since = isBack ? server.usedSince : now;
        if (phase === 'running') server.usedSince = server.since;
      }
      server.phase = phase;
    }
    return { connected };
  }

  /** Returns the state of all servers, of the orders, and of the nodes that no provisioner has started. */
  states(nodes: FleetNodes, now: number): ServerState[] {
    const own = new Set<FleetNode>();
    const servers = [...this.#servers.values()].map((server): ServerState => {
      const node = server.url === undefined ? undefined : nodes.find(server.url);
      if (node) own.add(node);
      const { id, phase, since, drained, isDrainedHere, heardSince } = server;
      // The report of a server that was not heard for a while may be old.
      const isReportFresh = heardSince !== undefined && now - heardSince >= REPORT_MS;
      const region = server.region ?? node?.state.region;
      const figures = figuresOf(node);
      const retired = phase === 'draining' && !isDrainedHere && !this.#isShared;
      return {
        id,
        region,
        phase,
        since,
        ...figures,
        empty: drained && isReportFresh && figures.transports === 0,
        retired,
      };
    });
    const orders = [...this.#orders].map(({ region, at }, index): ServerState => ({
      id: `order ${index + 1}`,
      region,
      phase: 'starting',
      since: at,
      load: 0,
      transports: 0,
      empty: false,
    }));
    const fixed = nodes.all.flatMap((node): ServerState[] => {
      if (own.has(node)) return [];
      const { id, region } = node.state;
      return [{ id, region, phase: nodePhase(node.state), since: 0, ...figuresOf(node), empty: false, fixed: true }];
    });
    return [...servers, ...orders, ...fixed];
  }

  #add({ id, url, region }: ListedServer, ordered: number, now: number, isOwn: boolean): FleetServer {
    const known = this.#servers.get(id);
    if (known) return known;
    this.#supersede(url);
    const server: FleetServer = {
      id,
      url,
      region,
      phase: 'starting',
      since: ordered,
      usedSince: ordered,
      ordered,
      known: now,
      heardSince: undefined,
      isSuperseded: false,
      missing: 0,
      isOwn,
      hasConnected: false,
      isDrainedHere: false,
      undrainedAt: -Infinity,
      isEmptying: false,
      drained: false,
      isBeingStopped: false,
    };
    this.#servers.set(id, server);
    return server;
  }

  /** Takes a server for lost whose address another one has got: its machine is gone, whatever answers there. */
  #supersede(url: string | undefined): void {
    for (const server of this.#servers.values()) {
      if (url === undefined || server.url !== url) continue;
      server.url = undefined;
      server.isSuperseded = true;
    }
  }

  /** Returns whether a server that is not known may be one of the orders that have no id yet. */
  #mayBeOrdered(id: string, asked: number): boolean {
    const first = this.#strangers.get(id) ?? asked;
    this.#strangers.set(id, first);
    return [...this.#orders].some(({ at }) => at <= first);
  }
}

function phaseOf({ hasConnected, isSuperseded, url }: FleetServer, state: NodeDump | undefined): ServerPhase {
  // A server without a URL has no node yet; with one, its node was given up.
  if (!state) return url === undefined && !isSuperseded ? 'starting' : 'lost';
  return state.connected || state.dormant || hasConnected ? nodePhase(state) : 'starting';
}

function nodePhase({ connected, dormant, draining, unreachable }: NodeDump): ServerPhase {
  if (connected || dormant) return draining ? 'draining' : 'running';
  return unreachable ? 'unreachable' : 'lost';
}

function figuresOf(node: FleetNode | undefined): Pick<ServerState, 'load' | 'cores' | 'transports'> {
  if (!node) return { load: 0, transports: 0 };
  // Foreign implementations of the Mafalda API may have no report.
  const { hosts = [], workers = [] } = node.mafalda.loadReport ?? {};
  return {
    load: node.state.load,
    ...(hosts.length > 0 ? { cores: hosts.reduce((sum, { cores }) => sum + cores, 0) } : {}),
    transports: workers.reduce((sum, { transports }) => sum + transports, 0),
  };
}
