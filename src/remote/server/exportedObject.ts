/** One object that clients mirror: its state as last told, and the listeners that tell of what happens to it. */
import { isDeepStrictEqual } from 'node:util';
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { TreeNode } from '../../shared/objectTree.ts';
import { descriptionOf, type ClassName } from '../protocol/classes.ts';
import { listenedEventsOf, membersOf, type ClassDescription, type MemberKind } from '../protocol/describe.ts';
import { encodeError } from '../protocol/errors.ts';
import type { Addition, Changes, CloseCause, ServerMessage } from '../protocol/messages.ts';
import type { Holding } from './holding.ts';

type AnyEmitter = EnhancedEventEmitter<Record<string, unknown[]>>;
type AnyObject = AnyEmitter & Record<string, unknown> & { closed: boolean; observer: AnyEmitter };

/** Whoever is told. */
export interface Audience {
  tell(message: ServerMessage): void;
}

/** Who shows the object to clients: the export of the tree that it is in. */
export interface Exporter {
  /** The MafaldaRouter that it belongs to; none for what is in a client's own Workers. */
  readonly mafaldaRouterId: string | undefined;
  /** @param listeners the only ones that want to know, if not everybody does */
  onEvent(exported: ExportedObject, name: string, args: unknown[], listeners?: ReadonlySet<Audience>): void;
  /** Whether this client may see and use it. */
  isShownTo(client: Audience): boolean;
  tellChanges(exported: ExportedObject): void;
}

/** Kinds of members that are methods to be called from outside. */
const callable: readonly unknown[] = ['call', 'create', 'send', 'closing'] satisfies MemberKind[];

export class ExportedObject {
  readonly handle: number;
  readonly node: TreeNode;
  readonly exporter: Exporter;
  readonly className: ClassName;
  readonly description: ClassDescription;
  /** Why it is closing, if for a reason of its own. */
  cause: CloseCause | undefined;
  closeTold = false;
  /** What it takes, with its `appData`; of those that were there before the first client nothing is known. */
  bytes = 0;
  /** What it belongs to, if a session has made it. */
  holding: Holding | undefined;
  readonly #object: AnyObject;
  /** Copies, as mediasoup hands them out. */
  readonly #told = new Map<string, unknown>();
  /** Who wants to be told of the events that only listeners are told of, by the name of the event. */
  readonly #listeners = new Map<string, { members: Set<Audience>; stop: () => void }>();
  readonly #removers = new Set<() => void>();

  constructor(handle: number, node: TreeNode, exporter: Exporter) {
    this.handle = handle;
    this.node = node;
    this.exporter = exporter;
    this.className = node.type === 'worker' && exporter.mafaldaRouterId !== undefined ? 'SharedWorker' : classNameOf(node);
    this.description = descriptionOf(this.className);
    this.#object = node.object as unknown as AnyObject;
    for (const [name, where] of Object.entries(this.description.events)) {
      if (where === 'listened') continue;
      const emitter = where === 'observer' ? this.#object.observer : this.#object;
      this.#listen(emitter, name, (...args) => exporter.onEvent(this, name, args));
    }
    for (const name of this.description.closedBy) {
      this.#listen(this.#object, name, (...args) => (this.cause = { name, error: args[0] instanceof Error ? encodeError(args[0]) : undefined }));
    }
  }

  /** The methods that may be called from outside. */
  method(name: string): ((...args: unknown[]) => unknown) | undefined {
    const { members } = this.description;
    const isCallable = Object.hasOwn(members, name) && callable.includes(members[name]);
    return isCallable ? (this.#object[name] as (...args: unknown[]) => unknown).bind(this.#object) : undefined;
  }

  /** Whether the method makes objects. */
  creates(name: string): boolean {
    const { members } = this.description;
    return Object.hasOwn(members, name) && members[name] === 'create';
  }

  /** Who has made it listens to all of its events. */
  listenToAll(listener: Audience): void {
    for (const name of listenedEventsOf(this.description)) this.listen(name, listener);
  }

  /** Nobody's listening costs nothing: mediasoup's object gets its listener with the first one here. */
  listen(name: string, listener: Audience): void {
    if (!listenedEventsOf(this.description).includes(name)) return;
    const listened = this.#listeners.get(name);
    if (listened) return void listened.members.add(listener);
    const members = new Set([listener]);
    const stop = this.#listen(this.#object, name, (...args) => this.exporter.onEvent(this, name, args, members));
    this.#listeners.set(name, { members, stop });
  }

  unlisten(name: string, listener: Audience): void {
    const listened = this.#listeners.get(name);
    if (!listened?.members.delete(listener) || listened.members.size > 0) return;
    listened.stop();
    this.#listeners.delete(name);
  }

  forgetListener(listener: Audience): void {
    for (const name of [...this.#listeners.keys()]) this.unlisten(name, listener);
  }

  /** @param state all of its properties, where they have been read already */
  toAddition(parent: ExportedObject | undefined, state = this.#read(membersOf(this.description, 'fixed', 'changing'))): Addition {
    const { handle, className, node } = this;
    return { handle, className, id: node.id, parent: parent?.handle, appData: this.#object.appData, state };
  }

  /** All properties. From now on they count as told. */
  takeState(): Changes {
    return { ...this.#read(membersOf(this.description, 'fixed')), ...this.takeChanges() };
  }

  /** The properties that have changed since they were told, or undefined. From now on they count as told. */
  takeChanges(): Changes | undefined {
    const changes: Changes = {};
    for (const name of membersOf(this.description, 'changing')) {
      const value = this.#object[name] ?? null;
      if (this.#told.has(name) && isDeepStrictEqual(this.#told.get(name), value)) continue;
      this.#told.set(name, value);
      changes[name] = value;
    }
    return Object.keys(changes).length > 0 ? changes : undefined;
  }

  unfollow(): void {
    for (const remove of this.#removers) remove();
  }

  /** @returns how to stop it */
  #listen(emitter: AnyEmitter, name: string, listener: (...args: unknown[]) => void): () => void {
    emitter.on(name, listener);
    const remove = (): void => {
      emitter.off(name, listener);
      this.#removers.delete(remove);
    };
    this.#removers.add(remove);
    return remove;
  }

  /** Null stands for undefined, which has no place in JSON; mediasoup's properties are never null. */
  #read(names: readonly string[]): Changes {
    return Object.fromEntries(names.map(name => [name, this.#object[name] ?? null]));
  }
}

const classOfType = {
  worker: 'Worker',
  webRtcServer: 'WebRtcServer',
  router: 'Router',
  producer: 'Producer',
  consumer: 'Consumer',
  dataProducer: 'DataProducer',
  dataConsumer: 'DataConsumer',
} as const;

const classOfTransport = { webrtc: 'WebRtcTransport', plain: 'PlainTransport', pipe: 'PipeTransport', direct: 'DirectTransport' } as const;

const classOfRtpObserver = { activespeaker: 'ActiveSpeakerObserver', audiolevel: 'AudioLevelObserver' } as const;

function classNameOf(node: TreeNode): ClassName {
  if (node.type === 'transport') return classOfTransport[node.object.type];
  if (node.type === 'rtpObserver') return classOfRtpObserver[node.object.type];
  return classOfType[node.type];
}
