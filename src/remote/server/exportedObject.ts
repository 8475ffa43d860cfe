/** One object that clients mirror: its state as last told, and the listeners that tell of what happens to it. */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { TreeNode } from '../../shared/objectTree.ts';
import { descriptionOf, type ClassName } from '../protocol/classes.ts';
import { membersOf, type ClassDescription } from '../protocol/describe.ts';
import { encodeError } from '../protocol/errors.ts';
import type { Addition, Changes, CloseCause } from '../protocol/messages.ts';

type AnyEmitter = EnhancedEventEmitter<Record<string, unknown[]>>;
type AnyObject = AnyEmitter & Record<string, unknown> & { closed: boolean; observer: AnyEmitter };

/** Who shows the object to clients: the export of its MafaldaRouter. */
export interface Exporter {
  onEvent(exported: ExportedObject, name: string, args: unknown[]): void;
  /** Whether this client may see and use it. */
  isShownTo(client: object): boolean;
  tellChanges(exported: ExportedObject): void;
}

export class ExportedObject {
  readonly handle: number;
  readonly node: TreeNode;
  readonly exporter: Exporter;
  readonly className: ClassName;
  readonly description: ClassDescription;
  /** Why it is closing, if for a reason of its own. */
  cause: CloseCause | undefined;
  readonly #object: AnyObject;
  readonly #told = new Map<string, string>();
  readonly #removers: (() => void)[] = [];

  constructor(handle: number, node: TreeNode, exporter: Exporter) {
    this.handle = handle;
    this.node = node;
    this.exporter = exporter;
    this.className = classNameOf(node);
    this.description = descriptionOf(this.className);
    this.#object = node.object as unknown as AnyObject;
    for (const [name, where] of Object.entries(this.description.events)) {
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
    const callable = name === 'close' || (Object.hasOwn(members, name) && (members[name] === 'call' || members[name] === 'send'));
    return callable ? (this.#object[name] as (...args: unknown[]) => unknown).bind(this.#object) : undefined;
  }

  toAddition(parent: ExportedObject | undefined): Addition {
    const { handle, className, node } = this;
    const state = this.#read(membersOf(this.description, 'fixed', 'changing'));
    return { handle, className, id: node.id, parent: parent?.handle, appData: this.#object.appData, state };
  }

  /** The properties that have changed since they were told, or undefined. From now on they count as told. */
  takeChanges(): Changes | undefined {
    const changes: Changes = {};
    for (const [name, value] of Object.entries(this.#read(membersOf(this.description, 'changing')))) {
      const told = JSON.stringify(value);
      if (this.#told.get(name) === told) continue;
      this.#told.set(name, told);
      changes[name] = value;
    }
    return Object.keys(changes).length > 0 ? changes : undefined;
  }

  unfollow(): void {
    for (const remove of this.#removers) remove();
  }

  #listen(emitter: AnyEmitter, name: string, listener: (...args: unknown[]) => void): void {
    emitter.on(name, listener);
    this.#removers.push(() => emitter.off(name, listener));
  }

  /** Null stands for undefined, which has no place in JSON; mediasoup's properties are never null. */
  #read(names: string[]): Changes {
    return Object.fromEntries(names.map(name => [name, this.#object[name] ?? null]));
  }
}

const classOfType = {
  worker: 'Worker',
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
