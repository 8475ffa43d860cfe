/** State of the servers at a moment, as far as it decides how many there should be. */

/**
 * Phase in the life of a server:
 *
 * - `starting`: ordered, and not connected yet
 * - `running`: gets new objects
 * - `draining`: gets nothing new, and is stopped when it is empty
 * - `unreachable`: is not heard, and may well live: what is there goes on, and nothing new gets there
 * - `lost`: its machine has vanished, as far as can be told
 * - `stopping`: its provisioner has been told to stop it
 */
export type ServerPhase = 'starting' | 'running' | 'draining' | 'unreachable' | 'lost' | 'stopping';

/** State of a server. */
export interface ServerState {
  /** Id that the provisioner has given, or that of the node if no provisioner has started it. */
  readonly id: string;
  /** Region of the server. */
  readonly region?: string;
  /** Phase in which the server is. */
  readonly phase: ServerPhase;
  /** Time at which the phase began, in ms since 1970. */
  readonly since: number;
  /** Load, in percent of the server: measured, plus objects that are on their way. */
  readonly load: number;
  /** Number of cores; undefined while it is not known. */
  readonly cores?: number;
  /** Number of Transports of all users: the fewer there are, the sooner the server is empty. */
  readonly transports: number;
  /** Whether nothing is left on a server that is being drained. */
  readonly empty: boolean;
  /** Whether somebody else drains the server: it is stopped when it is empty, and not used again. */
  readonly retired?: boolean;
  /** Whether the server was not started by the provisioner: its capacity counts, and it is left alone. */
  readonly fixed?: boolean;
}

/** Calls that have found no server with room, and wait. */
export interface WaitingJoins {
  /** Region that they wish for. */
  readonly region?: string;
  /** Number of the calls. */
  readonly count: number;
}

/** State of all servers at a moment, as far as `plan()` needs it. */
export interface Snapshot {
  /** Servers, those that are given by hand included. */
  readonly servers: readonly ServerState[];
  /** Load of a server, in percent, from which on it gets nothing new while another has room. */
  readonly watermark: number;
  /** Calls that wait for a server. */
  readonly waiting: readonly WaitingJoins[];
}

/** Load expected of a join that waits, in percent of one core: a Transport, with what it brings with it. */
const JOIN_LOAD = 2;

/** Returns the servers and waiting joins of a region; with `undefined`, of all regions. */
export function inRegion({ servers, waiting, watermark }: Snapshot, region: string | undefined): Snapshot {
  if (region === undefined) return { servers, waiting, watermark };
  return {
    servers: servers.filter(server => server.region === region),
    waiting: waiting.filter(join => join.region === region),
    watermark,
  };
}

/** Returns the number of cores that is expected of a server that is not known yet: the mean of the known. */
export function typicalCores(servers: readonly ServerState[]): number {
  const known = servers.flatMap(({ cores }) => cores ?? []);
  return known.length === 0 ? 1 : known.reduce((sum, cores) => sum + cores) / known.length;
}

/** Demand of a moment, in percent of one core. */
export interface Demand {
  /** Demand that running servers have to meet: their load, and that of joins that wait. */
  readonly running: number;
  /** Load of servers that are being drained: it stays there until it goes. */
  readonly draining: number;
}

export function demandOf({ servers, waiting }: Snapshot): Demand {
  const typical = typicalCores(servers);
  const demand = { running: 0, draining: 0 };
  for (const { phase, load, cores = typical } of servers)
    if (phase === 'running' || phase === 'draining') demand[phase] += load * cores;
  for (const { count } of waiting) demand.running += count * JOIN_LOAD;
  return demand;
}
