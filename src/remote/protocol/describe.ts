/** Types of the class table: see `classes.ts`. */
import type { EnhancedEventEmitter } from 'mediasoup/extras';

export type MemberKind =
  /** A property that never changes, so it is sent once. */
  | 'fixed'
  /** A property that is sent again when it has changed. */
  | 'changing'
  /** An asynchronous method, with one request and one answer. */
  | 'call'
  /** A call that creates objects. */
  | 'create'
  /** A synchronous method without a result, with one request and no answer. */
  | 'send'
  /**
   * A method by which mediasoup tells an object that its parent has closed: `routerClosed()` ends it with
   * `routerclose`.
   */
  | 'ending'
  /**
   * The method by which the application closes the object: the mirror closes at once, and the server gets a message.
   */
  | 'closing'
  /** A member that the mirror implements itself. */
  | 'local';

export type EventKind =
  /** Emitter that mediasoup uses: the object, its `observer`, or both. */
  | 'object'
  | 'observer'
  | 'both'
  /** Emitted on the object so often that only listeners get it; the creator of the object counts as a listener. */
  | 'listened';

/** Properties by their names. */
export type State = Record<string, unknown>;

export interface ClassDescription {
  readonly members: Readonly<Record<string, MemberKind>>;
  readonly events: Readonly<Record<string, EventKind>>;
  /** Names of the classes that can be its parent. */
  readonly parents: readonly string[];
  /** Event that its parent's `observer` emits when it is created. */
  readonly announcement: string;
  /** Event that it emits when it closes because its parent does. */
  readonly closedByParent: string;
  /** Events that announce its closing for a reason of its own. */
  readonly closedBy: readonly string[];
  /**
   * Events that report a property, by its name; for a boolean, first the event for true, then the event for false. A
   * client that has missed events emits these for the properties that differ.
   */
  readonly stateEvents?: Readonly<Record<string, string | readonly [string, string]>>;
  /** Values that properties get when it closes, if it has them. */
  readonly closedState?: State;
  /** Work of methods before anything is sent: throws for wrong arguments, or returns changed properties. */
  readonly atOnce?: Readonly<Record<string, (...args: never[]) => State | undefined>>;
}

type OwnMember<T> = Exclude<keyof T, keyof EnhancedEventEmitter>;

/** Describes a class of mediasoup's. The compiler refuses a description that lacks a member of the interface. */
export function describeClass<T>() {
  return <const M extends Record<OwnMember<T>, MemberKind>>(
    description: Omit<ClassDescription, 'members'> & { members: M & Record<Exclude<keyof M, OwnMember<T>>, never> },
  ): Omit<ClassDescription, 'members'> & { readonly members: M } => description;
}

/** Names of the members of some kinds. */
export type MembersOf<M, Kind extends MemberKind> = { [K in keyof M]: M[K] extends Kind ? K : never }[keyof M];

const listened = new WeakMap<ClassDescription, ReadonlySet<string>>();

/** Names of the events that only listeners get. */
export function listenedEventsOf(description: ClassDescription): ReadonlySet<string> {
  const known = listened.get(description);
  if (known) return known;
  const names = new Set(Object.keys(description.events).filter(name => description.events[name] === 'listened'));
  listened.set(description, names);
  return names;
}

/** Names of the members of some kinds. */
export function membersOf(description: ClassDescription, ...kinds: MemberKind[]): readonly string[] {
  return Object.keys(description.members).filter(name => kinds.includes(description.members[name]!));
}

/** Names of the properties of a class. */
export interface Properties {
  readonly fixed: readonly string[];
  readonly changing: readonly string[];
}

const properties = new WeakMap<ClassDescription, Properties>();

/** Names of the properties, cached since they are needed with every object and event. */
export function propertiesOf(description: ClassDescription): Properties {
  const known = properties.get(description);
  if (known) return known;
  const found = { fixed: membersOf(description, 'fixed'), changing: membersOf(description, 'changing') };
  properties.set(description, found);
  return found;
}
