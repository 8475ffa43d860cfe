/** Counts what each Worker holds. */
import type { WorkerLoad } from '../api/load.ts';
import type { ObjectTree, ObjectType, TreeNode } from '../core/objectTree.ts';

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
