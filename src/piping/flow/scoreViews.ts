/**
 * Views of the scores of Consumers, in the place of the property and the events that mediasoup's objects have. Consumers
 * are many, so all of them share the members that replace theirs.
 */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Consumer, ConsumerScore } from 'mediasoup/types';
import { copyOf } from '../../core/copies.ts';

/** A view of the scores of one Consumer. */
export interface ScoreView {
  readonly consumer: Consumer;
  /** Score that the Consumer shows. */
  readonly lastShown: ConsumerScore;
  /** Called when the Consumer's Worker has told its score. */
  onTold(): void;
  /** Called before the view is shown, for the first time or again. */
  onShow(): void;
}

type Emitter = EnhancedEventEmitter<{ score: [ConsumerScore] }>;
type Name = 'score' | 'safeEmit';

/** Views by their Consumers, and by the observers of these. */
const views = new WeakMap<object, ScoreView>();
/** Members that objects had of their own, beside those of their class, as few do. */
const ownMembers = new WeakMap<object, PropertyDescriptorMap>();

const replacements: Readonly<Record<Name, PropertyDescriptor>> = {
  score: {
    configurable: true,
    get(this: Consumer) {
      return copyOf(views.get(this)!.lastShown);
    },
  },
  safeEmit: {
    configurable: true,
    writable: true,
    value(this: Emitter, name: 'score', ...args: [ConsumerScore]) {
      const view = views.get(this);
      if (name !== 'score' || !view) return emitByItself(this, name, ...args);
      // mediasoup emits both events one after the other: the first is enough to update both.
      if (view.consumer === (this as object)) view.onTold();
      return true;
    },
  },
};

/** Returns the view that a Consumer has at present. */
export function viewOf(consumer: Consumer): ScoreView | undefined {
  return views.get(consumer);
}

/** Shows a view instead of what the Consumer shows by itself, or instead of another view. */
export function show(view: ScoreView): void {
  const { consumer } = view;
  const hasView = views.has(consumer);
  view.onShow();
  if (!hasView) forEachMember(consumer, replace);
  views.set(consumer, view).set(consumer.observer, view);
}

/** Makes the Consumer show what it shows by itself. */
export function hide({ consumer }: ScoreView): void {
  forEachMember(consumer, restore);
  views.delete(consumer);
  views.delete(consumer.observer);
}

/** Reads the score that the Consumer's Worker has told. */
export function toldScore(consumer: Consumer): ConsumerScore {
  return memberOf(consumer, 'score') as ConsumerScore;
}

/** Emits the events of a score to the application. */
export function tellScore(consumer: Consumer, score: ConsumerScore): void {
  emitByItself(consumer, 'score', score);
  emitByItself(consumer.observer, 'score', copyOf(score));
}

function forEachMember(consumer: Consumer, act: (object: object, name: Name) => void): void {
  act(consumer, 'score');
  act(consumer, 'safeEmit');
  act(consumer.observer, 'safeEmit');
}

function replace(object: object, name: Name): void {
  const own = Object.getOwnPropertyDescriptor(object, name);
  if (own) ownMembers.set(object, { ...ownMembers.get(object), [name]: own });
  Object.defineProperty(object, name, replacements[name]);
}

function restore(object: object, name: Name): void {
  const own = ownMembers.get(object)?.[name];
  if (own) Object.defineProperty(object, name, own);
  else Reflect.deleteProperty(object, name);
}

/** Returns what a member is without a view. */
function memberOf(object: object, name: Name): unknown {
  const own = views.has(object) ? ownMembers.get(object)?.[name] : Object.getOwnPropertyDescriptor(object, name);
  const from = own ? Object.defineProperty({}, name, own) : (Object.getPrototypeOf(object) as object);
  return Reflect.get(from, name, object);
}

function emitByItself(emitter: object, name: 'score', ...args: [ConsumerScore]): boolean {
  return (memberOf(emitter, 'safeEmit') as Emitter['safeEmit']).call(emitter, name, ...args);
}
