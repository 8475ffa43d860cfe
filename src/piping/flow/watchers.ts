/** Counts who wants a stream in a Router: Consumers that are not paused, RtpObservers, and what is just being made of these. */
import type { Consumer, DataConsumer, RtpObserver } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';

/** What keeps a stream flowing into a Router, unless it is paused. */
export type Watcher = Consumer | DataConsumer | RtpObserver;

/** The first one has begun to want a stream in a Router, or the last one has ceased to. @param watcher undefined while it is being made */
type OnChange = (streamId: string, routerId: string, watcher: Watcher | undefined) => void;

/** What is known of a watcher. */
interface Wishes {
  readonly watcher: Watcher;
  readonly routerId: string;
  readonly streamIds: Set<string>;
  /** For which of them it is counted. */
  readonly counted: Set<string>;
}

export class Watchers {
  readonly #onChange: OnChange;
  /** How many want a stream, by the Router's id and the stream's. */
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #wishes = new Map<object, Wishes>();
  /** RtpObservers that may have been given anything before they were seen here, by the Router's id. */
  readonly #unknown = new Map<string, Set<RtpObserver>>();

  /** @param seesAll whether nothing can be older than the tree: else what an RtpObserver observes is known only after {@link observerIsNew} */
  constructor(tree: ObjectTree, seesAll: boolean, onChange: OnChange) {
    this.#onChange = onChange;
    const add = (node: TreeNode): void => this.#added(node, seesAll);
    for (const node of tree.nodes()) add(node);
    tree.on('add', add).on('remove', ({ object }) => this.#removed(object));
  }

  /** @param isAudio whether an RtpObserver can hear it */
  isWanted(streamId: string, routerId: string, isAudio: boolean): boolean {
    if (this.#counts.get(routerId)?.has(streamId)) return true;
    return isAudio && this.#unknown.has(routerId);
  }

  /** Counts somebody who is about to want the stream. @returns to be called once, when that one is there or will never be */
  expect(streamId: string, routerId: string): () => void {
    this.#count(streamId, routerId, 1, undefined);
    return () => this.#count(streamId, routerId, -1, undefined);
  }

  /** The RtpObserver has only just been made: what it observes is known from its beginning on. */
  observerIsNew(rtpObserver: RtpObserver): void {
    for (const [routerId, observers] of this.#unknown) if (observers.delete(rtpObserver) && observers.size === 0) this.#unknown.delete(routerId);
  }

  /** A watcher may have been paused or resumed: mediasoup does not tell that of one whose Producer is paused. */
  look(watcher: Watcher): void {
    for (const id of this.#wishes.get(watcher)?.streamIds ?? []) this.#recount(watcher, id);
  }

  #added(node: TreeNode, seesAll: boolean): void {
    const router = node.type === 'rtpObserver' ? node.parent : node.parent?.parent;
    if (router?.type !== 'router' || this.#wishes.has(node.object)) return;
    if (node.type === 'consumer') {
      const look = this.#follow(node.object, router.id, [node.object.producerId]);
      node.object.observer.on('pause', look).on('resume', look);
      node.object.on('producerresume', look);
    } else if (node.type === 'dataConsumer') {
      const look = this.#follow(node.object, router.id, [node.object.dataProducerId]);
      node.object.observer.on('pause', look).on('resume', look);
      node.object.on('dataproducerresume', look);
    } else if (node.type === 'rtpObserver') {
      const { object } = node;
      const look = this.#follow(object, router.id, node.observed);
      const { streamIds } = this.#wishes.get(object)!;
      object.observer.on('pause', look).on('resume', look);
      object.observer.on('addproducer', ({ id }) => void (streamIds.add(id), this.#recount(object, id)));
      object.observer.on('removeproducer', ({ id }) => void (streamIds.delete(id), this.#recount(object, id)));
      if (!seesAll) this.#unknown.set(router.id, (this.#unknown.get(router.id) ?? new Set()).add(object));
    }
  }

  #removed(object: object): void {
    const wishes = this.#wishes.get(object);
    if (!wishes) return;
    this.#wishes.delete(object);
    for (const id of wishes.counted) this.#count(id, wishes.routerId, -1, wishes.watcher);
    if ('removeProducer' in wishes.watcher) this.observerIsNew(wishes.watcher);
  }

  /** @returns to be called when it may have been paused or resumed */
  #follow(watcher: Watcher, routerId: string, streamIds: Iterable<string>): () => void {
    this.#wishes.set(watcher, { watcher, routerId, streamIds: new Set(streamIds), counted: new Set() });
    const look = (): void => this.look(watcher);
    look();
    return look;
  }

  /** An object that is only not shown here any more has its listeners still, and is not known. */
  #recount(watcher: Watcher, streamId: string): void {
    const wishes = this.#wishes.get(watcher);
    if (!wishes) return;
    const { routerId, streamIds, counted } = wishes;
    const wants = !watcher.paused && streamIds.has(streamId);
    if (wants === counted.has(streamId)) return;
    if (wants) counted.add(streamId);
    else counted.delete(streamId);
    this.#count(streamId, routerId, wants ? 1 : -1, watcher);
  }

  #count(streamId: string, routerId: string, change: 1 | -1, watcher: Watcher | undefined): void {
    const counts = this.#counts.get(routerId) ?? new Map<string, number>();
    const before = counts.get(streamId) ?? 0;
    const after = before + change;
    if (after > 0) counts.set(streamId, after);
    else counts.delete(streamId);
    if (counts.size > 0) this.#counts.set(routerId, counts);
    else this.#counts.delete(routerId);
    if (before === 0 || after === 0) this.#onChange(streamId, routerId, watcher);
  }
}
