/**
 * Shows Consumers behind a sleeping pipe the scores of the stream itself. A Worker that gets no packets of a stream in
 * several layers takes the stream for dead after 1.5 s, and before its first packet it knows no score: both describe
 * the pipe, not the publisher.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Consumer, ConsumerScore, Producer, Router } from 'mediasoup/types';
import { copyOf } from '../../core/copies.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { isLinkTransport } from '../endpoint.ts';
import type { Streams } from '../streams.ts';
import { hide, show, tellScore, toldScore, viewOf, type ScoreView } from './scoreViews.ts';

/**
 * Origin of the news that a score may have changed: the Consumer's own Worker, whose word mediasoup passes on in any
 * case, the stream's origin, or a pipe on the way.
 */
type ScoreSource = 'worker' | 'origin' | 'pipe';

/** Scores of a Consumer as they are shown here. */
interface Shown extends ScoreView {
  readonly router: Router;
  /** Layers without packets since a pipe on their way slept. */
  readonly silent: Set<number>;
  lastShown: ConsumerScore;
  /** View that was shown before: that of this machine, where a cluster has the Consumer too. */
  readonly narrower: ScoreView | undefined;
}

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
    const told = toldScore(consumer);
    const shown: Shown = {
      consumer,
      router,
      silent: new Set(told.producerScores.keys()),
      lastShown: told,
      narrower: viewOf(consumer),
      onTold: () => this.#update(shown, 'worker'),
      onShow: () => (shown.lastShown = this.#scoreOf(shown, 'pipe')),
    };
    this.#byConsumer.set(consumer, shown);
    const ofStream = this.#byStream.get(consumer.producerId) ?? new Set();
    this.#byStream.set(consumer.producerId, ofStream.add(shown));
    show(shown);
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
    if (shown.consumer.closed || viewOf(shown.consumer) !== shown) return;
    if (shown.narrower) show(shown.narrower);
    else hide(shown);
  }

  /** @param source origin of the news, see {@link ScoreSource} */
  #update(shown: Shown, source: ScoreSource): void {
    if (viewOf(shown.consumer) !== shown) return;
    const score = this.#scoreOf(shown, source);
    if (isDeepStrictEqual(score, shown.lastShown) && !(source === 'worker' && shown.silent.size === 0)) return;
    shown.lastShown = score;
    tellScore(shown.consumer, copyOf(score));
  }

  #scoreOf(shown: Shown, source: ScoreSource): ConsumerScore {
    const { consumer, router, silent, lastShown } = shown;
    const { streams, isAsleep } = this.#options;
    const own = toldScore(consumer);
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
