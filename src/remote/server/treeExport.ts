/** Shows a tree of objects to the clients attached to it: existing and new objects, their changes, events and ends. */
import type { ObjectTree, ObjectType, ObjectTypes, TreeNode } from '../../core/objectTree.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import { isLinkTransport } from '../../piping/endpoint.ts';
import { producedAt } from '../../core/producedAt.ts';
import { turns, type Turns } from '../../core/turns.ts';
import { encode, type BufferCount } from '../protocol/codec.ts';
import { measure, type Measure } from '../protocol/measure.ts';
import type { AddMessage, ListMessage } from '../protocol/lists.ts';
import type { Changes, ServerMessage } from '../protocol/messages.ts';
import { write } from '../protocol/wireText.ts';
import type { Member, ExportedObject, Exporter } from './exportedObject.ts';
import type { Exports, Unfinished } from './exports.ts';
import { LostLinks, type Agreement, type LostLink } from './lostLinks.ts';
import type { SendableTree } from './treeSender.ts';

/** Bytes up to which changes are not counted, such as scores and states, which come often. */
const LARGE_BYTES = 512;

/** Progress of sending the tree to a member that does not know all objects yet. */
interface Progress {
  /** Objects to send next. New objects are appended. */
  readonly remaining: Iterator<ExportedObject>;
  /** Handle up to which all objects have been sent. */
  upTo: number;
  /** Objects sent ahead of their turn: new objects, and objects with an event, a change or a new child. */
  readonly ahead: Set<ExportedObject>;
}

export class TreeExport implements Exporter, SendableTree, Unfinished {
  /** Id of the MafaldaRouter whose tree it is; undefined for a client's own Workers. */
  readonly mafaldaRouterId: string | undefined;
  readonly #tree: ObjectTree;
  readonly #exports: Exports;
  #exported = new Map<TreeNode, ExportedObject>();
  /**
   * Nodes from before the export, which are exported one by one as they are sent: a large room would hold up the event
   * loop otherwise. Undefined when all are exported.
   */
  #remainingNodes: Iterator<TreeNode> | undefined;
  /** Workers that have left the tree, and whose end has not been sent yet. */
  readonly #ending = new Set<ExportedObject>();
  readonly #members = new Set<Member>();
  readonly #progress = new Map<Member, Progress>();
  readonly #lostLinks = new LostLinks();
  readonly #turns: Turns;
  #bytes = 0;
  #isClosed = false;

