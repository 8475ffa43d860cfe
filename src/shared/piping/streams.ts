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

interface Place extends StreamInRouter {
  /** Whether the place from which it is piped was ever seen here: if so, it has to be there still. */
  isSourceKnown: boolean;
}

export class Streams {
  readonly #byId = new Map<string, Map<TreeNode, Place>>();
  readonly #producing = new Set<string>();

  /** @param tree what is watched, for as long as it lives */
  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#remove(node));
  }

  /** Where a stream is at present. What is about to close, since something on the way there has, is left out. */
  find(id: string): StreamInRouter[] {
    const places = this.#placesOf(id);
    return places.filter(place => isSupplied(place, places));
  }

  /** What a pipe has made of a stream in a Router, also if it is about to close. */
  findPiped(id: string, to: Router, from: string): StreamInRouter | undefined {
    return this.#placesOf(id).find(place => place.router === to && place.from === from);
  }

  /** Whether the Producer itself is there, rather than only what pipes have made of it. */
  hasOrigin(id: string): boolean {
    return this.find(id).some(({ piped }) => !piped);
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

  #placesOf(id: string): Place[] {
    return [...(this.#byId.get(id)?.values() ?? [])];
  }

  #add(node: TreeNode): void {
    if (node.type !== 'producer' && node.type !== 'dataProducer') return;
    const transport = node.parent;
    if (transport?.type !== 'transport' || transport.parent?.type !== 'router') return;
    const places = this.#byId.get(node.id) ?? new Map<TreeNode, Place>();
    this.#byId.set(node.id, places);
    const from = linkedRouterId(transport.object);
    const place: Place = { id: node.id, producer: node.object, router: transport.parent.object, piped: from !== undefined, from, isSourceKnown: false };
    for (const other of places.values()) {
      if (other.from === place.router.id) other.isSourceKnown = true;
      if (place.from === other.router.id) place.isSourceKnown = true;
    }
    places.set(node, place);
  }

  #remove(node: TreeNode): void {
    const places = this.#byId.get(node.id);
    if (!places?.delete(node)) return;
    if (places.size === 0) this.#byId.delete(node.id);
  }
}

/** Whether nothing has gone on the way from the stream's own Producer, as far as that is in sight. */
function isSupplied(place: Place, places: readonly Place[]): boolean {
  let current = place;
  // Bounded, since a stream that comes back to where it was is no tree.
  for (let depth = 0; depth <= places.length; ++depth) {
    const { router, producer, from, isSourceKnown } = current;
    if (router.closed || producer.closed) return false;
    const source = from === undefined ? undefined : places.find(other => other.router.id === from);
    if (!source) return !isSourceKnown;
    current = source;
  }
  return true;
}
