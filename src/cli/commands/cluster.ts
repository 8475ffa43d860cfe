/** `cluster`: a central server, which is a MafaldaHorizontal over other servers behind a RemoteMafaldaServer. */
import { MafaldaHorizontal, strategies, type MafaldaHorizontalOptions } from '../../horizontal/index.ts';
import type { MafaldaApi } from '../../api/types.ts';
import { nearestName } from '../../api/nearestName.ts';
import { RemoteMafaldaServer } from '../../remote/index.ts';
import { adviceFor } from '../advice.ts';
import type { ExitCode } from '../exitCodes.ts';
import { describeListening, serverOptionsOf, tokenOf } from '../serverOptions.ts';
import { argumentOf, variableOf } from '../settings/names.ts';
import { openDirectory } from '../openDirectory.ts';
import type { clusterSettings } from '../settings/serverSettings.ts';
import type { Values } from '../settings/readSettings.ts';
import type { Terminal } from '../terminal.ts';
import { untilStopped } from '../untilStopped.ts';
import { UsageError } from '../usageError.ts';

/** Serves until a signal ends it. @returns the exit code */
export async function cluster(values: Values<typeof clusterSettings>, terminal: Terminal): Promise<ExitCode> {
  const { nodes = [], redis, drainDeadline } = values;
  if (nodes.length === 0 && redis === undefined)
    throw new UsageError(
      `no nodes: give ${argumentOf('nodes')} or ${variableOf('nodes')}, such as wss://media-1:4443,wss://media-2:4443, or ${argumentOf('redis')}`,
    );
  const options = serverOptionsOf(values);
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

function clusterOptionsOf(values: Values<typeof clusterSettings>): MafaldaHorizontalOptions {
  const { nodeToken, nodeCa, nodeFingerprints, nodeCert, nodeKey, nodePath, nodeLimits } = values;
  const { strategy = 'concentrate', watermarkNode, nodeTimeout, callTimeout, name } = values;
  return {
    token: nodeToken ?? tokenOf(values),
    ca: nodeCa,
    fingerprints: nodeFingerprints,
    cert: nodeCert,
    key: nodeKey,
    path: nodePath,
    limits: nodeLimits as MafaldaHorizontalOptions['limits'],
    strategy: strategyNamed(strategy),
    watermarkNode,
    nodeTimeout,
    callTimeout,
    name,
  };
}

function strategyNamed(name: string): MafaldaHorizontalOptions['strategy'] {
  // A module of settings may have a function of its own.
  if (typeof name === 'function') return name;
  const known = Object.keys(strategies);
  if (Object.hasOwn(strategies, name)) return strategies[name as keyof typeof strategies];
  throw new UsageError(
    `unknown strategy ${name}, do you mean ${nearestName(name, known) ?? 'one of these'}? Known are ${known.join(', ')}`,
  );
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
