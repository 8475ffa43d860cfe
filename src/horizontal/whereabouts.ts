/** In which Router something is, by its id: what `placement.near` may name. */
import type { Router } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';

/** Streams are in several Routers, where pipes have brought them; Transports and Consumers in one. */
const located: readonly TreeNode['type'][] = ['producer', 'dataProducer', 'transport', 'consumer', 'dataConsumer'];

export class Whereabouts {
  readonly #byId = new Map<string, Map<TreeNode, Router>>();

  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#remove(node));
  }

  /** Of what is unknown, none. */
  routersOf(id: string): Router[] {
    return [...(this.#byId.get(id)?.values() ?? [])];
  }

  #add(node: TreeNode): void {
    if (!located.includes(node.type)) return;
    const router = node.type === 'transport' ? node.parent : node.parent?.parent;
    if (router?.type !== 'router') return;
    const nodes = this.#byId.get(node.id) ?? new Map<TreeNode, Router>();
    this.#byId.set(node.id, nodes.set(node, router.object));
  }

  #remove(node: TreeNode): void {
    const nodes = this.#byId.get(node.id);
    if (nodes?.delete(node) && nodes.size === 0) this.#byId.delete(node.id);
  }
}
