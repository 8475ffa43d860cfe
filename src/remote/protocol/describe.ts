/** The vocabulary of the class table: see `classes.ts`. */
import type { EnhancedEventEmitter } from 'mediasoup/extras';

export type MemberKind =
  /** A property that never changes: sent once. */
  | 'fixed'
  /** A property that is sent again when it has changed. */
  | 'changing'
  /** An asynchronous method: one request, one answer. */
  | 'call'
  /** A synchronous method without a result: one request, no answer. */
  | 'send'
  /** A method by which mediasoup tells an object that what it is in has closed: `routerClosed()` ends it with `routerclose`. */
  | 'ending'
  /** Done by the mirror itself. */
  | 'local';

/** Where mediasoup emits an event: on the object, on its `observer`, or on both. */
export type EventKind = 'object' | 'observer' | 'both';

export interface ClassDescription {
  readonly members: Readonly<Record<string, MemberKind>>;
  readonly events: Readonly<Record<string, EventKind>>;
  /** What its parent's `observer` emits when it is created. */
  readonly announcement: string;
  /** What it emits when it closes because its parent does. */
  readonly closedByParent: string;
  /** Events which tell that it is just closing for a reason of its own. */
  readonly closedBy: readonly string[];
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

export function membersOf(description: ClassDescription, ...kinds: MemberKind[]): string[] {
  return Object.keys(description.members).filter(name => kinds.includes(description.members[name]!));
}
