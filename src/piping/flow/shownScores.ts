/**
 * Shows Consumers behind a sleeping pipe the scores of the stream itself. A Worker that gets no packets of a stream in
 * several layers takes the stream for dead after 1.5 s, and before its first packet it knows no score: both describe
 * the pipe, not the publisher.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Consumer, ConsumerScore, Producer, Router } from 'mediasoup/types';
import { copyOf } from '../../core/copies.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { isLinkTransport } from '../endpoint.ts';
import type { Streams } from '../streams.ts';

type Emitter = EnhancedEventEmitter<{ score: [ConsumerScore] }>;

/**
 * Origin of the news that a score may have changed: the Consumer's own Worker, whose word mediasoup passes on in any
 * case, the stream's origin, or a pipe on the way.
 */
type ScoreSource = 'worker' | 'origin' | 'pipe';

/** State of a Consumer whose scores are shown here. */
interface Shown {
  readonly consumer: Consumer;
  readonly router: Router;
  /** Reads the score that the Consumer's Worker reports. */
  readonly read: () => ConsumerScore;
  /** Emits the score to the application. */
  readonly emit: (score: ConsumerScore) => void;
  /** Layers without packets since a pipe on their way slept. */
  readonly silent: Set<number>;
  lastShown: ConsumerScore;
  /** Makes the Consumer show its scores from here on. */
  readonly install: () => void;
  /** Makes the Consumer as it was before. */
  readonly uninstall: () => void;
  /** Scores of a narrower view that were shown before: those of this machine, where a cluster has the Consumer too. */
  readonly narrower: Shown | undefined;
}

/** Scores that each Consumer shows at present. A cluster's view replaces that of a node in the same process. */
const present = new WeakMap<Consumer, Shown>();

export interface ShownScoresOptions {
  tree: ObjectTree;
  streams: Streams;
  /** Returns whether a pipe sleeps on the stream's way into that Router. */
  isAsleep: (streamId: string, router: Router) => boolean;
  /** Returns whether both ends of a pipe from the Router of this id are, or may come to be, in sight. */
  mayBeSeen: (routerId: string) => boolean;
}

export class ShownScores {
  readonly #options: ShownScoresOptions;
  readonly #byStream = new Map<string, Set<Shown>>();
  readonly #byConsumer = new Map<object, Shown>();

