/**
 * Lets a pipe flow only while somebody at its destination wants the stream: else its Consumer, at the source's end, is paused. A pipe of
 * video is woken when somebody is there and not paused, so that the key frame which that asks for is of use: see
 * docs/decisions/sleeping-pipes.md.
 *
 * Everybody who sees both ends of a pipe watches over it: the MafaldaRouter of a machine over the pipes between its Workers, each
 * MafaldaHorizontal over those between its nodes. The one whose own call has changed something acts at once; the others look a while later
 * whether that was done, and do it if it wasn't.
 */
import type { Consumer, DataConsumer, Router, RtpObserver } from 'mediasoup/types';
import { GraceTimers } from '../../core/graceTimers.ts';
import { logger } from '../../core/logger.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';
import type { Streams } from '../streams.ts';
import { watchOwnCalls } from './ownCalls.ts';
import { ShownScores } from './shownScores.ts';
import { Watchers, type Watcher } from './watchers.ts';

const log = logger('flow');

/** A viewer that is closed and made anew is not worth two messages. */
const SLEEP_AFTER_MS = 200;
/** Longer than it takes the one whose call it was. Not the same for all who look, so that mostly one of them acts. */
const LOOK_AFTER_MS = 1500;
const LOOK_SPREAD_MS = 1000;

/** The Consumer of a pipe, in the source's end of the link. */
type PipeConsumer = Consumer | DataConsumer;

interface Pipe {
  readonly consumer: PipeConsumer;
  readonly streamId: string;
  readonly from: Router;
  /** The id of the Router at its other end. */
  readonly to: string;
  /** Whether calls of ours need it: then it has to be kept awake for us, also where it is awake for others. */
  isClaimed: boolean;
  /** The word that its source's server got from us last. Where others want the pipe, it flows on. */
  told: 'flow' | 'sleep' | undefined;
}

export interface PipeFlowOptions {
  tree: ObjectTree;
  streams: Streams;
  /** Pipes within a domain are somebody else's. */
  domainOf: (router: Router) => unknown;
  /** Whether nobody else can do anything in these Routers: then each change is by a call of ours. */
  alone: boolean;
}

export class PipeFlow {
  readonly #options: PipeFlowOptions;
  readonly #watchers: Watchers;
  readonly #scores: ShownScores;
  /** By the id of the Router that they lead to, and the stream's. */
  readonly #pipes = new Map<string, Map<string, Set<Pipe>>>();
  readonly #byConsumer = new Map<object, Pipe>();
  readonly #acting = new Map<Pipe, Promise<void>>();
  /** What calls of ours have made, paused or resumed. */
  readonly #own = new WeakSet<object>();
  readonly #soon = new GraceTimers<Pipe>(SLEEP_AFTER_MS, pipe => void this.#settle(pipe));
  readonly #later = new GraceTimers<Pipe>(LOOK_AFTER_MS + Math.random() * LOOK_SPREAD_MS, pipe => void this.#settle(pipe));

