/** Index of the Routers of objects by the objects' ids, which `placement.near` may name. */
import type { Router } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';

/**
 * Types in the index. Streams are in several Routers, where pipes have brought them; Transports and Consumers in a
 * single Router.
 */
const located: readonly TreeNode['type'][] = ['producer', 'dataProducer', 'transport', 'consumer', 'dataConsumer'];

export class Whereabouts {
  /** Nodes by id. Nearly every id has a single node, without a Set, since there are many. */
  readonly #byId = new Map<string, TreeNode | Set<TreeNode>>();

  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#remove(node));
  }

  /** Returns the Routers of an object or stream; an empty array for unknown ids. */
  routersOf(id: string): Router[] {
    const found = this.#byId.get(id);
    const nodes = found instanceof Set ? [...found] : found ? [found] : [];
    return nodes.flatMap(node => routerOf(node)?.object ?? []);
  }

  #add(node: TreeNode): void {
    if (!routerOf(node)) return;
    const others = this.#byId.get(node.id);
    if (others instanceof Set) others.add(node);
    else this.#byId.set(node.id, others && others !== node ? new Set([others, node]) : node);
  }

  #remove(node: TreeNode): void {
    const nodes = this.#byId.get(node.id);
    if (nodes instanceof Set) nodes.delete(node);
    if (nodes === node || (nodes instanceof Set && nodes.size === 0)) this.#byId.delete(node.id);
  }
}

/** Returns the Router of a tree node; undefined for types that are not in the index. */
function routerOf(node: TreeNode): TreeNode<'router'> | undefined {
  if (!located.includes(node.type)) return undefined;
  const router = node.type === 'transport' ? node.parent : node.parent?.parent;
  return router?.type === 'router' ? router : undefined;
}
