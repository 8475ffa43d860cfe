/**
 * Lets a pipe flow only while a user at its destination wants the stream; else the pipe's Consumer, at the source's
 * end, is paused. A pipe of video is woken when a viewer is there and not paused, so that the key frame for which
 * waking asks is of use: see docs/decisions/sleeping-pipes.md.
 *
 * Every observer that sees both ends of a pipe watches over it: the MafaldaRouter of a machine over the pipes between
 * its Workers, each MafaldaHorizontal over the pipes between its nodes. The observer whose own call has changed the
 * demand acts at once; the others check a while later whether that was done, and do it if not.
 */
import type { Consumer, DataConsumer, Router, RtpObserver } from 'mediasoup/types';
import { GraceTimers } from '../../core/graceTimers.ts';
import { logger } from '../../core/logger.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';
import type { Streams } from '../streams.ts';
import { watchOwnCalls } from './watchOwnCalls.ts';
import { ShownScores } from './shownScores.ts';
import { Watchers, type Watcher } from './watchers.ts';

const log = logger('flow');

/** Delay before a pipe sleeps: closing a viewer and making it anew is not worth two messages. */
const SLEEP_AFTER_MS = 200;
/**
 * Delay before an observer acts on a change by others: longer than the observer whose call it was takes to act.
 * CHECK_SPREAD_MS spreads the observers, so that mostly a single one of them acts.
 */
const CHECK_AFTER_MS = 1500;
const CHECK_SPREAD_MS = 1000;

/** Consumer of a pipe, in the source's end of the link. */
type PipeConsumer = Consumer | DataConsumer;

interface Pipe {
  readonly consumer: PipeConsumer;
  readonly streamId: string;
  readonly from: Router;
  /** Id of the destination's Router. */
  readonly to: string;
  /**
   * Whether calls of this process need the pipe: then its source must know that this process wants it awake, even while
   * it flows for others.
   */
  isClaimed: boolean;
  /**
   * Last state that this process has asked the source's server for. A pipe that others want flows on regardless of it.
   */
  lastSent: 'flow' | 'sleep' | undefined;
}

export interface PipeFlowOptions {
  tree: ObjectTree;
  streams: Streams;
  /** Returns a Router's domain; pipes within a domain are another MafaldaRouter's responsibility. */
  domainOf: (router: Router) => unknown;
  /** Whether only this process can change these Routers: then each change comes from a call of its own. */
  alone: boolean;
}

