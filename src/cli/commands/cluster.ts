/** `cluster`: a central server, which is a MafaldaHorizontal over other servers behind a RemoteMafaldaServer. */
import { MafaldaHorizontal, strategies, type MafaldaHorizontalOptions } from '../../horizontal/index.ts';
import type { MafaldaApi } from '../../api/types.ts';
import { RemoteMafaldaServer } from '../../remote/index.ts';
import { command } from '../command.ts';
import { adviceFor } from '../advice.ts';
import type { ExitCode } from '../exitCodes.ts';
import { describeListening, serverOptionsOf, tokenOf } from '../serverOptions.ts';
import { argumentOf, variableOf } from '../settings/names.ts';
import { openDirectory } from '../openDirectory.ts';
import { clusterSettings, horizontalSource } from '../settings/clusterSettings.ts';
import { optionsFrom, type Values } from '../settings/setting.ts';
import type { Terminal } from '../terminal.ts';
import { untilStopped } from '../untilStopped.ts';
import { UsageError } from '../usageError.ts';

type ClusterValues = Values<typeof clusterSettings>;

export const cluster = command({
  name: 'cluster',
  summary: 'a central server: many media servers as one',
  settings: clusterSettings,
  examples: [
    {
      settings: {
        port: '4443',
        cert: 'cert.pem',
        key: 'key.pem',
        tokenFile: 'token',
        nodes: 'wss://media-1.example:4443,wss://media-2.example:4443',
      },
    },
    { config: '/etc/mafalda/central.json', settings: { redis: 'rediss://redis.example:6379' } },
  ],
  run: (values, _operands, terminal) => serveUntilStopped(values, terminal),
});

async function serveUntilStopped(values: ClusterValues, terminal: Terminal): Promise<ExitCode> {
  const { nodes = [], redis, drainDeadline } = values;
  if (nodes.length === 0 && redis === undefined)
    throw new UsageError(
      `no nodes: give ${argumentOf('nodes')} or ${variableOf('nodes')}, such as wss://media-1:4443,wss://media-2:4443, or ${argumentOf('redis')}`,
    );
  const options = serverOptionsOf(clusterSettings, values);
  const directory = await openDirectory(values, terminal);
  const mafalda = new MafaldaHorizontal(nodes, { ...clusterOptionsOf(values), directory });
  tell(mafalda, terminal);
  const server = new RemoteMafaldaServer(mafalda, options);
  return untilStopped({ mafalda, server, directory, drainDeadline, terminal }, () => {
    terminal.out(`central server of ${mafalda.size} nodes on ${describeListening(server, options)}`);
    // Addresses are those of the nodes.
    const advice = adviceFor({ ...options, announcedAddress: 'of the nodes' });
    for (const warning of advice) terminal.err(`warning: ${warning}`);
  });
}

function clusterOptionsOf(values: ClusterValues): MafaldaHorizontalOptions {
  const { strategy = 'concentrate' } = values;
  return {
    ...optionsFrom<MafaldaHorizontalOptions>(horizontalSource, clusterSettings, values),
    token: values.nodeToken ?? ownToken(values),
    strategy: typeof strategy === 'function' ? strategy : strategies[strategy],
  };
}

/** Returns the token of this server's own clients, for nodes that ask for the same one. */
function ownToken(values: ClusterValues): string | undefined {
  const token = tokenOf(values);
  return typeof token === 'string' ? token : undefined;
}

/** Says what happens to the nodes. */
function tell(mafalda: MafaldaHorizontal, terminal: Terminal): void {
  const urlOf = (node: MafaldaApi): string => (node as { url?: string }).url ?? 'a node';
  mafalda.on('error', error => terminal.err(`error: ${error.message}`));
  mafalda.on('connecterror', ({ url, error }) => terminal.err(`${url}: ${error.message}`));
  mafalda.on('nodeconnected', node => terminal.out(`${urlOf(node)}: connected`));
  mafalda.on('nodedisconnected', (node, reason) => terminal.err(`${urlOf(node)}: disconnected (${reason})`));
  mafalda.on('nodedraining', node => terminal.out(`${urlOf(node)}: is being drained`));
  mafalda.on('nodeunreachable', node => terminal.err(`${urlOf(node)}: not heard, and may well live`));
  mafalda.on('nodereachable', node => terminal.out(`${urlOf(node)}: heard again`));
  mafalda.on('nodefailing', (node, error) => terminal.err(`${urlOf(node)}: can't create: ${error.message}`));
  mafalda.on('linkdown', ({ from, to }) => terminal.err(`media does not get from ${urlOf(from)} to ${urlOf(to)}`));
  mafalda.on('linkup', ({ from, to }) => terminal.out(`media gets from ${urlOf(from)} to ${urlOf(to)} again`));
}
