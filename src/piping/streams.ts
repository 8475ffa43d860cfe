/**
 * Which Router has which stream: read off an ObjectTree, where streams come and go as Producers and DataProducers.
 *
 * A stream is what the application has produced: its origin. What pipes have made of it elsewhere are copies, which bear the
 * same id and live a little longer, since word of its end has to reach them. A copy counts as the stream as long as
 * nothing is known of its end: also where the origin is on a node that can't be seen, or can't be seen yet. From the
 * moment on at which the place that it comes from is known to have gone, it is nothing but a leftover, whose id is free again.
 */
import type { DataProducer, Producer, Router } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../core/objectTree.ts';
import { linkedRouterId } from './endpoint.ts';

/** How many ends are remembered: copies of which word was on its way at that time are seen a moment later. */
const MAX_ENDINGS = 1000;

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
  readonly node: TreeNode;
  /** Whether the place from which it is piped was ever seen here: if so, it has to be there still. */
  isSourceKnown: boolean;
}

/** Where a stream is. In a Router it is once, unless a pipe has just been made anew. */
class Places {
  /** The Producer itself, if it is in sight. */
  origin: Place | undefined;
  readonly #byRouter = new Map<string, Place[]>();

  get isEmpty(): boolean {
    return this.#byRouter.size === 0;
  }

  *[Symbol.iterator](): Generator<Place, void, undefined> {
    for (const places of this.#byRouter.values()) yield* places;
  }

  in(routerId: string): readonly Place[] {
    return this.#byRouter.get(routerId) ?? [];
  }

  add(place: Place): void {
    const places = this.#byRouter.get(place.router.id);
    if (places) places.push(place);
    else this.#byRouter.set(place.router.id, [place]);
    if (!place.piped) this.origin = place;
  }

  /** @returns what was removed, if it was there */
  remove(routerId: string, node: TreeNode): Place | undefined {
    const places = this.in(routerId);
    const place = places.find(other => other.node === node);
    if (!place) return undefined;
    if (places.length > 1) this.#byRouter.set(routerId, places.filter(other => other !== place));
    else this.#byRouter.delete(routerId);
    if (this.origin === place) this.origin = [...this].find(({ piped }) => !piped);
    return place;
  }

  /** Whether nothing has gone on the way from the stream's own Producer, as far as that is in sight. */
  isSupplied(place: Place): boolean {
    let current = place;
    // Bounded, since a stream that comes back to where it was is no tree.
    for (let depth = 0; depth <= this.#byRouter.size; ++depth) {
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
  /** Streams that have ended in a Router, the latest last. */
  readonly #endings = new Set<string>();
  /** The ids of what ends while the application is closing something. */
  #endingHere: Set<string> | undefined;

  /** @param tree what is watched, for as long as it lives */
  constructor(tree: ObjectTree) {
    for (const node of tree.nodes()) this.#add(node);
    tree.on('add', node => this.#add(node)).on('remove', node => this.#remove(node));
  }

  /** Where a stream is at present, its origin first if that is in sight. What is left of one that has ended is left out. */
  find(id: string): StreamInRouter[] {
    const places = this.#byId.get(id);
    if (!places) return [];
    const found = [...places].filter(place => places.isSupplied(place));
    return found.length > 1 ? found.sort((a, b) => Number(a.piped) - Number(b.piped)) : found;
  }

  /** The first of these: where there are many, one tells what the stream is. */
  first(id: string): StreamInRouter | undefined {
    const places = this.#byId.get(id);
    if (!places) return undefined;
    if (places.origin && places.isSupplied(places.origin)) return places.origin;
    for (const place of places) if (places.isSupplied(place)) return place;
    return undefined;
  }

  /** The stream in this Router, if it is there. */
  inRouter(id: string, router: Router): StreamInRouter | undefined {
    const places = this.#byId.get(id);
    return places?.in(router.id).find(place => place.router === router && places.isSupplied(place));
  }

  /** The Router from which a pipe brings the stream into this one, if one does. */
  sourceOf(id: string, routerId: string): string | undefined {
    const places = this.#byId.get(id);
    return places?.in(routerId).find(place => places.isSupplied(place))?.from;
  }

  /** What a pipe has made of a stream in a Router, the latest if there are several, and also if it is about to close. */
  findPiped(id: string, to: Router, from: string): StreamInRouter | undefined {
    return this.#byId.get(id)?.in(to.id).findLast(place => place.router === to && place.from === from);
  }

  /** Whether the Producer itself is there, rather than only what pipes have made of it. */
  hasOrigin(id: string): boolean {
    return this.first(id)?.piped === false;
  }

  /** Whether nothing of it is there any more, nor anything that is left of it. */
  isGone(id: string): boolean {
    return !this.#byId.has(id);
  }

  /** The Producer of an id: the original one rather than what pipes made of it. */
  producer(id: string): Producer | undefined {
    const producer = this.first(id)?.producer;
    return producer && 'kind' in producer ? producer : undefined;
  }

  /**
   * Runs what produces a stream with an id that the application has chosen.
   * @throws {TypeError} if there is one already: a Router would notice, Routers in several places don't
   */
  async produce<T>(id: unknown, produce: () => Promise<T>): Promise<T> {
    if (typeof id !== 'string' || id === '') return produce();
    if (this.#producing.has(id) || this.first(id)) throw new TypeError(`a Producer with same id "${id}" already exists`);
    this.#producing.add(id);
    try {
      return await produce();
    } finally {
      this.#producing.delete(id);
    }
  }

  /**
   * Runs what the application closes here. The copies of what ends by that close at once: they need not wait for word of it, and
   * a node that is told hears of it before anything else that is asked of it from here.
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
    if ((node.type !== 'producer' && node.type !== 'dataProducer') || transport?.type !== 'transport' || transport.parent?.type !== 'router') return;
    const { id, object: producer } = node;
    const router = transport.parent.object;
    const from = linkedRouterId(transport.object);
    const isSourceKnown = from !== undefined && this.#endings.has(endingKey(from, id));
    const place: Place = { node, id, producer, router, piped: from !== undefined, from, isSourceKnown };
    const places = this.#byId.get(id) ?? new Places();
    for (const other of places) if (other.from === router.id) other.isSourceKnown = true;
    if (from !== undefined && places.in(from).length > 0) place.isSourceKnown = true;
    places.add(place);
    this.#byId.set(id, places);
    this.#endings.delete(endingKey(router.id, id));
  }

  #remove(node: TreeNode): void {
    const { id } = node;
    const places = this.#byId.get(id);
    const routerId = node.parent?.parent?.id;
    const place = routerId === undefined ? undefined : places?.remove(routerId, node);
    if (!places || !place) return;
    if (places.isEmpty) this.#byId.delete(id);
    // Of what was lost with its Router, or is only out of sight, nobody knows whether it has ended.
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
