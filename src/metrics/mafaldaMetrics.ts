/** Metrics of a Mafalda: of its machine if it has Workers of its own, of its nodes if it has nodes. */
import type { HostLoad, WorkerLoad } from '../api/load.ts';
import type { DirectoryStatistics, MafaldaStatistics, NodeStatistics } from '../api/statistics.ts';
import type { MafaldaApi } from '../api/types.ts';
import { countsOf, samplesOf, type Definition, type Sample } from './definition.ts';
import { Links } from './links.ts';

const PERCENT = 100;

/** Mafalda, with what is remembered of it between two readings. */
export interface MeasuredMafalda {
  readonly mafalda: MafaldaApi;
  readonly links: Links;
}

export function measured(mafalda: MafaldaApi): MeasuredMafalda {
  return { mafalda, links: new Links(mafalda) };
}

type MafaldaDefinition = Definition<MeasuredMafalda>;

const common: readonly MafaldaDefinition[] = [
  {
    name: 'mafalda_load_ratio',
    type: 'gauge',
    help: 'Load by which placement decides: of all cores, or the mean of the nodes; 1 is full.',
    labels: [],
    read: ({ mafalda }) => [{ value: mafalda.load / PERCENT }],
  },
  {
    name: 'mafalda_rooms',
    type: 'gauge',
    help: 'MafaldaRouters that are open in this process.',
    labels: [],
    read: ({ mafalda }) => [{ value: mafalda.mafaldaRouters.size }],
  },
  {
    name: 'mafalda_placements_total',
    type: 'counter',
    help: 'Transports and RtpObservers that were placed, by the reason for the choice of their Worker or node.',
    labels: ['reason'],
    read: ({ mafalda }) => samplesOf('reason', statisticsOf(mafalda).placements),
  },
  {
    name: 'mafalda_pipes_made_total',
    type: 'counter',
    help: 'Pipes that were made from this process, by the reason for their source; failed: those that could not be made.',
    labels: ['reason'],
    read: ({ mafalda }) => samplesOf('reason', statisticsOf(mafalda).pipes),
  },
];

/** Metrics of a machine with Workers. */
export const machineMetrics: readonly MafaldaDefinition[] = [
  ...common,
  {
    name: 'mafalda_worker_cpu_ratio',
    type: 'gauge',
    help: 'CPU that a Worker uses, as a share of one core.',
    labels: ['worker'],
    read: ({ mafalda }) => ofWorkers(mafalda, ({ cpu }) => cpu / PERCENT),
  },
  {
    name: 'mafalda_workers_died_total',
    type: 'counter',
    help: 'Workers that have died.',
    labels: [],
    read: ({ mafalda }) => [{ value: statisticsOf(mafalda).diedWorkers }],
  },
  workerObjects('mafalda_worker_routers', 'Routers of a Worker.', 'routers'),
  workerObjects('mafalda_worker_transports', 'Transports of a Worker, ends of links included.', 'transports'),
  workerObjects('mafalda_worker_producers', 'Producers of a Worker, copies in pipes included.', 'producers'),
  workerObjects('mafalda_worker_consumers', 'Consumers of a Worker, those of pipes included.', 'consumers'),
  workerObjects('mafalda_worker_data_producers', 'DataProducers of a Worker.', 'dataProducers'),
  workerObjects('mafalda_worker_data_consumers', 'DataConsumers of a Worker.', 'dataConsumers'),
  {
    name: 'mafalda_links',
    type: 'gauge',
    help: 'Ends of links to other servers, and between the Workers of this machine.',
    labels: ['between'],
    read: ({ links }) => links.ends(),
  },
  {
    name: 'mafalda_pipes',
    type: 'gauge',
    help: 'Pipes that start here (out) or end here (in).',
    labels: ['between', 'direction'],
    read: ({ links }) => links.pipes(),
  },
  {
    name: 'mafalda_link_bytes_total',
    type: 'counter',
    help: 'Bytes that links to other servers have carried.',
    labels: ['direction'],
    read: ({ links }) => links.bytes(),
  },
  {
    name: 'mafalda_host_cores',
    type: 'gauge',
    help: 'CPU cores that the process may use: those of the machine, or what its cgroup gives.',
    labels: [],
    read: ({ mafalda }) => ofHost(mafalda, ({ cores }) => [{ value: cores }]),
  },
  {
    name: 'mafalda_host_cpu_ratio',
    type: 'gauge',
    help: 'CPU use of all processes of the machine, as a share of all cores.',
    labels: [],
    read: ({ mafalda }) => ofHost(mafalda, ({ cpu }) => [{ value: cpu / PERCENT }]),
  },
  {
    name: 'mafalda_host_memory_bytes',
    type: 'gauge',
    help: 'Memory that the process may use, of the machine or of its cgroup: all of it, and what is free.',
    labels: ['state'],
    read: ({ mafalda }) => ofHost(mafalda, ({ memory }) => samplesOf('state', { ...memory })),
  },
  {
    name: 'mafalda_host_network_bytes_total',
    type: 'counter',
    help: 'Bytes on the network interfaces of the machine, loopback left out (Linux).',
    labels: ['direction'],
    read: ({ mafalda }) =>
      ofHost(mafalda, ({ network }) =>
        network ? samplesOf('direction', { in: network.received, out: network.sent }) : [],
      ),
  },
];

