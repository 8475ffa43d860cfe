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
interface ObserverState {
  readonly watcher: RtpObserver;
  readonly routerId: string;
  /** Ids of the observed streams, each with whether the RtpObserver is counted for it. */
  readonly streams: Map<string, boolean>;
}

/**
 * State of a Consumer or DataConsumer, kept small since there are many: it wants a single stream as long as it lives.
 */
interface ConsumerState {
  readonly routerId: string;
  readonly streamId: string;
  isCounted: boolean;
}

export class Watchers {
  readonly #onChange: OnChange;
  /** Number of users that want a stream, by the Router's id and the stream's. */
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #consumers = new Map<object, ConsumerState>();
  readonly #observers = new Map<object, ObserverState>();
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
  update(watcher: Watcher): void {
    // An object that the tree no longer shows keeps its listeners, and is not known here.
    const consumerState = this.#consumers.get(watcher);
    if (consumerState && consumerState.isCounted === watcher.paused) {
      consumerState.isCounted = !watcher.paused;
      this.#count(consumerState.streamId, consumerState.routerId, consumerState.isCounted ? 1 : -1, watcher);
    }
    const observerState = this.#observers.get(watcher);
    if (observerState) for (const id of observerState.streams.keys()) this.#recount(observerState, id);
  }

  #added(node: TreeNode, seesAll: boolean): void {
    const router = node.type === 'rtpObserver' ? node.parent : node.parent?.parent;
    if (router?.type !== 'router') return;
    if (node.type === 'consumer') {
      const update = this.#follow(node.object, router.id, node.object.producerId);
      if (update) node.object.on('producerresume', update);
    } else if (node.type === 'dataConsumer') {
      const update = this.#follow(node.object, router.id, node.object.dataProducerId);
      if (update) node.object.on('dataproducerresume', update);
    } else if (node.type === 'rtpObserver' && !this.#observers.has(node.object))
      this.#observe(node, router.id, seesAll);
  }

  #observe({ object, observed }: TreeNode<'rtpObserver'>, routerId: string, seesAll: boolean): void {
    const observerState: ObserverState = {
      watcher: object,
      routerId,
      streams: new Map([...observed].map(id => [id, false])),
    };
    this.#observers.set(object, observerState);
    const update = (): void => this.update(object);
    update();
    object.observer.on('pause', update).on('resume', update);
    object.observer.on('addproducer', ({ id }) => {
      if (!observerState.streams.has(id)) observerState.streams.set(id, false);
      this.#recount(observerState, id);
    });
    object.observer.on('removeproducer', ({ id }) => {
      const isCounted = observerState.streams.get(id);
      observerState.streams.delete(id);
      if (isCounted && this.#observers.has(object)) this.#count(id, routerId, -1, object);
    });
    if (!seesAll) this.#unknown.set(routerId, (this.#unknown.get(routerId) ?? new Set()).add(object));
  }

  #removed(object: object): void {
    const consumerState = this.#consumers.get(object);
    this.#consumers.delete(object);
    if (consumerState?.isCounted) this.#count(consumerState.streamId, consumerState.routerId, -1, object as Watcher);
    const observerState = this.#observers.get(object);
    if (!observerState) return;
    this.#observers.delete(object);
    for (const [id, isCounted] of observerState.streams)
      if (isCounted) this.#count(id, observerState.routerId, -1, observerState.watcher);
    this.observerIsNew(object as RtpObserver);
  }

  /**
   * Begins to follow a Consumer.
   * @returns to be called when the Consumer may have been paused or resumed; undefined if it is followed already
   */
  #follow(consumer: Consumer | DataConsumer, routerId: string, streamId: string): (() => void) | undefined {
    if (this.#consumers.has(consumer)) return undefined;
    this.#consumers.set(consumer, { routerId, streamId, isCounted: false });
    const update = (): void => this.update(consumer);
    update();
    (consumer.observer as Consumer['observer']).on('pause', update).on('resume', update);
    return update;
  }

  #recount(observerState: ObserverState, streamId: string): void {
    const { watcher, routerId, streams } = observerState;
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
