/** How busy a Mafalda is: what placement decides by, and what an operator wants to see. */
import type { ObjectTree, ObjectType, TreeNode } from './objectTree.ts';

export interface WorkerLoad {
  id: string;
  /** Percent of one core. */
  cpu: number;
  routers: number;
  transports: number;
  producers: number;
  consumers: number;
  dataProducers: number;
  dataConsumers: number;
}

/** A machine with Workers. */
export interface HostLoad {
  cores: number;
  /** Percent of all cores, by whatever runs there. */
  cpu: number;
  /** In bytes. */
  memory: { total: number; free: number };
  /** Bytes since the machine was started, on all interfaces but loopback. Undefined where the system does not tell. */
  network?: { received: number; sent: number };
}

export interface LoadReport {
  /** Percent of all cores that the Workers take, and what is on its way. */
  load: number;
  workers: WorkerLoad[];
  hosts: HostLoad[];
}

const counted: Partial<Record<ObjectType, Exclude<keyof WorkerLoad, 'id' | 'cpu'>>> = {
  router: 'routers',
  transport: 'transports',
  producer: 'producers',
  consumer: 'consumers',
  dataProducer: 'dataProducers',
  dataConsumer: 'dataConsumers',
};

/** @param cpuOf percent of one core that a Worker takes, by its id */
export function workerLoads(tree: ObjectTree, cpuOf: (workerId: string) => number): WorkerLoad[] {
  const loads = new Map<string, WorkerLoad>();
  for (const node of tree.nodes()) {
    const id = workerOf(node).id;
    const load = loads.get(id) ?? emptyLoad(id, cpuOf(id));
    loads.set(id, load);
    const name = counted[node.type];
    if (name) ++load[name];
  }
  return [...loads.values()];
}

function emptyLoad(id: string, cpu: number): WorkerLoad {
  return { id, cpu, routers: 0, transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0 };
}

function workerOf(node: TreeNode): TreeNode {
  return node.parent ? workerOf(node.parent) : node;
}
