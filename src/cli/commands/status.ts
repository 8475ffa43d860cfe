/** `status`: the state of servers, at this moment. */
import type { WorkerLoad } from '../../api/load.ts';
import type { RemoteMafaldaClient } from '../../remote/index.ts';
import { command } from '../command.ts';
import { withClient } from '../connect.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { clientSettings, outputSettings } from '../settings/clientSettings.ts';
import { clusterSettings } from '../settings/clusterSettings.ts';
import { argumentOf, variableOf } from '../settings/names.ts';
import type { Values } from '../settings/setting.ts';
import { tableOf, type Terminal } from '../terminal.ts';
import { UsageError } from '../usageError.ts';

/** State of a server, as `--json` writes it. */
export interface ServerStatus {
  url: string;
  state: 'ready' | 'draining' | 'unreachable';
  /** Reason, if the server is unreachable. */
  error?: string;
  /** Percent of all cores. */
  load?: number;
  region?: string;
  mediasoup?: string;
  /** Duration of a call, in ms. */
  roundTrip?: number;
  rooms?: number;
  cores?: number;
  workers?: number;
  transports?: number;
  producers?: number;
  consumers?: number;
}

const statusSettings = { ...clientSettings, nodes: clusterSettings.nodes, ...outputSettings };

export const status = command({
  name: 'status',
  summary: 'the state of servers',
  operands: ['[urls...]', `default: ${argumentOf('nodes')}`],
  settings: statusSettings,
  examples: [
    { operands: ['wss://media-1.example:4443', 'wss://media-2.example:4443'] },
    { settings: { nodes: 'wss://media-1.example:4443,wss://media-2.example:4443', json: true } },
  ],
  run: tellStates,
});

/** Writes a line for each server. @returns the exit code: failed if a server is unreachable */
async function tellStates(
  values: Values<typeof statusSettings>,
  named: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const urls = named.length > 0 ? named : (values.nodes ?? []);
  if (urls.length === 0)
    throw new UsageError(`no servers: name them, or set ${variableOf('nodes')} or ${argumentOf('nodes')}`);
  const ask = (url: string): Promise<ServerStatus> =>
    withClient(url, values, client => statusOf(url, client)).catch((error: Error) => ({
      url,
      state: 'unreachable' as const,
      error: error.message,
    }));
  const states = await Promise.all(urls.map(ask));
  if (values.json) terminal.out(JSON.stringify(states, null, 2));
  else for (const line of tableOf(header, states.map(toRow))) terminal.out(line);
  for (const { url, error } of states) if (error !== undefined) terminal.err(`${url}: ${error}`);
  return states.some(({ state }) => state === 'unreachable') ? EXIT.failed : EXIT.ok;
}

async function statusOf(url: string, client: RemoteMafaldaClient): Promise<ServerStatus> {
  const startedAt = performance.now();
  const rooms = await client.listMafaldaRouters();
  const roundTrip = Math.round(10 * (performance.now() - startedAt)) / 10;
  const { load, workers, hosts } = client.loadReport;
  const sum = (member: Exclude<keyof WorkerLoad, 'id'>): number =>
    workers.reduce((total, worker) => total + worker[member], 0);
  return {
    url,
    state: client.draining ? 'draining' : 'ready',
    load: Math.round(load),
    region: client.region,
    mediasoup: client.mediasoup.version,
    roundTrip,
    rooms: rooms.length,
    cores: hosts.reduce((total, { cores }) => total + cores, 0),
    workers: workers.length,
    transports: sum('transports'),
    producers: sum('producers'),
    consumers: sum('consumers'),
  };
}

const columns = {
  server: ({ url }) => url,
  state: ({ state }) => state,
  'load %': ({ load }) => load,
  cores: ({ cores }) => cores,
  workers: ({ workers }) => workers,
  rooms: ({ rooms }) => rooms,
  transports: ({ transports }) => transports,
  producers: ({ producers }) => producers,
  consumers: ({ consumers }) => consumers,
  region: ({ region }) => region,
  mediasoup: ({ mediasoup }) => mediasoup,
  'call ms': ({ roundTrip }) => roundTrip,
} satisfies Record<string, (status: ServerStatus) => string | number | undefined>;

const header = Object.keys(columns);

function toRow(state: ServerStatus): string[] {
  return Object.values(columns).map(valueOf => String(valueOf(state) ?? '-'));
}
