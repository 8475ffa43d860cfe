/** Shows a tree of objects to the clients that may see it: what is there, what comes, changes, happens and goes. */
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import { encode, encodeAppData } from '../protocol/codec.ts';
import { measure, type Measure } from '../protocol/measure.ts';
import type { Changes, ServerMessage } from '../protocol/messages.ts';
import type { Audience, ExportedObject, Exporter } from './exportedObject.ts';
import type { Exports } from './exports.ts';
import { Leavers } from './leavers.ts';
import type { Untold } from './teller.ts';

/** Changes that take less are not counted: scores and states, which come often. */
const LARGE_BYTES = 512;

/** Progress with a member that does not know everything yet. */
interface Telling {
  /** Objects that it is told of next. New ones are put at the end. */
  readonly rest: Iterator<ExportedObject>;
  /** All with handles up to this one have been told. */
  upTo: number;
  /** And these, since something that could not wait has happened to them, or in them. */
  readonly ahead: Set<ExportedObject>;
}

export class TreeExport implements Exporter, Untold {
  /** The MafaldaRouter whose tree it is; none for Workers that a client has made for itself. */
  readonly mafaldaRouterId: string | undefined;
  readonly #tree: ObjectTree;
  readonly #exports: Exports;
  readonly #exported = new Map<TreeNode, ExportedObject>();
  /** Workers that have left the tree, and of which there is still something to tell. */
  readonly #ending = new Set<ExportedObject>();
  readonly #audience = new Set<Audience>();
  readonly #tellings = new Map<Audience, Telling>();
  readonly #leavers = new Leavers();
  #bytes = 0;

