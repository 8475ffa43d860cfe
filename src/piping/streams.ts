/**
 * Index of the Routers that have each stream, read off an ObjectTree, where streams come and go as Producers and
 * DataProducers.
 *
 * A stream is produced by the application: its origin. Copies, made by pipes elsewhere, bear the same id and live a
 * little longer, since word of the stream's end has to reach them. A copy counts as the stream as long as its end is
 * not known, also while its origin is on a node that is out of sight. Once the place that a copy comes from is known to
 * be gone, the copy is a leftover, whose id is free again.
 */
import type { DataProducer, Producer, Router } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';
import { linkedRouterId } from './endpoint.ts';

/**
 * Number of ended streams that are remembered: a copy whose announcement was on its way when the stream ended is seen a
 * moment later.
 */
const MAX_ENDINGS = 1000;

/** Stream in a Router: the origin, or a copy that a pipe has made. */
export interface StreamInRouter {
  readonly id: string;
  readonly producer: Producer | DataProducer;
  readonly router: Router;
  readonly piped: boolean;
  /** Id of the Router from which the stream is piped; undefined for the origin. */
  readonly from: string | undefined;
}

interface Place extends StreamInRouter {
  readonly node: TreeNode;
  /** Whether the place from which the stream is piped was ever seen here: if so, it must still be there. */
  isSourceKnown: boolean;
}

/** Places of a stream: at most a single place in each Router, unless a pipe has just been made anew. */
class Places {
  /** Place of the stream's origin, if it is in sight. */
  origin: Place | undefined;
  /** The first place, if it is the only one: most streams are in a single Router, and need no Map. */
  #only: Place | undefined;
  #byRouter: Map<string, Place[]> | undefined;

  get isEmpty(): boolean {
    return this.#only === undefined && (this.#byRouter?.size ?? 0) === 0;
  }

