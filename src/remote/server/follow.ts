/**
 * Passes events of mediasoup's objects on to followers. One listener for each event of a class serves all of its
 * objects.
 */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { ClassDescription } from '../protocol/describe.ts';

/** A recipient of the events of an object. */
export interface Follower {
  onEvent(name: string, args: unknown[]): void;
  /** The object closes for a reason of its own, which the event names. */
  onCause(name: string, args: unknown[]): void;
}

const followedBy = Symbol('followed by');

/** A single follower, as most objects have, or several. */
type Followers = Follower | readonly Follower[];

type Emitter = EnhancedEventEmitter<Record<string, unknown[]>> & { [followedBy]?: Followers };

export interface Followed extends Emitter {
  readonly closed: boolean;
  readonly observer: Emitter;
}

interface Listener {
  readonly name: string;
  readonly listener: (this: Emitter, ...args: unknown[]) => void;
}

interface Listeners {
  readonly ofObject: readonly Listener[];
  readonly ofObserver: readonly Listener[];
}

const known = new WeakMap<ClassDescription, Listeners>();

export function follow(object: Followed, description: ClassDescription, follower: Follower): void {
  const { ofObject, ofObserver } = listenersOf(description);
  join(object, ofObject, follower);
  join(object.observer, ofObserver, follower);
}

/** Removes the follower. The listeners of a closed object stay, since it emits nothing more. */
export function unfollow(object: Followed, description: ClassDescription, follower: Follower): void {
  const { ofObject, ofObserver } = listenersOf(description);
  leave(object, ofObject, follower, object.closed);
  leave(object.observer, ofObserver, follower, object.closed);
}

function join(emitter: Emitter, listeners: readonly Listener[], follower: Follower): void {
  const followers = emitter[followedBy];
  // The list is replaced rather than changed, since a listener may be iterating over it.
  emitter[followedBy] = followers ? [...listOf(followers), follower] : follower;
  if (followers) return;
  for (const { name, listener } of listeners) emitter.on(name, listener);
}

function leave(emitter: Emitter, listeners: readonly Listener[], follower: Follower, isClosed: boolean): void {
  const followers = emitter[followedBy];
  if (!followers) return;
  const remaining = listOf(followers).filter(other => other !== follower);
  emitter[followedBy] = remaining.length === 0 ? undefined : remaining;
  if (remaining.length > 0 || isClosed) return;
  for (const { name, listener } of listeners) emitter.off(name, listener);
}

function listOf(followers: Followers): readonly Follower[] {
  return Array.isArray(followers) ? (followers as readonly Follower[]) : [followers as Follower];
}

function listenersOf(description: ClassDescription): Listeners {
  const listeners = known.get(description) ?? makeListeners(description);
  known.set(description, listeners);
  return listeners;
}

function makeListeners({ events, closedBy }: ClassDescription): Listeners {
  const followed = Object.entries(events).filter(([, where]) => where !== 'listened');
  const listenersFor = (isForObserver: boolean): Listener[] =>
    followed
      .filter(([, where]) => (where === 'observer') === isForObserver)
      .map(([name]) => forwarder(name, 'onEvent'));
  return {
    ofObject: [...listenersFor(false), ...closedBy.map(name => forwarder(name, 'onCause'))],
    ofObserver: listenersFor(true),
  };
}

function forwarder(name: string, how: keyof Follower): Listener {
  return {
    name,
    listener(...args) {
      const followers = this[followedBy];
      if (followers) for (const follower of listOf(followers)) follower[how](name, args);
    },
  };
}