  constructor(tree: ObjectTree, exports: Exports, mafaldaRouterId?: string) {
    this.mafaldaRouterId = mafaldaRouterId;
    this.#tree = tree;
    this.#exports = exports;
    for (const node of tree.nodes()) this.#add(node).takeState();
    tree.on('add', this.#onAdd).on('remove', this.#onRemove);
  }

  get members(): Iterable<Audience> {
    return this.#audience;
  }

  get audience(): number {
    return this.#audience.size;
  }

  get size(): number {
    return this.#exported.size;
  }

  /** What the objects take, with their `appData`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** From now on this one is told too: of what is there by {@link tellNext}, and at once of what happens. */
  attach(member: Audience): void {
    if (this.#audience.has(member)) return;
    this.#audience.add(member);
    member.count(this.size, this.#bytes);
    this.tellAnew(member);
  }

  /** The member has missed something: it is told once more of what is there. */
  tellAnew(member: Audience): void {
    if (this.#exported.size > 0)
      this.#tellings.set(member, { rest: this.#exported.values(), upTo: 0, ahead: new Set() });
  }

  /** Parents come before their children. */
  tellNext(member: Audience): boolean {
    const telling = this.#tellings.get(member);
    const next = telling?.rest.next();
    if (!telling || !next || next.done) {
      this.#tellings.delete(member);
      return false;
    }
    telling.upTo = next.value.handle;
    if (!telling.ahead.delete(next.value)) member.tell(this.#addition(next.value));
    return true;
  }

  /** The member has lost sight of the other end of a link. @returns whether all members have */
  leaveLink(member: Audience, link: string): boolean {
    return this.#leavers.add(member, link, this.#audience);
  }

  detach(member: Audience): void {
    this.#leavers.forget(member);
    this.#tellings.delete(member);
    if (this.#audience.delete(member)) member.count(-this.size, -this.#bytes);
    for (const exported of this.#exported.values()) exported.forgetListener(member);
  }

  isShownTo(member: Audience): boolean {
    return this.#audience.has(member);
  }

  onEvent(exported: ExportedObject, name: string, args: unknown[], listeners?: ReadonlySet<Audience>): void {
    // mediasoup tells of the end of a Worker's process before it tells that the Worker has closed; clients learn why first.
    if (exported.cause) this.#tellClose(exported);
    const changes = exported.takeChanges();
    const message: ServerMessage = { type: 'event', handle: exported.handle, name, args: this.#encode(args), changes };
    if (this.#tellings.size === 0) return this.tell(message, listeners);
    const named = this.#namedIn(args);
    for (const member of listeners ?? this.#audience) {
      for (const object of named) this.#tellAhead(member, object);
      // The object's state, as it is told now, says as much as an event that tells of one of its properties.
      if (!this.#tellAhead(member, exported) || !tellsOfState(exported, name)) member.tell(message);
    }
  }

  /** Tells what an object's method has changed, so that everybody knows before its caller gets the answer. */
  tellChanges(exported: ExportedObject): void {
    const changes = exported.takeChanges();
    if (!changes) return;
    const message: ServerMessage = { type: 'change', handle: exported.handle, changes };
    const size = measure(message);
    if (size.bytes > LARGE_BYTES) this.#recount(exported);
    for (const member of this.#audience) if (!this.#tellAhead(member, exported)) member.tell(message, size);
  }

  #recount(exported: ExportedObject): void {
    const more = exported.changingBytes - exported.grownBytes;
    this.#exports.grow(exported, more);
    this.#bytes += more;
    for (const member of this.#audience) member.count(0, more);
  }

  tell(message: ServerMessage, members: ReadonlySet<Audience> = this.#audience, size?: Measure): void {
    for (const member of members) member.tell(message, size);
  }

  /** Stops following. */
  close(): void {
    this.#tree.off('add', this.#onAdd).off('remove', this.#onRemove);
    for (const exported of [...this.#exported.values(), ...this.#ending]) this.#exports.remove(exported);
    for (const member of this.#audience) member.count(-this.size, -this.#bytes);
    this.#exported.clear();
    this.#ending.clear();
    this.#audience.clear();
    this.#tellings.clear();
  }

  readonly #onAdd = (node: TreeNode): void => {
    const exported = this.#add(node);
    const message = this.#addition(exported, exported.takeState());
    const size = measure(message);
    this.#exports.count(exported, size.bytes);
    this.#bytes += size.bytes;
    for (const member of this.#audience) member.count(1, size.bytes);
    if (this.#tellings.size === 0) return this.tell(message, this.#audience, size);
    for (const member of this.#audience) {
      const telling = this.#tellings.get(member);
      const parent = telling && this.#parentOf(exported);
      if (parent) this.#tellAhead(member, parent);
      telling?.ahead.add(exported);
      member.tell(message, size);
    }
  };

  /** Tells of an object, and what it is in, before it is its turn. @returns whether that was not known */
  #tellAhead(member: Audience, exported: ExportedObject): boolean {
    const telling = this.#tellings.get(member);
    if (
      !telling ||
      exported.handle <= telling.upTo ||
      telling.ahead.has(exported) ||
      this.#exported.get(exported.node) !== exported
    )
      return false;
    const parent = this.#parentOf(exported);
    if (parent) this.#tellAhead(member, parent);
    telling.ahead.add(exported);
    member.tell(this.#addition(exported));
    return true;
  }

  #parentOf({ node }: ExportedObject): ExportedObject | undefined {
    return node.parent && this.#exported.get(node.parent);
  }

  /** The objects here that are named in what an event tells. */
  #namedIn(args: unknown[]): ExportedObject[] {
    const named: ExportedObject[] = [];
    encode(args, object => {
      const exported = this.#exports.byObject(object);
      if (exported?.exporter === this) named.push(exported);
      return this.#exports.handleOf(object);
    });
    return named;
  }

  readonly #onRemove = (node: TreeNode): void => {
    const exported = this.#exported.get(node);
    if (!exported) return;
    this.#exported.delete(node);
    for (const { ahead } of this.#tellings.values()) ahead.delete(exported);
    this.#bytes -= exported.bytes;
    for (const member of this.#audience) member.count(-1, -exported.bytes);
    if (node.type === 'worker') return this.#onWorkerGone(exported, node);
    // What closes with its parent is closed by the client itself, as mediasoup does.
    if (!node.parent?.object.closed) this.#tellClose(exported);
    this.#exports.remove(exported);
  };

  #onWorkerGone(exported: ExportedObject, { object }: TreeNode<'worker'>): void {
    const forget = (): void => {
      this.#ending.delete(exported);
      this.tell({ type: 'forget', handle: exported.handle });
      this.#exports.remove(exported);
    };
    if (!object.closed) return forget();
    this.#ending.add(exported);
    const onClosed = (): void => {
      if (!this.#ending.has(exported)) return;
      this.#tellClose(exported);
      // Its process ends later; whoever has made the Worker may wait for that.
      if (object.subprocessClosed) forget();
      else object.once('subprocessclose', () => this.#ending.has(exported) && forget());
    };
    // Where its Routers have just closed because of it, whether it died is told last.
    if (this.mafaldaRouterId === undefined) onClosed();
    else onceClosed(object, onClosed);
  }

  #add(node: TreeNode): ExportedObject {
    const exported = this.#exports.add(node, this);
    this.#exported.set(node, exported);
    return exported;
  }

  #addition(exported: ExportedObject, state?: Changes): ServerMessage {
    const addition = exported.toAddition(this.#parentOf(exported), state);
    if (exported.node.type === 'worker') addition.id = this.#exports.workerId(addition.id);
    if (exported.node.type === 'router') addition.families = this.#exports.familiesOf(exported.node.object);
    return {
      type: 'add',
      mafaldaRouter: this.mafaldaRouterId,
      addition: { ...addition, appData: encodeAppData(addition.appData, object => this.#exports.handleOf(object)) },
    };
  }

  #tellClose(exported: ExportedObject): void {
    if (exported.closeTold) return;
    exported.closeTold = true;
    // One that has died has no process any more: that is known before it is told.
    if (exported.node.type === 'worker') this.tellChanges(exported);
    this.tell({ type: 'close', handle: exported.handle, cause: exported.cause });
  }

  #encode<T>(value: T): T {
    return encode(value, object => this.#exports.handleOf(object)) as T;
  }
}

/** Whether the event tells of a property, which who hears of the object later is told as well. */
function tellsOfState({ description: { tellsOf = {} } }: ExportedObject, name: string): boolean {
  return Object.values(tellsOf).flat().includes(name);
}
