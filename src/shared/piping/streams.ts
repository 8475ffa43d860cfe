/** Which domain has which stream: read off an ObjectTree, where streams come and go as Producers and DataProducers. */
import type { DataProducer, Producer, Router } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../objectTree.ts';
import { linkedRouterId } from './endpoint.ts';

/** A stream in one Router: the Producer itself, or what a pipe has made of it in another Router. */
export interface StreamInRouter {
  readonly id: string;
  readonly producer: Producer | DataProducer;
  readonly router: Router;
  readonly piped: boolean;
  /** The Router from which it is piped. */
  readonly from: string | undefined;
}

export class Streams {
  readonly #byId = new Map<string, Map<TreeNode, StreamInRouter>>();
  readonly #producing = new Set<string>();

  /** @param tree what is watched, for as long as it lives */
  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#remove(node));
  }

  /** Where a stream is at present. */
  find(id: string): StreamInRouter[] {
    return [...(this.#byId.get(id)?.values() ?? [])];
  }

  /** The Producer of an id: the original one rather than what pipes made of it. */
  producer(id: string): Producer | undefined {
    const found = this.find(id).filter(({ producer }) => 'kind' in producer);
    return (found.find(({ piped }) => !piped) ?? found[0])?.producer as Producer | undefined;
  }

  /**
   * Runs what produces a stream with an id that the application has chosen.
   * @throws {TypeError} if there is one already: a Router would notice, Routers in several places don't
   */
  async produce<T>(id: unknown, produce: () => Promise<T>): Promise<T> {
    if (typeof id !== 'string' || id === '') return produce();
    if (this.#producing.has(id) || this.find(id).length > 0) throw new TypeError(`a Producer with same id "${id}" already exists`);
    this.#producing.add(id);
    try {
      return await produce();
    } finally {
      this.#producing.delete(id);
    }
  }

  #add(node: TreeNode): void {
    if (node.type !== 'producer' && node.type !== 'dataProducer') return;
    const transport = node.parent;
    if (transport?.type !== 'transport' || transport.parent?.type !== 'router') return;
    const places = this.#byId.get(node.id) ?? new Map<TreeNode, StreamInRouter>();
    this.#byId.set(node.id, places);
    const from = linkedRouterId(transport.object);
    places.set(node, { id: node.id, producer: node.object, router: transport.parent.object, piped: from !== undefined, from });
  }

  #remove(node: TreeNode): void {
    const places = this.#byId.get(node.id);
    if (!places?.delete(node)) return;
    if (places.size === 0) this.#byId.delete(node.id);
  }
}
