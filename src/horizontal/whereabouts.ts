/** Index of the Routers of objects by the objects' ids, which `placement.near` may name. */
import type { Router } from 'mediasoup/types';
import { Multimap } from '../core/multimap.ts';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';

/**
 * Types in the index. Streams are in several Routers, where pipes have brought them; Transports and Consumers in a
 * single Router.
 */
const located: readonly TreeNode['type'][] = ['producer', 'dataProducer', 'transport', 'consumer', 'dataConsumer'];

export class Whereabouts {
  readonly #byId = new Multimap<string, TreeNode>();

  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#byId.delete(node.id, node));
  }

  /** Returns the Routers of an object or stream; an empty array for unknown ids. */
  routersOf(id: string): Router[] {
    return this.#byId.get(id).flatMap(node => routerOf(node)?.object ?? []);
  }

  /**
   * Counts objects by their places.
   * @param placeOf returns the place of a Router
   * @returns the number of these objects in each place
   */
  count<Place>(ids: readonly string[], placeOf: (router: Router) => Place): Map<Place, number> {
    const counts = new Map<Place, number>();
    for (const id of ids)
      for (const place of new Set(this.routersOf(id).map(placeOf))) counts.set(place, (counts.get(place) ?? 0) + 1);
    return counts;
  }

  #add(node: TreeNode): void {
    if (routerOf(node)) this.#byId.add(node.id, node);
  }
}

/** Returns the Router of a tree node; undefined for types that are not in the index. */
function routerOf(node: TreeNode): TreeNode<'router'> | undefined {
  if (!located.includes(node.type)) return undefined;
  const router = node.type === 'transport' ? node.parent : node.parent?.parent;
  return router?.type === 'router' ? router : undefined;
}