  *[Symbol.iterator](): Generator<Place, void, undefined> {
    if (this.#only) yield this.#only;
    for (const places of this.#byRouter?.values() ?? []) yield* places;
  }

  in(routerId: string): readonly Place[] {
    if (this.#only) return this.#only.router.id === routerId ? [this.#only] : [];
    return this.#byRouter?.get(routerId) ?? [];
  }

  add(place: Place): void {
    if (this.isEmpty) this.#only = place;
    else this.#addFurther(place);
    if (!place.piped) this.origin = place;
  }

  /** @returns the removed place; undefined if the node had none */
  remove(routerId: string, node: TreeNode): Place | undefined {
    const only = this.#only;
    if (only?.node === node) {
      this.#only = undefined;
      this.origin = undefined;
      return only;
    }
    const places = this.in(routerId);
    const place = places.find(other => other.node === node);
    if (!place || !this.#byRouter) return undefined;
    if (places.length > 1)
      this.#byRouter.set(
        routerId,
        places.filter(other => other !== place),
      );
    else this.#byRouter.delete(routerId);
    if (this.origin === place) this.origin = [...this].find(({ piped }) => !piped);
    return place;
  }

  #addFurther(place: Place): void {
    this.#byRouter ??= new Map();
    if (this.#only) this.#byRouter.set(this.#only.router.id, [this.#only]);
    this.#only = undefined;
    const places = this.#byRouter.get(place.router.id);
    if (places) places.push(place);
    else this.#byRouter.set(place.router.id, [place]);
  }

  /** Returns whether each place on the way from the stream's origin still exists, as far as the way is in sight. */
  isSupplied(place: Place): boolean {
    let current = place;
    // The loop is bounded, since the sources may form a circle.
    for (let depth = 0; depth <= (this.#byRouter?.size ?? 1); ++depth) {
      const { router, producer, from, isSourceKnown } = current;
      if (router.closed || producer.closed) return false;
      const source: Place | undefined = from === undefined ? undefined : this.in(from)[0];
      if (!source) return !isSourceKnown;
      current = source;
    }
    return true;
  }
}

export class Streams {
  readonly #byId = new Map<string, Places>();
  readonly #producing = new Set<string>();
  /** Keys of streams that have ended in a Router, the latest last. */
  readonly #endings = new Set<string>();
  /** Ids of the streams that end while the application closes an object. */
  #endingHere: Set<string> | undefined;

  /** @param tree is watched for as long as it lives */
  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#remove(node));
  }

  /**
   * Returns the present places of a stream, its origin first if that is in sight. Leftovers of an ended stream are left
   * out.
   */
  find(id: string): StreamInRouter[] {
    const places = this.#byId.get(id);
    if (!places) return [];
    const found = [...places].filter(place => places.isSupplied(place));
    return found.length > 1 ? found.sort((a, b) => Number(a.piped) - Number(b.piped)) : found;
  }

  /** Returns the first place that {@link find} would return, without a walk through all of them. */
  first(id: string): StreamInRouter | undefined {
    const places = this.#byId.get(id);
    if (!places) return undefined;
    if (places.origin && places.isSupplied(places.origin)) return places.origin;
    for (const place of places) if (places.isSupplied(place)) return place;
    return undefined;
  }

  /** Returns the stream in this Router, if it is there. */
  inRouter(id: string, router: Router): StreamInRouter | undefined {
    const places = this.#byId.get(id);
    return places?.in(router.id).find(place => place.router === router && places.isSupplied(place));
  }

  /** Returns the id of the Router from which a pipe brings the stream into this Router, if a pipe does. */
  sourceOf(id: string, routerId: string): string | undefined {
    const places = this.#byId.get(id);
    return places?.in(routerId).find(place => places.isSupplied(place))?.from;
  }

  /**
   * Returns the latest copy of a stream in a Router that is piped from another Router, also if the copy is about to
   * close.
   */
  findPiped(id: string, to: Router, from: string): StreamInRouter | undefined {
    return this.#byId
      .get(id)
      ?.in(to.id)
      .findLast(place => place.router === to && place.from === from);
  }

  /** Returns whether the stream's origin is in sight, rather than only copies. */
  hasOrigin(id: string): boolean {
    return this.first(id)?.piped === false;
  }

  /** Returns whether neither the stream nor a leftover of it exists. */
  isGone(id: string): boolean {
    return !this.#byId.has(id);
  }

  /** Returns the Producer of an id: the origin if it is in sight, else a copy. */
  producer(id: string): Producer | undefined {
    const producer = this.first(id)?.producer;
    return producer && 'kind' in producer ? producer : undefined;
  }

  /**
   * Produces a stream with an id that the application has chosen.
   * @throws {TypeError} as mediasoup's, if the id is in use, by either kind: a Router would notice, Routers in several places don't
   */
  async produce<T>(kind: 'Producer' | 'DataProducer', id: unknown, produce: () => Promise<T>): Promise<T> {
    if (typeof id !== 'string' || id === '') return produce();
    if (this.#producing.has(id) || this.first(id)) throw new TypeError(`a ${kind} with same id "${id}" already exists`);
    this.#producing.add(id);
    try {
      return await produce();
    } finally {
      this.#producing.delete(id);
    }
  }

  /**
   * Runs a close by the application. The copies of the streams that end by it close at once: they need not wait for
   * word of it, and a node hears of the end before all later requests from here.
   */
  endingHere(close: () => void): void {
    const outer = this.#endingHere;
    const ended = (this.#endingHere = new Set());
    try {
      close();
    } finally {
      this.#endingHere = outer;
    }
    for (const id of ended) {
      const places = this.#byId.get(id);
      for (const place of places ? [...places] : []) if (!places?.isSupplied(place)) place.producer.close();
    }
  }

  #add(node: TreeNode): void {
    const transport = node.parent;
    if (
      (node.type !== 'producer' && node.type !== 'dataProducer') ||
      transport?.type !== 'transport' ||
      transport.parent?.type !== 'router'
    )
      return;
    const { id, object: producer } = node;
    const router = transport.parent.object;
    const from = linkedRouterId(transport.object);
    const isSourceKnown = from !== undefined && this.#endings.has(endingKey(from, id));
    const place: Place = { node, id, producer, router, piped: from !== undefined, from, isSourceKnown };
    const known = this.#byId.get(id);
    const places = known ?? new Places();
    if (known) {
      for (const other of known) if (other.from === router.id) other.isSourceKnown = true;
      if (from !== undefined && known.in(from).length > 0) place.isSourceKnown = true;
    } else this.#byId.set(id, places);
    places.add(place);
    if (this.#endings.size > 0) this.#endings.delete(endingKey(router.id, id));
  }

  #remove(node: TreeNode): void {
    if (node.type !== 'producer' && node.type !== 'dataProducer') return;
    const { id } = node;
    const places = this.#byId.get(id);
    const routerId = node.parent?.parent?.id;
    const place = routerId === undefined ? undefined : places?.remove(routerId, node);
    if (!places || !place) return;
    if (places.isEmpty) this.#byId.delete(id);
    // A stream that was lost with its Router, or is only out of sight, may not have ended.
    if (!place.producer.closed || place.router.closed) return;
    if (places.in(place.router.id).length > 0) return;
    this.#endingHere?.add(id);
    this.#endings.add(endingKey(place.router.id, id));
    if (this.#endings.size <= MAX_ENDINGS) return;
    const [oldest] = this.#endings;
    this.#endings.delete(oldest!);
  }
}

function endingKey(routerId: string, id: string): string {
  return `${routerId} ${id}`;
}
