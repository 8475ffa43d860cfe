/**
 * Counts the users that want a stream in a Router: Consumers that are not paused, RtpObservers, and users that are
 * being made.
 */
import type { Consumer, DataConsumer, RtpObserver } from 'mediasoup/types';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';

/** Object that keeps a stream flowing into a Router, unless it is paused. */
export type Watcher = Consumer | DataConsumer | RtpObserver;

/**
 * Called when the first watcher has begun to want a stream in a Router, or the last has ceased to.
 * @param watcher undefined while it is being made
 */
type OnChange = (streamId: string, routerId: string, watcher: Watcher | undefined) => void;

/** State of an RtpObserver. */
interface Wishes {
  readonly watcher: RtpObserver;
  readonly routerId: string;
  /** Ids of the observed streams, each with whether the RtpObserver is counted for it. */
  readonly streams: Map<string, boolean>;
}

/**
 * State of a Consumer or DataConsumer, kept small since there are many: it wants a single stream as long as it lives.
 */
interface Wish {
  readonly routerId: string;
  readonly streamId: string;
  isCounted: boolean;
}

export class Watchers {
  readonly #onChange: OnChange;
  /** Number of users that want a stream, by the Router's id and the stream's. */
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #consumers = new Map<object, Wish>();
  readonly #observers = new Map<object, Wishes>();
  /** RtpObservers that may have been given Producers before they were seen here, by the Router's id. */
  readonly #unknown = new Map<string, Set<RtpObserver>>();

  /**
   * @param seesAll whether no object can be older than the tree: else the Producers of an RtpObserver are known only
   * after {@link observerIsNew}
   */
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

  /**
   * Counts a user that is being made.
   * @returns to be called once, when the user exists or its creation has failed
   */
  expect(streamId: string, routerId: string): () => void {
    this.#count(streamId, routerId, 1, undefined);
    return () => this.#count(streamId, routerId, -1, undefined);
  }

  /** Records that the RtpObserver has only just been made: all Producers that it observes are known. */
  observerIsNew(rtpObserver: RtpObserver): void {
    for (const [routerId, observers] of this.#unknown)
      if (observers.delete(rtpObserver) && observers.size === 0) this.#unknown.delete(routerId);
  }

  /**
   * Checks whether a watcher has been paused or resumed: mediasoup emits no event for a watcher whose Producer is
   * paused.
   */
  look(watcher: Watcher): void {
    // An object that the tree no longer shows keeps its listeners, and is not known here.
    const wish = this.#consumers.get(watcher);
    if (wish && wish.isCounted === watcher.paused) {
      wish.isCounted = !watcher.paused;
      this.#count(wish.streamId, wish.routerId, wish.isCounted ? 1 : -1, watcher);
    }
    const wishes = this.#observers.get(watcher);
    if (wishes) for (const id of wishes.streams.keys()) this.#recount(wishes, id);
  }

  #added(node: TreeNode, seesAll: boolean): void {
    const router = node.type === 'rtpObserver' ? node.parent : node.parent?.parent;
    if (router?.type !== 'router') return;
    if (node.type === 'consumer') {
      const look = this.#follow(node.object, router.id, node.object.producerId);
      if (look) node.object.on('producerresume', look);
    } else if (node.type === 'dataConsumer') {
      const look = this.#follow(node.object, router.id, node.object.dataProducerId);
      if (look) node.object.on('dataproducerresume', look);
    } else if (node.type === 'rtpObserver' && !this.#observers.has(node.object))
      this.#observe(node, router.id, seesAll);
  }

  #observe({ object, observed }: TreeNode<'rtpObserver'>, routerId: string, seesAll: boolean): void {
    const wishes: Wishes = { watcher: object, routerId, streams: new Map([...observed].map(id => [id, false])) };
    this.#observers.set(object, wishes);
    const look = (): void => this.look(object);
    look();
    object.observer.on('pause', look).on('resume', look);
    object.observer.on('addproducer', ({ id }) => {
      if (!wishes.streams.has(id)) wishes.streams.set(id, false);
      this.#recount(wishes, id);
    });
    object.observer.on('removeproducer', ({ id }) => {
      const isCounted = wishes.streams.get(id);
      wishes.streams.delete(id);
      if (isCounted && this.#observers.has(object)) this.#count(id, routerId, -1, object);
    });
    if (!seesAll) this.#unknown.set(routerId, (this.#unknown.get(routerId) ?? new Set()).add(object));
  }

  #removed(object: object): void {
    const wish = this.#consumers.get(object);
    this.#consumers.delete(object);
    if (wish?.isCounted) this.#count(wish.streamId, wish.routerId, -1, object as Watcher);
    const wishes = this.#observers.get(object);
    if (!wishes) return;
    this.#observers.delete(object);
    for (const [id, isCounted] of wishes.streams) if (isCounted) this.#count(id, wishes.routerId, -1, wishes.watcher);
    this.observerIsNew(object as RtpObserver);
  }

  /**
   * Begins to follow a Consumer.
   * @returns to be called when the Consumer may have been paused or resumed; undefined if it is followed already
   */
  #follow(consumer: Consumer | DataConsumer, routerId: string, streamId: string): (() => void) | undefined {
    if (this.#consumers.has(consumer)) return undefined;
    this.#consumers.set(consumer, { routerId, streamId, isCounted: false });
    const look = (): void => this.look(consumer);
    look();
    (consumer.observer as Consumer['observer']).on('pause', look).on('resume', look);
    return look;
  }

  #recount(wishes: Wishes, streamId: string): void {
    const { watcher, routerId, streams } = wishes;
    const wants = !watcher.paused;
    if (!this.#observers.has(watcher) || streams.get(streamId) === wants) return;
    streams.set(streamId, wants);
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