  constructor(tree: ObjectTree, exports: Exports, mafaldaRouterId?: string, shared = turns) {
    this.#turns = shared;
    this.mafaldaRouterId = mafaldaRouterId;
    this.#tree = tree;
    this.#exports = exports;
    if (tree.size > 0) {
      this.#remainingNodes = tree.nodes()[Symbol.iterator]();
      exports.addUnfinished(this);
    }
    tree.on('add', this.#onAdd).on('remove', this.#onRemove).on('disown', this.#onDisown);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get members(): Iterable<Member> {
    return this.#members;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  get size(): number {
    return this.#exported.size;
  }

  /** Bytes that the objects take, with their `appData`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a member. It gets existing objects by {@link sendNext}, and changes at once. */
  attach(member: Member): void {
    if (this.#members.has(member)) return;
    this.#members.add(member);
    member.count(this.size, this.#bytes);
    this.startSending(member);
  }

  /** Starts sending all objects to a member again, which has missed messages. */
  startSending(member: Member): void {
    if (this.#exported.size > 0 || this.#remainingNodes)
      this.#progress.set(member, { remaining: this.#exported.values(), upTo: 0, ahead: new Set() });
  }

  /** Sends the next object, parents before their children. @returns false when all are sent */
  sendNext(member: Member): boolean {
    const progress = this.#progress.get(member);
    // An object is exported for each that is sent, so that no member gets to the end before all are exported.
    if (progress) this.#exportNext();
    const next = progress?.remaining.next();
    if (!progress || !next || next.done) {
      this.#progress.delete(member);
      return false;
    }
    progress.upTo = next.value.handle;
    if (!progress.ahead.delete(next.value)) this.#sendAddition(member, next.value);
    return true;
  }

  /** Records that the member has lost contact to the other end of a link. */
  leaveLink(member: Member, link: LostLink): Agreement {
    return this.#lostLinks.add(member, link, this.#members);
  }

  /** Links to whose other end all connected members have lost contact. */
  get lostLinks(): readonly LostLink[] {
    return this.#lostLinks.lost(this.#members);
  }

  detach(member: Member): void {
    this.#lostLinks.forget(member);
    this.#progress.delete(member);
    if (this.#members.delete(member)) member.count(-this.size, -this.#bytes);
    for (const exported of this.#exported.values()) exported.forgetListener(member);
  }

  isShownTo(member: Member): boolean {
    return this.#members.has(member);
  }

  onEvent(exported: ExportedObject, name: string, args: unknown[], listeners?: ReadonlySet<Member>): void {
    // mediasoup emits the end of a Worker's process before its closing; clients get the reason first.
    if (exported.cause) this.#sendClose(exported);
    const changes = exported.takeChanges();
    const buffers: BufferCount = { count: 0 };
    const encoded = encode(args, this.#handleOf, buffers) as unknown[];
    const message: ServerMessage = { type: 'event', handle: exported.handle, name, args: encoded, changes };
    const size = buffers.count === 0 ? write(message) : measure(message);
    if (this.#progress.size === 0) return this.send(message, listeners, size);
    const named = this.#namedIn(args);
    for (const member of listeners ?? this.#members) {
      for (const object of named) this.#sendAhead(member, object);
      // The object's state, which is sent now, makes an event that only reports a property superfluous.
      if (!this.#sendAhead(member, exported) || !reportsState(exported, name)) member.send(message, size);
    }
  }

  /** Sends the changes that a method has made, so that all members have them before the caller gets the answer. */
  sendChanges(exported: ExportedObject): void {
    const changes = exported.takeChanges();
    if (!changes) return;
    const message: ServerMessage = { type: 'change', handle: exported.handle, changes };
    const size = write(message);
    if (size.bytes > LARGE_BYTES) this.#recount(exported);
    const canWait = isOfLink(exported.node);
    for (const member of this.#members) if (!this.#sendAhead(member, exported)) member.send(message, size, [], canWait);
  }

  #recount(exported: ExportedObject): void {
    const more = exported.changingBytes - exported.grownBytes;
    this.#exports.grow(exported, more);
    this.#bytes += more;
    for (const member of this.#members) member.count(0, more);
  }

  send(message: ServerMessage, members: ReadonlySet<Member> = this.#members, size?: Measure): void {
    for (const member of members) member.send(message, size);
  }

  exportNow(object: ObjectTypes[ObjectType]): void {
    const node = this.#tree.nodeOf(object);
    if (node) this.#exportEarlier(node);
  }

  /**
   * Stops following the tree, and forgets all members. Objects are forgotten in turns with other work, since they may be
   * many.
   */
  close(): void {
    this.#isClosed = true;
    this.#tree.off('add', this.#onAdd).off('remove', this.#onRemove).off('disown', this.#onDisown);
    this.#finish();
    for (const member of this.#members) member.count(-this.size, -this.#bytes);
    for (const exported of this.#ending) this.#exports.remove(exported);
    const exported = this.#exported.values();
    this.#exported = new Map();
    this.#ending.clear();
    this.#members.clear();
    this.#progress.clear();
    void this.#turns.forEach(exported, object => this.#exports.remove(object));
  }

  #exportNext(): void {
    while (this.#remainingNodes) {
      const next = this.#remainingNodes.next();
      if (next.done) this.#finish();
      else if (!this.#exported.has(next.value)) return void this.#exportEarlier(next.value);
    }
  }

  /** Exports an object from before the export, after its parents. */
  #exportEarlier(node: TreeNode): void {
    // A Worker that two trees share has a node in each, only the first of which is shown here.
    if (this.#exported.has(node) || this.#tree.nodeOf(node.object) !== node) return;
    if (node.parent) this.#exportEarlier(node.parent);
    this.#add(node).takeState();
    for (const member of this.#members) member.count(1, 0);
  }

  #finish(): void {
    this.#remainingNodes = undefined;
    this.#exports.deleteUnfinished(this);
  }

  readonly #onAdd = (node: TreeNode): void => {
    if (node.parent && this.#remainingNodes) this.#exportEarlier(node.parent);
    const exported = this.#add(node);
    const { message, size, lists } = this.#addition(exported, exported.takeState());
    this.#exports.count(exported, size.bytes);
    this.#bytes += size.bytes;
    for (const member of this.#members) member.count(1, size.bytes);
    const canWait = isOfLink(node);
    for (const member of this.#members) {
      const progress = this.#progress.get(member);
      const parent = progress && this.#parentOf(exported);
      if (parent) this.#sendAhead(member, parent);
      progress?.ahead.add(exported);
      member.send(message, size, lists, canWait);
    }
  };

  /** Sends an object, and its parents, before their turn. @returns whether the member did not know it */
  #sendAhead(member: Member, exported: ExportedObject): boolean {
    const progress = this.#progress.get(member);
    if (
      !progress ||
      exported.handle <= progress.upTo ||
      progress.ahead.has(exported) ||
      this.#exported.get(exported.node) !== exported
    )
      return false;
    const parent = this.#parentOf(exported);
    if (parent) this.#sendAhead(member, parent);
    progress.ahead.add(exported);
    this.#sendAddition(member, exported);
    return true;
  }

  #sendAddition(member: Member, exported: ExportedObject): void {
    const { message, size, lists } = this.#addition(exported);
    member.send(message, size, lists);
  }

  #parentOf({ node }: ExportedObject): ExportedObject | undefined {
    return node.parent && this.#exported.get(node.parent);
  }

  /** Returns the objects of this tree that the arguments of an event refer to. */
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
    for (const { ahead } of this.#progress.values()) ahead.delete(exported);
    this.#bytes -= exported.bytes;
    for (const member of this.#members) member.count(-1, -exported.bytes);
    if (node.type === 'worker') return this.#onWorkerGone(exported, node);
    // The client closes children with their parent itself, as mediasoup does.
    if (!node.parent?.object.closed) this.#sendClose(exported);
    this.#exports.remove(exported);
  };

  readonly #onDisown = (node: TreeNode): void => {
    const exported = this.#exported.get(node);
    if (exported) exported.holding?.lose([exported]);
  };

  #onWorkerGone(exported: ExportedObject, { object }: TreeNode<'worker'>): void {
    const forget = (): void => {
      this.#ending.delete(exported);
      this.send({ type: 'forget', handle: exported.handle });
      this.#exports.remove(exported);
    };
    if (!object.closed) return forget();
    this.#ending.add(exported);
    const onClosed = (): void => {
      if (!this.#ending.has(exported)) return;
      this.#sendClose(exported);
      // The Worker is forgotten only when its process has ended, since its creator may wait for that.
      if (object.subprocessClosed) forget();
      else object.once('subprocessclose', () => this.#ending.has(exported) && forget());
    };
    // A MafaldaRouter's Worker that has died emits `died` only after its Routers have closed.
    if (this.mafaldaRouterId === undefined) onClosed();
    else onceClosed(object, onClosed);
  }

  #add(node: TreeNode): ExportedObject {
    const exported = this.#exports.add(node, this);
    this.#exported.set(node, exported);
    return exported;
  }

  #addition(exported: ExportedObject, state?: Changes): SizedAddition {
    const addition = exported.toAddition(this.#parentOf(exported), this.#handleOf, state);
    const lists = this.#exports.lists.shorten(addition.state);
    if (exported.node.type === 'worker') addition.id = this.#exports.workerId(addition.id);
    if (exported.node.type === 'router') addition.families = this.#exports.familiesOf(exported.node.object);
    const time = producedAt(exported.node.object);
    if (time !== undefined) addition.producedAt = time;
    const message: AddMessage = { type: 'add', mafaldaRouter: this.mafaldaRouterId, addition };
    return { message, size: sizeOf(message), lists };
  }

  #sendClose(exported: ExportedObject): void {
    if (exported.isCloseSent) return;
    exported.isCloseSent = true;
    // The change of `subprocessClosed` of a Worker that has died goes before the closing.
    if (exported.node.type === 'worker') this.sendChanges(exported);
    this.send({ type: 'close', handle: exported.handle, cause: exported.cause });
  }

  readonly #handleOf = (object: object): number | undefined => this.#exports.handleOf(object);
}

interface SizedAddition {
  readonly message: AddMessage;
  readonly size: Measure;
  /** Lists that its state refers to. */
  readonly lists: readonly ListMessage[];
}

/** An `appData` may have Buffers, which are no part of the JSON. */
function sizeOf(message: AddMessage): Measure {
  return message.addition.appData === undefined ? write(message) : measure(message);
}

/**
 * Returns whether the object is an end of a link, or in one. Such objects come in calls that have several steps: the
 * client is told of all steps in a single packet.
 */
function isOfLink({ type, object, parent }: TreeNode): boolean {
  if (type === 'transport') return isLinkTransport(object);
  return parent?.type === 'transport' && isLinkTransport(parent.object);
}

/** Whether the event reports a property, which is part of the object's state. */
function reportsState({ description: { stateEvents = {} } }: ExportedObject, name: string): boolean {
  return Object.values(stateEvents).flat().includes(name);
}
