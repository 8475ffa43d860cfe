/** An object that clients mirror: its state as last sent, and the listeners for its events. */
import { isSameData, readingUncopied } from '../../core/copies.ts';
import { keyOf } from '../../core/idempotencyKeys.ts';
import { onChanged } from '../../core/changed.ts';
import { isLinkTransport } from '../../piping/endpoint.ts';
import type { TreeNode } from '../../core/objectTree.ts';
import { descriptionOf, type ClassName } from '../protocol/classes.ts';
import { listenedEventsOf, propertiesOf, type ClassDescription, type MemberKind } from '../protocol/describe.ts';
import { encode, encodeAppData, encodeShared } from '../protocol/codec.ts';
import { encodeError } from '../protocol/errors.ts';
import { measure, type Measure } from '../protocol/measure.ts';
import type { ListMessage } from '../protocol/lists.ts';
import type { Addition, Changes, CloseCause, ServerMessage } from '../protocol/messages.ts';
import { follow, unfollow, type Followed, type Follower } from './follow.ts';
import type { Holding } from './holding.ts';

type AnyObject = Followed & Record<string, unknown>;

/** A recipient of messages: the session of a client. */
export interface Member {
  /** Whether the client has a connection at present. */
  readonly connected: boolean;
  /**
   * @param size of the message, where it is known
   * @param lists that the state of an object refers to, if the message is an `add`
   * @param canWait whether it may wait a moment for a message that follows
   */
  send(message: ServerMessage, size?: Measure, lists?: readonly ListMessage[], canWait?: boolean): void;
  /** Adds to the objects that are shown to it, and to the bytes that these take; negative numbers subtract. */
  count(objects: number, bytes: number): void;
}

/** Shows the object to clients: the export of the tree that it is in. */
export interface Exporter {
  /** Id of the MafaldaRouter; undefined for a client's own Workers. */
  readonly mafaldaRouterId: string | undefined;
  /** Whether it shows its objects no more. */
  readonly isClosed: boolean;
  /** @param listeners the recipients; default: all clients to which the object is shown */
  onEvent(exported: ExportedObject, name: string, args: unknown[], listeners?: ReadonlySet<Member>): void;
  /** Whether this client may see and use it. */
  isShownTo(client: Member): boolean;
  sendChanges(exported: ExportedObject): void;
}

/** Kinds of members that clients may call. */
const callable: readonly unknown[] = ['call', 'create', 'send', 'closing'] satisfies MemberKind[];

export class ExportedObject implements Follower {
  readonly handle: number;
  readonly node: TreeNode;
  readonly exporter: Exporter;
  readonly className: ClassName;
  readonly description: ClassDescription;
  /** Reason why it is closing, if it has a reason of its own. */
  cause: CloseCause | undefined;
  isCloseSent = false;
  /** Bytes that it takes, with its `appData`; 0 for objects that existed before the first client attached. */
  bytes = 0;
  /** Bytes of that by which it has grown later. */
  grownBytes = 0;
  /** Holding of the session that has made it. */
  holding: Holding | undefined;
  readonly #object: AnyObject;
  #unwatch: (() => void) | undefined;
  /** Changing properties, encoded, as last sent. */
  readonly #lastSent: Changes = {};
  /** Listeners to the events that only listeners get, by the name of the event. */
  #listeners: Map<string, { members: Set<Member>; stop: () => void }> | undefined;