const nodeStates: readonly NodeStatistics['state'][] = [
  'connected',
  'disconnected',
  'unreachable',
  'draining',
  'resting',
  'dormant',
];

/** Metrics of a controller. */
export const controllerMetrics: readonly MafaldaDefinition[] = [
  ...common,
  {
    name: 'mafalda_nodes',
    type: 'gauge',
    help: 'Nodes by their state.',
    labels: ['state'],
    read: ({ mafalda }) =>
      countsOf(
        'state',
        nodeStates,
        statisticsOf(mafalda).nodes.map(({ state }) => state),
      ),
  },
  {
    name: 'mafalda_node_up',
    type: 'gauge',
    help: 'Whether a node is connected, or can be when it is used: 1, or 0.',
    labels: ['node'],
    read: ({ mafalda }) => ofNodes(mafalda, ({ state }) => Number(state !== 'disconnected' && state !== 'unreachable')),
  },
  {
    name: 'mafalda_node_load_ratio',
    type: 'gauge',
    help: 'Load of a node: reported, and placed there since; 1 is full.',
    labels: ['node'],
    read: ({ mafalda }) => ofNodes(mafalda, ({ load }) => load / PERCENT),
  },
  {
    name: 'mafalda_links_down',
    type: 'gauge',
    help: 'Pairs of nodes that don’t reach each other for media.',
    labels: [],
    read: ({ mafalda }) => [{ value: statisticsOf(mafalda).linksDown }],
  },
  {
    name: 'mafalda_node_failures_total',
    type: 'counter',
    help: 'Attempts that nodes have failed, by the class of the error: another node was asked, if there was one.',
    labels: ['error'],
    read: ({ mafalda }) => samplesOf('error', statisticsOf(mafalda).refusals),
  },
  {
    name: 'mafalda_controller_directory_up',
    type: 'gauge',
    help: 'Whether the directory that tells the controller of nodes and rooms can be used: 1, or 0.',
    labels: [],
    read: ({ mafalda }) => ofDirectory(mafalda, ({ up }) => Number(up)),
  },
  {
    name: 'mafalda_controller_directory_outages_total',
    type: 'counter',
    help: 'Outages of that directory.',
    labels: [],
    read: ({ mafalda }) => ofDirectory(mafalda, ({ outages }) => outages),
  },
];

function statisticsOf({ statistics }: MafaldaApi): MafaldaStatistics {
  return statistics ?? { placements: {}, pipes: {}, diedWorkers: 0, refusals: {}, nodes: [], linksDown: 0 };
}

function workerObjects(
  name: MafaldaDefinition['name'],
  help: string,
  member: Exclude<keyof WorkerLoad, 'id' | 'cpu'>,
): MafaldaDefinition {
  const read = ({ mafalda }: MeasuredMafalda): Sample[] => ofWorkers(mafalda, worker => worker[member]);
  return { name, type: 'gauge', help, labels: ['worker'], read };
}

function ofWorkers(mafalda: MafaldaApi, figure: (worker: WorkerLoad) => number): Sample[] {
  return mafalda.loadReport.workers.map(worker => ({ value: figure(worker), labels: { worker: worker.id } }));
}

function ofNodes(mafalda: MafaldaApi, figure: (node: NodeStatistics) => number): Sample[] {
  return statisticsOf(mafalda).nodes.map(node => ({ value: figure(node), labels: { node: node.id } }));
}

/** Returns a sample of the directory; none if the controller was given none that counts. */
function ofDirectory(mafalda: MafaldaApi, figure: (directory: DirectoryStatistics) => number): Sample[] {
  const { directory } = statisticsOf(mafalda);
  return directory ? [{ value: figure(directory) }] : [];
}

/** Returns samples of the machine; none before a remote one has reported. */
function ofHost(mafalda: MafaldaApi, samples: (host: HostLoad) => Sample[]): Sample[] {
  const [host] = mafalda.loadReport.hosts;
  return host ? samples(host) : [];
}
