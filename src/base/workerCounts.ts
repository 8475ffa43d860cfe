/** Numbers of the objects in each Worker, for load reports. */
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

type Counts = Omit<WorkerLoad, 'id' | 'cpu'>;

/**
 * Counts the objects in each Worker of a tree as they come and go: a load report is made every second, and a walk
 * through many objects would take long.
 */
export class WorkerCounts {
  /** Counts by the Worker's id, with the number of its tree nodes, the Worker's own among them. */
  readonly #byWorker = new Map<string, { counts: Counts; nodes: number }>();

  /** @param tree is watched for as long as it lives */
  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#count(node, 1);
    tree.on('add', node => this.#count(node, 1)).on('remove', node => this.#count(node, -1));
  }

  /**
   * Returns the load of each Worker.
   * @param cpuOf returns the CPU use of a Worker in percent of one core, by its id
   */
  loads(cpuOf: (workerId: string) => number): WorkerLoad[] {
    return [...this.#byWorker].map(([id, { counts }]) => ({ id, cpu: cpuOf(id), ...counts }));
  }

  #count(node: TreeNode, change: 1 | -1): void {
    const { id } = workerOf(node);
    const worker = this.#byWorker.get(id) ?? {
      counts: { routers: 0, transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0 },
      nodes: 0,
    };
    worker.nodes += change;
    const name = counted[node.type];
    if (name) worker.counts[name] += change;
    if (worker.nodes === 0) this.#byWorker.delete(id);
    else if (change === 1 && worker.nodes === 1) this.#byWorker.set(id, worker);
  }
}

function workerOf(node: TreeNode): TreeNode {
  return node.parent ? workerOf(node.parent) : node;
}