export class PipeFlow {
  readonly #options: PipeFlowOptions;
  readonly #watchers: Watchers;
  readonly #scores: ShownScores;
  /** Pipes by the id of the destination's Router and the stream's id. */
  readonly #pipes = new Map<string, Map<string, Set<Pipe>>>();
  readonly #byConsumer = new Map<object, Pipe>();
  readonly #acting = new Map<Pipe, Promise<void>>();
  /** Consumers and RtpObservers that calls of this process have made, paused or resumed. */
  readonly #ownWatchers = new WeakSet<object>();
  readonly #sleepTimers = new GraceTimers<Pipe>(SLEEP_AFTER_MS, pipe => void this.#settle(pipe));
  readonly #checkTimers = new GraceTimers<Pipe>(
    CHECK_AFTER_MS + Math.random() * CHECK_SPREAD_MS,
    pipe => void this.#settle(pipe),
  );

  constructor(options: PipeFlowOptions) {
    const { tree, alone } = options;
    this.#options = options;
    this.#watchers = new Watchers(tree, alone, (...change) => this.#onChange(...change));
    this.#scores = new ShownScores({
      tree,
      streams: options.streams,
      isAsleep: (streamId, router) => this.#isAsleep(streamId, router),
      mayBeSeen: routerId => !alone || tree.routers.has(routerId),
    });
    const add = (node: TreeNode): void => this.#added(node);
    for (const node of tree.nodes()) add(node);
    tree.on('add', add).on('remove', ({ object }) => this.#removed(object));
    watchOwnCalls(tree, { streams: options.streams, domainOf: options.domainOf, flow: this });
  }

  close(): void {
    this.#sleepTimers.clear();
    this.#checkTimers.clear();
  }

  /**
   * Returns whether a pipe that is made now begins asleep. Where a user waits already it does not, so that the user
   * misses nothing of the stream.
   */
  startsAsleep(streamId: string, destination: Router): boolean {
    return !this.#watchers.isWanted(streamId, destination.id, false);
  }

  /** Records an RtpObserver that this process has made: it observes no Producer yet. */
  markOwn(rtpObserver: RtpObserver): void {
    this.#ownWatchers.add(rtpObserver);
    this.#watchers.observerIsNew(rtpObserver);
  }

  /**
   * Keeps the stream flowing into a Router for a user that is being made: through all pipes on its way, at once.
   * @returns `flowing`, which resolves when the stream flows; `release`, to be called when the user exists or its
   * creation has failed
   */
  expect(streamId: string, router: Router): { flowing: () => Promise<void>; release: () => void } {
    const routerIds = [...this.#pathTo(streamId, router)];
    const releases = routerIds.map(id => this.#watchers.expect(streamId, id));
    // A pipe that is wanted already is checked too, since it may flow only for others.
    for (const id of routerIds) this.#onChange(streamId, id, undefined);
    return {
      flowing: async () => {
        // The path is read again, since the stream may have been brought here in the meantime.
        const pipes = [...this.#pathTo(streamId, router)].flatMap(id => this.#pipesTo(id, streamId));
        await Promise.all(pipes.map(pipe => this.#settle(pipe)));
      },
      release: () => {
        for (const release of releases) release();
      },
    };
  }

  /** Records that this process has asked for the Consumer's pipe awake. */
  markAwake(consumer: PipeConsumer): void {
    const pipe = this.#byConsumer.get(consumer);
    if (pipe) pipe.lastSent = 'flow';
  }

  /** Records that a call of this process has made, paused or resumed the watcher. */
  watcherChanged(watcher: Watcher, streamId: string, routerId: string): void {
    this.#ownWatchers.add(watcher);
    this.#watchers.update(watcher);
    this.#onChange(streamId, routerId, watcher);
  }

  #added(node: TreeNode): void {
    if (node.type === 'router') {
      // Pipes to this Router could not be judged before.
      for (const pipes of this.#pipes.get(node.id)?.values() ?? []) for (const pipe of pipes) this.#judgeNew(pipe);
      return;
    }
    if (node.type !== 'consumer' && node.type !== 'dataConsumer') return;
    const { object: consumer, parent: transport } = node;
    const to = transport?.type === 'transport' ? linkedRouterId(transport.object) : undefined;
    if (to === undefined || transport?.parent?.type !== 'router' || this.#byConsumer.has(consumer)) return;
    const streamId = node.type === 'consumer' ? node.object.producerId : node.object.dataProducerId;
    const pipe: Pipe = { consumer, streamId, from: transport.parent.object, to, isClaimed: false, lastSent: undefined };
    this.#byConsumer.set(consumer, pipe);
    const byStream = this.#pipes.get(to) ?? new Map<string, Set<Pipe>>();
    this.#pipes.set(to, byStream.set(streamId, (byStream.get(streamId) ?? new Set()).add(pipe)));
    const changed = (): void => this.#scores.pipeChanged(streamId);
    (consumer.observer as Consumer['observer']).on('pause', changed).on('resume', changed);
    // Controllers may disagree, and word of a viewer may be late: any observer that sees a pipe missed wakes it, and no
    // observer undoes that.
    (consumer.observer as Consumer['observer']).on('pause', () => this.#isWanted(pipe) && void this.#settle(pipe));
    this.#judgeNew(pipe);
  }

  #removed(object: object): void {
    const pipe = this.#byConsumer.get(object);
    if (!pipe) return;
    this.#byConsumer.delete(object);
    for (const timers of [this.#sleepTimers, this.#checkTimers]) timers.cancel(pipe);
    const byStream = this.#pipes.get(pipe.to);
    const pipes = byStream?.get(pipe.streamId);
    pipes?.delete(pipe);
    if (pipes?.size === 0) byStream?.delete(pipe.streamId);
    if (byStream?.size === 0) this.#pipes.delete(pipe.to);
  }

  /** Wakes a new pipe if it is missed. An unwanted pipe waits, since word of its users may be on its way. */
  #judgeNew(pipe: Pipe): void {
    if (this.#isWanted(pipe)) void this.#settle(pipe);
    else this.#checkTimers.start(pipe);
  }

  #onChange(streamId: string, routerId: string, watcher: Watcher | undefined): void {
    const isOwn = this.#options.alone || watcher === undefined || this.#ownWatchers.has(watcher);
    for (const pipe of this.#pipesTo(routerId, streamId)) {
      const isWanted = this.#isWanted(pipe);
      if (isWanted) this.#sleepTimers.cancel(pipe);
      if (isWanted && isOwn && !watcher?.paused) pipe.isClaimed = !this.#options.alone;
      if (!this.#isDue(pipe)) this.#checkTimers.cancel(pipe);
      else if (!isOwn) this.#checkTimers.start(pipe);
      else if (isWanted) void this.#settle(pipe);
      else this.#sleepTimers.start(pipe);
    }
  }

  /** Makes the pipe flow or sleep, as it is due. Never rejects. */
  async #settle(pipe: Pipe): Promise<void> {
    await (this.#acting.get(pipe) ?? this.#begin(pipe));
  }

  #begin(pipe: Pipe): Promise<void> | undefined {
    const { consumer } = pipe;
    if (!this.#byConsumer.has(consumer) || !this.#isResponsible(pipe) || !this.#isDue(pipe)) return undefined;
    this.#ownWatchers.add(consumer);
    const acting = this.#act(pipe).finally(() => this.#acting.delete(pipe));
    this.#acting.set(pipe, acting);
    return acting;
  }

  async #act(pipe: Pipe): Promise<void> {
    const { consumer } = pipe;
    // The loop checks again, since demand may have changed during the call.
    while (!consumer.closed && this.#isDue(pipe)) {
      const isWanted = this.#isWanted(pipe);
      pipe.lastSent = isWanted ? 'flow' : 'sleep';
      if (!isWanted) pipe.isClaimed = false;
      try {
        await (isWanted ? consumer.resume() : consumer.pause());
      } catch (error) {
        if (consumer.closed) return;
        log.warn('pipe of %s to router %s: %o', pipe.streamId, pipe.to, error);
        pipe.lastSent = undefined;
        this.#checkTimers.start(pipe);
        return;
      }
    }
  }

  /** Returns whether the source's server needs another message about the pipe. */
  #isDue(pipe: Pipe): boolean {
    const { consumer, isClaimed, lastSent } = pipe;
    // An earlier "sleep" is taken back even while the pipe flows: the source's server may act on it when the other
    // users of the pipe are gone.
    if (this.#isWanted(pipe)) return consumer.paused || lastSent === 'sleep' || (isClaimed && lastSent !== 'flow');
    return !consumer.paused && lastSent !== 'sleep';
  }

  #isWanted({ consumer, streamId, to }: Pipe): boolean {
    return this.#watchers.isWanted(streamId, to, 'kind' in consumer && consumer.kind === 'audio');
  }

  /**
   * Returns whether this observer is responsible for the pipe: both Routers are known here, and belong to different
   * domains.
   */
  #isResponsible({ from, to }: Pipe): boolean {
    const { tree, domainOf } = this.#options;
    const remote = tree.routers.get(to);
    return remote !== undefined && tree.nodeOf<'router'>(from) !== undefined && domainOf(from) !== domainOf(remote);
  }

  /** Returns whether a pipe on the stream's way into the Router sleeps. */
  #isAsleep(streamId: string, router: Router): boolean {
    return [...this.#pathTo(streamId, router)].some(id => {
      const pipes = this.#pipesTo(id, streamId);
      return pipes.length > 0 && pipes.every(({ consumer }) => consumer.paused);
    });
  }

  #pipesTo(routerId: string, streamId: string): Pipe[] {
    return [...(this.#pipes.get(routerId)?.get(streamId) ?? [])];
  }

  /** Returns the ids of the Routers that the stream comes through, from the destination's on. */
  #pathTo(streamId: string, router: Router): Set<string> {
    const { streams } = this.#options;
    const path = new Set<string>();
    // The loop is bounded, since each Router is visited once.
    for (let id: string | undefined = router.id; id !== undefined && !path.has(id); id = streams.sourceOf(streamId, id))
      path.add(id);
    return path;
  }
}