  constructor(options: ShownScoresOptions) {
    this.#options = options;
    const add = (node: TreeNode): void => this.#added(node);
    for (const node of options.tree.nodes()) add(node);
    options.tree.on('add', add).on('remove', ({ object }) => this.#removed(object));
  }

  /** Updates the scores after a pipe of the stream has fallen asleep or woken. */
  pipeChanged(streamId: string): void {
    for (const shown of this.#byStream.get(streamId) ?? []) this.#update(shown, 'pipe');
  }

  #added(node: TreeNode): void {
    if (
      node.parent?.type !== 'transport' ||
      isLinkTransport(node.parent.object) ||
      node.parent.parent?.type !== 'router'
    )
      return;
    if (node.type === 'producer') {
      const { object, id } = node;
      const onScore = (): void => this.#originChanged(id);
      object.observer.on('score', onScore);
      onScore();
    }
    if (node.type !== 'consumer' || this.#byConsumer.has(node.object)) return;
    const router = node.parent.parent.object;
    const { streams, mayBeSeen } = this.#options;
    const place = streams.inRouter(node.object.producerId, router);
    // Most Consumers are at the stream's origin: there their own Worker knows best. Nothing is known here of a pipe
    // whose other end is never seen.
    if (place && (place.from === undefined || !mayBeSeen(place.from))) return;
    this.#show(node.object, router);
  }

  #originChanged(streamId: string): void {
    for (const shown of this.#byStream.get(streamId) ?? []) this.#update(shown, 'origin');
  }

  #show(consumer: Consumer, router: Router): void {
    const narrower = present.get(consumer);
    narrower?.uninstall();
    const read = scoreReader(consumer);
    const emitters = [consumer, consumer.observer] as unknown as [Emitter, Emitter];
    const [emit, emitToObserver] = emitters.map(emitter => emitter.safeEmit.bind(emitter)) as [
      Emitter['safeEmit'],
      Emitter['safeEmit'],
    ];
    const replaced: readonly [object: object, name: string][] = [
      [consumer, 'score'],
      [consumer, 'safeEmit'],
      [consumer.observer, 'safeEmit'],
    ];
    const before = replaced.map(([object, name]) => Object.getOwnPropertyDescriptor(object, name));
    const shown: Shown = {
      consumer,
      router,
      read,
      narrower,
      emit: score => {
        emit('score', score);
        emitToObserver('score', copyOf(score));
      },
      silent: new Set(read().producerScores.keys()),
      lastShown: read(),
      install: () => {
        present.set(consumer, shown);
        Object.defineProperty(consumer, 'score', { configurable: true, get: () => copyOf(shown.lastShown) });
        // mediasoup emits both events one after the other: the first is enough to update both.
        emitters[0].safeEmit = (name, ...args) =>
          name === 'score' ? (this.#update(shown, 'worker'), true) : emit(name, ...args);
        emitters[1].safeEmit = (name, ...args) => (name === 'score' ? true : emitToObserver(name, ...args));
        shown.lastShown = this.#scoreOf(shown, 'pipe');
      },
      uninstall: () => {
        present.delete(consumer);
        for (const [index, [object, name]] of replaced.entries()) {
          const descriptor = before[index];
          if (descriptor) Object.defineProperty(object, name, descriptor);
          else Reflect.deleteProperty(object, name);
        }
      },
    };
    this.#byConsumer.set(consumer, shown);
    const ofStream = this.#byStream.get(consumer.producerId) ?? new Set();
    this.#byStream.set(consumer.producerId, ofStream.add(shown));
    shown.install();
  }

  #removed(object: object): void {
    const shown = this.#byConsumer.get(object);
    if (!shown) return;
    this.#byConsumer.delete(object);
    const { producerId } = shown.consumer;
    const ofStream = this.#byStream.get(producerId);
    ofStream?.delete(shown);
    if (ofStream?.size === 0) this.#byStream.delete(producerId);
    // A Consumer that only leaves this view goes on in the narrower one.
    if (shown.consumer.closed || present.get(shown.consumer) !== shown) return;
    shown.uninstall();
    shown.narrower?.install();
  }

  /** @param source origin of the news, see {@link ScoreSource} */
  #update(shown: Shown, source: ScoreSource): void {
    if (present.get(shown.consumer) !== shown) return;
    const score = this.#scoreOf(shown, source);
    if (isDeepStrictEqual(score, shown.lastShown) && !(source === 'worker' && shown.silent.size === 0)) return;
    shown.lastShown = score;
    shown.emit(copyOf(score));
  }

  #scoreOf(shown: Shown, source: ScoreSource): ConsumerScore {
    const { consumer, router, silent, lastShown } = shown;
    const { streams, isAsleep } = this.#options;
    const own = shown.read();
    const layers = own.producerScores.length;
    if (isAsleep(consumer.producerId, router)) for (let layer = 0; layer < layers; ++layer) silent.add(layer);
    else for (const layer of silent) if (own.producerScores[layer]! > 0) silent.delete(layer);
    if (silent.size === 0) return own;
    const places = streams.find(consumer.producerId);
    const isPiped = places.some(place => place.piped && place.router === router);
    const origin = places.find(({ piped }) => !piped)?.producer as Producer | undefined;
    // On the publisher's own Router the Worker knows best.
    if (!isPiped || !origin) return own;
    const scores = new Map(origin.score.map(({ encodingIdx, score }) => [encodingIdx, score]));
    const producerScores = own.producerScores.map((score, layer) =>
      silent.has(layer) ? (scores.get(layer) ?? 0) : score,
    );
    const current = consumer.type === 'simulcast' ? consumer.currentLayers?.spatialLayer : 0;
    if (current !== undefined)
      return {
        ...own,
        producerScore: silent.has(current) ? producerScores[current]! : own.producerScore,
        producerScores,
      };
    // mediasoup reports 0 while none of several streams is chosen, but only along with other news.
    return { ...own, producerScore: source === 'origin' ? 0 : lastShown.producerScore, producerScores };
  }
}

/**
 * Returns a reader of the score as the Consumer shows it so far, be it by mediasoup's class or by a property that
 * replaces it.
 */
function scoreReader(consumer: Consumer): () => ConsumerScore {
  const shownBefore = Object.getOwnPropertyDescriptor(consumer, 'score');
  const before: object = shownBefore
    ? Object.defineProperty({}, 'score', shownBefore)
    : (Object.getPrototypeOf(consumer) as object);
  return () => Reflect.get(before, 'score', consumer) as ConsumerScore;
}