  constructor(options: PipeFlowOptions) {
    const { tree, alone } = options;
    this.#options = options;
    this.#watchers = new Watchers(tree, alone, (...change) => this.#onChange(...change));
    this.#scores = new ShownScores({ tree, streams: options.streams, isAsleep: (streamId, router) => this.#isAsleep(streamId, router) });
    const add = (node: TreeNode): void => this.#added(node);
    for (const node of tree.nodes()) add(node);
    tree.on('add', add).on('remove', ({ object }) => this.#removed(object));
    watchOwnCalls(tree, { streams: options.streams, domainOf: options.domainOf, flow: this });
  }

  close(): void {
    this.#soon.clear();
    this.#later.clear();
  }

  /** Whether a pipe that is made now is to sleep at first: if not, there is somebody who must not miss what comes until it is there. */
  startsAsleep(streamId: string, destination: Router): boolean {
    return !this.#watchers.isWanted(streamId, destination.id, false);
  }

  /** An RtpObserver that we have made: nobody has given it anything before. */
  isOurs(rtpObserver: RtpObserver): void {
    this.#own.add(rtpObserver);
    this.#watchers.observerIsNew(rtpObserver);
  }

  /**
   * Keeps the stream flowing into a Router for somebody who will want it in a moment: through all pipes on its way, at once.
   * @returns `flowing`, which resolves when it does; `release`, to be called when that one is there or will never be
   */
  expect(streamId: string, router: Router): { flowing: () => Promise<void>; release: () => void } {
    const routerIds = [...this.#pathTo(streamId, router)];
    const releases = routerIds.map(id => this.#watchers.expect(streamId, id));
    // Also where it is wanted already: that may be by others.
    for (const id of routerIds) this.#onChange(streamId, id, undefined);
    return {
      flowing: async () => {
        // It may have been brought here in the meantime.
        const pipes = [...this.#pathTo(streamId, router)].flatMap(id => this.#pipesTo(id, streamId));
        await Promise.all(pipes.map(pipe => this.#settle(pipe)));
      },
      release: () => {
        for (const release of releases) release();
      },
    };
  }

  /** Its pipe has been asked for awake by us. */
  isAwake(consumer: PipeConsumer): void {
    const pipe = this.#byConsumer.get(consumer);
    if (pipe) pipe.told = 'flow';
  }

  /** Somebody's own call has made, paused or resumed it. */
  touched(watcher: Watcher, streamId: string, routerId: string): void {
    this.#own.add(watcher);
    this.#watchers.look(watcher);
    this.#onChange(streamId, routerId, watcher);
  }

  #added(node: TreeNode): void {
    if (node.type === 'router') {
      // Those that lead here could not be judged before.
      for (const pipes of this.#pipes.get(node.id)?.values() ?? []) for (const pipe of pipes) this.#look(pipe);
      return;
    }
    if (node.type !== 'consumer' && node.type !== 'dataConsumer') return;
    const { object: consumer, parent: transport } = node;
    const to = transport?.type === 'transport' ? linkedRouterId(transport.object) : undefined;
    if (to === undefined || transport?.parent?.type !== 'router' || this.#byConsumer.has(consumer)) return;
    const streamId = node.type === 'consumer' ? node.object.producerId : node.object.dataProducerId;
    const pipe: Pipe = { consumer, streamId, from: transport.parent.object, to, isClaimed: false, told: undefined };
    this.#byConsumer.set(consumer, pipe);
    const byStream = this.#pipes.get(to) ?? new Map<string, Set<Pipe>>();
    this.#pipes.set(to, byStream.set(streamId, (byStream.get(streamId) ?? new Set()).add(pipe)));
    const changed = (): void => this.#scores.pipeChanged(streamId);
    (consumer.observer as Consumer['observer']).on('pause', changed).on('resume', changed);
    // Two who know differently, or one who has not heard yet: whoever sees that it is missed wakes it. Nobody undoes that.
    (consumer.observer as Consumer['observer']).on('pause', () => this.#isWanted(pipe) && void this.#settle(pipe));
    this.#look(pipe);
  }

  #removed(object: object): void {
    const pipe = this.#byConsumer.get(object);
    if (!pipe) return;
    this.#byConsumer.delete(object);
    for (const timers of [this.#soon, this.#later]) timers.cancel(pipe);
    const byStream = this.#pipes.get(pipe.to);
    const pipes = byStream?.get(pipe.streamId);
    pipes?.delete(pipe);
    if (pipes?.size === 0) byStream?.delete(pipe.streamId);
    if (byStream?.size === 0) this.#pipes.delete(pipe.to);
  }

  /** One that is new here: wakes it if it is missed; that nobody wants it may only be not known yet. */
  #look(pipe: Pipe): void {
    if (this.#isWanted(pipe)) void this.#settle(pipe);
    else this.#later.start(pipe);
  }

  #onChange(streamId: string, routerId: string, watcher: Watcher | undefined): void {
    const isOurs = this.#options.alone || watcher === undefined || this.#own.has(watcher);
    for (const pipe of this.#pipesTo(routerId, streamId)) {
      const isWanted = this.#isWanted(pipe);
      if (isWanted) this.#soon.cancel(pipe);
      if (isWanted && isOurs && !watcher?.paused) pipe.isClaimed = !this.#options.alone;
      if (!this.#isDue(pipe)) this.#later.cancel(pipe);
      else if (!isOurs) this.#later.start(pipe);
      else if (isWanted) void this.#settle(pipe);
      else this.#soon.start(pipe);
    }
  }

  /** Makes it flow, or sleep, if it doesn't. Never rejects. */
  async #settle(pipe: Pipe): Promise<void> {
    await (this.#acting.get(pipe) ?? this.#begin(pipe));
  }

  #begin(pipe: Pipe): Promise<void> | undefined {
    const { consumer } = pipe;
    if (!this.#byConsumer.has(consumer) || !this.#isOurBusiness(pipe) || !this.#isDue(pipe)) return undefined;
    this.#own.add(consumer);
    const acting = this.#act(pipe).finally(() => this.#acting.delete(pipe));
    this.#acting.set(pipe, acting);
    return acting;
  }

  async #act(pipe: Pipe): Promise<void> {
    const { consumer } = pipe;
    // Meanwhile it may have become otherwise.
    while (!consumer.closed && this.#isDue(pipe)) {
      const isWanted = this.#isWanted(pipe);
      pipe.told = isWanted ? 'flow' : 'sleep';
      if (!isWanted) pipe.isClaimed = false;
      try {
        await (isWanted ? consumer.resume() : consumer.pause());
      } catch (error) {
        if (consumer.closed) return;
        log('pipe of %s to router %s: %o', pipe.streamId, pipe.to, error);
        pipe.told = undefined;
        this.#later.start(pipe);
        return;
      }
    }
  }

  /** Whether there is something to tell its source's server. */
  #isDue(pipe: Pipe): boolean {
    const { consumer, isClaimed, told } = pipe;
    // What we have said before is taken back: its source's server may go by it when others who want it are gone.
    if (this.#isWanted(pipe)) return consumer.paused || told === 'sleep' || (isClaimed && told !== 'flow');
    return !consumer.paused && told !== 'sleep';
  }

  #isWanted({ consumer, streamId, to }: Pipe): boolean {
    return this.#watchers.isWanted(streamId, to, 'kind' in consumer && consumer.kind === 'audio');
  }

  /** Only where both Routers are known, and nobody below sees them both. */
  #isOurBusiness({ from, to }: Pipe): boolean {
    const { tree, domainOf } = this.#options;
    const remote = tree.routers.get(to);
    return remote !== undefined && tree.nodeOf<'router'>(from) !== undefined && domainOf(from) !== domainOf(remote);
  }

  /** Whether nothing comes through since nobody wants it. */
  #isAsleep(streamId: string, router: Router): boolean {
    return [...this.#pathTo(streamId, router)].some(id => {
      const pipes = this.#pipesTo(id, streamId);
      return pipes.length > 0 && pipes.every(({ consumer }) => consumer.paused);
    });
  }

  #pipesTo(routerId: string, streamId: string): Pipe[] {
    return [...(this.#pipes.get(routerId)?.get(streamId) ?? [])];
  }

  /** The Routers that the stream comes through, from the last one on. */
  #pathTo(streamId: string, router: Router): Set<string> {
    const { streams } = this.#options;
    const path = new Set<string>();
    // Bounded, since each is there once.
    for (let id: string | undefined = router.id; id !== undefined && !path.has(id); id = streams.sourceOf(streamId, id)) path.add(id);
    return path;
  }
}
