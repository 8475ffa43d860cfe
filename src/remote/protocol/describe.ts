/** The vocabulary of the class table: see `classes.ts`. */
import type { EnhancedEventEmitter } from 'mediasoup/extras';

export type MemberKind =
  /** A property that never changes: sent once. */
  | 'fixed'
  /** A property that is sent again when it has changed. */
  | 'changing'
  /** An asynchronous method: one request, one answer. */
  | 'call'
  /** One that makes objects. */
  | 'create'
  /** A synchronous method without a result: one request, no answer. */
  | 'send'
  /** A method by which mediasoup tells an object that what it is in has closed: `routerClosed()` ends it with `routerclose`. */
  | 'ending'
  /** The method by which the application closes it: at once here, and the server is told. */
  | 'closing'
  /** Done by the mirror itself. */
  | 'local';

export type EventKind =
  /** Where mediasoup emits it: on the object, on its `observer`, or on both. */
  | 'object'
  | 'observer'
  | 'both'
  /** On the object, and so often that only those are told who listen: who has made the object is taken for one of them. */
  | 'listened';

/** Properties by their names. */
export type State = Record<string, unknown>;

export interface ClassDescription {
  readonly members: Readonly<Record<string, MemberKind>>;
  readonly events: Readonly<Record<string, EventKind>>;
  /** Names of the classes that it can be in. */
  readonly parents: readonly string[];
  /** What its parent's `observer` emits when it is created. */
  readonly announcement: string;
  /** What it emits when it closes because its parent does. */
  readonly closedByParent: string;
  /** Events which tell that it is just closing for a reason of its own. */
  readonly closedBy: readonly string[];
  /**
   * Events that tell of a property, by its name; where it is a boolean, the event for true and the one for false. From
   * these a client that could not be told of each event makes up for what it has missed.
   */
  readonly tellsOf?: Readonly<Record<string, string | readonly [string, string]>>;
  /** What properties become when it closes, if it has them. */
  readonly closedState?: State;
  /** What methods do before anything is sent: they throw for wrong arguments, or change properties, which are returned. */
  readonly atOnce?: Readonly<Record<string, (...args: never[]) => State | undefined>>;
}

type OwnMember<T> = Exclude<keyof T, keyof EnhancedEventEmitter>;

/** Describes a class of mediasoup's. The compiler sees to it that no member of the interface is forgotten. */
export function describeClass<T>() {
  return <const M extends Record<OwnMember<T>, MemberKind>>(
    description: Omit<ClassDescription, 'members'> & { members: M & Record<Exclude<keyof M, OwnMember<T>>, never> },
  ): Omit<ClassDescription, 'members'> & { readonly members: M } => description;
}

/** Names of the members of some kinds. */
export type MembersOf<M, Kind extends MemberKind> = { [K in keyof M]: M[K] extends Kind ? K : never }[keyof M];

const listened = new WeakMap<ClassDescription, readonly string[]>();

/** Names of the events that only listeners are told of. */
export function listenedEventsOf(description: ClassDescription): readonly string[] {
  const known = listened.get(description);
  if (known) return known;
  const names = Object.keys(description.events).filter(name => description.events[name] === 'listened');
  listened.set(description, names);
  return names;
}

const found = new WeakMap<ClassDescription, Map<string, readonly string[]>>();

/** Asked for with every event, and always the same: found out once. */
export function membersOf(description: ClassDescription, ...kinds: MemberKind[]): readonly string[] {
  const known = found.get(description) ?? new Map<string, readonly string[]>();
  found.set(description, known);
  const key = kinds.join();
  const members = known.get(key) ?? Object.keys(description.members).filter(name => kinds.includes(description.members[name]!));
  known.set(key, members);
  return members;
}