  constructor(handle: number, node: TreeNode, exporter: Exporter) {
    this.handle = handle;
    this.node = node;
    this.exporter = exporter;
    this.className =
      node.type === 'worker' && exporter.mafaldaRouterId !== undefined ? 'SharedWorker' : classNameOf(node);
    this.description = descriptionOf(this.className);
    this.#object = node.object as unknown as AnyObject;
    follow(this.#object, this.description, this);
    // mediasoup has no event for the address that the end of a link sends to.
    if (node.type === 'transport' && isLinkTransport(node.object))
      this.#unwatch = onChanged(node.object, () => exporter.sendChanges(this));
  }

  onEvent(name: string, args: unknown[]): void {
    this.exporter.onEvent(this, name, args);
  }

  onCause(name: string, [error]: unknown[]): void {
    this.cause = { name, error: error instanceof Error ? encodeError(error) : undefined };
  }

  /** Returns a method that clients may call. */
  method(name: string): ((...args: unknown[]) => unknown) | undefined {
    const { members } = this.description;
    const isCallable = Object.hasOwn(members, name) && callable.includes(members[name]);
    return isCallable ? (this.#object[name] as (...args: unknown[]) => unknown).bind(this.#object) : undefined;
  }

  /** Whether the method creates objects. */
  creates(name: string): boolean {
    const { members } = this.description;
    return Object.hasOwn(members, name) && members[name] === 'create';
  }

  /** Subscribes the creator of the object to all events that only listeners get. */
  listenToAll(listener: Member): void {
    for (const name of listenedEventsOf(this.description)) this.listen(name, listener);
  }

  /** Subscribes to mediasoup's object only while a client listens. */
  listen(name: string, listener: Member): void {
    if (!listenedEventsOf(this.description).has(name)) return;
    const listened = this.#listeners?.get(name);
    if (listened) return void listened.members.add(listener);
    const members = new Set([listener]);
    const onEvent = (...args: unknown[]): void => this.exporter.onEvent(this, name, args, members);
    this.#object.on(name, onEvent);
    this.#listeners ??= new Map();
    this.#listeners.set(name, { members, stop: () => this.#object.off(name, onEvent) });
  }

  unlisten(name: string, listener: Member): void {
    const listened = this.#listeners?.get(name);
    if (!listened?.members.delete(listener) || listened.members.size > 0) return;
    listened.stop();
    this.#listeners?.delete(name);
  }

  forgetListener(listener: Member): void {
    if (this.#listeners) for (const name of [...this.#listeners.keys()]) this.unlisten(name, listener);
  }

  /**
   * @param handleOf returns the handle of an object in its `appData`
   * @param state all of its properties, if they have been read already
   */
  toAddition(
    parent: ExportedObject | undefined,
    handleOf: (object: object) => number | undefined,
    state = this.#readState(),
  ): Addition {
    const { handle, className, node } = this;
    const given = this.#object['appData'];
    const appData = encodeAppData(given, handleOf);
    return { handle, className, id: node.id, parent: parent?.handle, appData, state, key: keyOf(given) };
  }

  /** Returns all properties, encoded, and takes them for sent. */
  takeState(): Changes {
    const { fixed, changing } = propertiesOf(this.description);
    return readingUncopied(() => {
      const state: Changes = {};
      for (const name of fixed) this.#readFixed(name, state);
      for (const name of changing) {
        const value = encode(this.#object[name] ?? null, noHandle);
        this.#lastSent[name] = value;
        if (value !== null) state[name] = value;
      }
      return state;
    });
  }

  /**
   * Returns the properties that have changed since they were last sent, encoded, and takes them for sent. Null stands
   * for undefined.
   */
  takeChanges(): Changes | undefined {
    const { changing } = propertiesOf(this.description);
    return readingUncopied(() => {
      let changes: Changes | undefined;
      for (const name of changing) {
        const lastSent = this.#lastSent[name];
        const read = this.#object[name] ?? null;
        if (isSameData(read, lastSent)) continue;
        const value = encode(read, noHandle);
        if (isSameData(value, lastSent)) continue;
        this.#lastSent[name] = value;
        (changes ??= {})[name] = value;
      }
      return changes;
    });
  }

  /** Bytes that the changing properties take. */
  get changingBytes(): number {
    return measure(this.#lastSent).bytes;
  }

  unfollow(): void {
    unfollow(this.#object, this.description, this);
    this.#unwatch?.();
    if (!this.#object.closed) for (const { stop } of this.#listeners?.values() ?? []) stop();
  }

  /** Reads and encodes all properties, without those that are undefined, which JSON lacks. */
  #readState(): Changes {
    const { fixed, changing } = propertiesOf(this.description);
    return readingUncopied(() => {
      const state: Changes = {};
      for (const name of fixed) this.#readFixed(name, state);
      for (const name of changing) {
        const value = this.#object[name];
        if (value !== undefined && value !== null) state[name] = encode(value, noHandle);
      }
      return state;
    });
  }

  /** Reads a property that never changes: nor does mediasoup's own value, which needs no copy. */
  #readFixed(name: string, state: Changes): void {
    const value = this.#object[name];
    if (value !== undefined && value !== null) state[name] = encodeShared(value, noHandle);
  }
}

/** Handles are not needed, since mediasoup's properties refer to no objects. */
const noHandle = (): undefined => undefined;

const classOfType = {
  worker: 'Worker',
  webRtcServer: 'WebRtcServer',
  router: 'Router',
  producer: 'Producer',
  consumer: 'Consumer',
  dataProducer: 'DataProducer',
  dataConsumer: 'DataConsumer',
} as const;

const classOfTransport = {
  webrtc: 'WebRtcTransport',
  plain: 'PlainTransport',
  pipe: 'PipeTransport',
  direct: 'DirectTransport',
} as const;

const classOfRtpObserver = { activespeaker: 'ActiveSpeakerObserver', audiolevel: 'AudioLevelObserver' } as const;

function classNameOf(node: TreeNode): ClassName {
  if (node.type === 'transport') return classOfTransport[node.object.type];
  if (node.type === 'rtpObserver') return classOfRtpObserver[node.object.type];
  return classOfType[node.type];
}
