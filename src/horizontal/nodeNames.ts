/** Names of nodes: their ids, their URLs, and other URLs of the same servers. */
import type { ClusterNode } from './clusterNode.ts';

export class NodeNames {
  readonly #nodes: () => Iterable<ClusterNode>;
  readonly #byName = new Map<string, ClusterNode>();

  /** @param nodes returns all nodes */
  constructor(nodes: () => Iterable<ClusterNode>) {
    this.#nodes = nodes;
  }

  find(name: string): ClusterNode | undefined {
    return this.#byName.get(name);
  }

  /** Gives a node its name, unless another node has that. */
  add(node: ClusterNode): void {
    if (!this.#byName.has(node.id)) this.#byName.set(node.id, node);
  }

  /** Gives a node another URL as a name, which was another node's. */
  addAlias(node: ClusterNode, url: string): void {
    node.aliases.add(url);
    this.#byName.set(url, node);
  }

  /** Frees the names of a node that is gone, or gives them to another node that has them as well. */
  delete(node: ClusterNode): void {
    for (const name of [node.id, ...node.aliases]) {
      if (this.#byName.get(name) !== node) continue;
      this.#byName.delete(name);
      const other = [...this.#nodes()].find(({ id, aliases }) => id === name || aliases.has(name));
      if (other) this.#byName.set(name, other);
    }
  }
}
