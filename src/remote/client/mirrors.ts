/** All mirrors of one connection to a server, updated by the server's messages. */
import type { AppData, Router, Worker } from 'mediasoup/types';
import { emitChanged } from '../../core/changed.ts';
import type { Closable } from '../../core/onceClosed.ts';
import type { ObjectType, ObjectTypes } from '../../core/objectTree.ts';
import { setKey } from '../../core/idempotencyKeys.ts';
import { setFamilies } from '../../core/addresses/families.ts';
import { noteProducedAt } from '../../core/producedAt.ts';
import { descriptionOf } from '../protocol/classes.ts';
import { decode } from '../protocol/codec.ts';
import { decodeError } from '../protocol/errors.ts';
import { KnownLists } from '../protocol/lists.ts';
import type { Addition, Changes, CloseCause } from '../protocol/messages.ts';
import { measure } from '../protocol/measure.ts';
import { checkParent } from '../protocol/validateServer.ts';
import type { NodeLimits } from './nodeLimits.ts';
import { createMirror, isWorker } from './mirrorClasses.ts';
import { MirrorCore, type Caller } from './mirrorCore.ts';
import { SharedParameters } from './sharedParameters.ts';
import { UnboundMirrors } from './unboundMirrors.ts';
import type { Identified } from './unconfirmedCloses.ts';

export interface MirrorsListener {
  /** Called for a Worker that was made for this client alone. */
  onWorker(worker: Worker): void;
  onRouter(mafaldaRouter: string, router: Router, worker: Worker, workerId: string): void;
  onWorkerDied(mafaldaRouter: string, worker: Worker, error: Error): void;
  /** Called when another client has taken over an object that this client has made. */
  onDisowned(mafaldaRouter: string, object: ObjectTypes[ObjectType]): void;
  /** Called when an object is shown that another server has shown before. */
  onBound(object: MirrorCore): void;
  /** Whether the application has closed the object, which the server may not know yet. */
  hasClosed(object: Identified & Pick<MirrorCore, 'handle' | 'key'>): boolean;
}

/** Bytes up to which changes are not counted, such as scores and states, which come often. */
const LARGE_BYTES = 256;

export class Mirrors {
  readonly #caller: Caller;
  readonly #listener: MirrorsListener;
  readonly #limits: NodeLimits;
  readonly #lists = new KnownLists();
  readonly #parameters = new SharedParameters();
  readonly #byHandle = new Map<number, MirrorCore>();
  /** Objects that calls with an idempotency key have created. */
  readonly #byKey = new Map<string, MirrorCore>();
  /** Bytes of the message that announced each object, by handle. */
  readonly #bytesOf = new Map<number, number>();
  /** Bytes by which objects have grown by large changes, by handle. */
  readonly #grown = new Map<number, number>();
  #bytes = 0;
  /** Shared Workers by id: each MafaldaRouter has a handle of its own for a Worker, and a single mirror serves all. */
  readonly #workers = new Map<string, { core: MirrorCore; mafaldaRouters: Map<number, string> }>();
  /** Mirrors from another server, which the present one has not shown yet. */
  readonly #unbound = new UnboundMirrors();

  constructor(caller: Caller, limits: NodeLimits, listener: MirrorsListener) {
    this.#caller = caller;
    this.#limits = limits;
    this.#listener = listener;
  }

  get size(): number {
    return this.#byHandle.size;
  }

  objectOf(handle: number): object | undefined {
    return this.#byHandle.get(handle)?.object;
  }

  mirrorOf(handle: number): MirrorCore | undefined {
    return this.#byHandle.get(handle);
  }

  /** Returns the mirror of the object that the call with this idempotency key has created. */
  mirrorOfKey(key: string): MirrorCore | undefined {
    return this.#byKey.get(key);
  }

  /**
   * Keeps the mirrors for another server, which has handles of its own, and shows the same objects by their ids.
   * @param death error of the client's own Workers, which die with their server
   */
  unbind(death: Error): void {
    for (const core of new Set(this.#byHandle.values())) {
      if (core.mafaldaRouter === undefined && core.className !== 'SharedWorker') continue;
      this.#unbound.add(core);
    }
    for (const core of this.#unbound) core.unbind();
    const own = [...new Set(this.#byHandle.values())].filter(({ isBound, parent }) => isBound && !parent);
    this.#clear();
    for (const core of own) {
      core.end(...endOfRoot(core, death));
      endProcess(core);
    }
  }

  /**
   * Ends the mirrors in a MafaldaRouter that the present server does not show: their objects are gone.
   * @returns the steps
   */
  endMissing(mafaldaRouter: string): Iterator<void, void> {
    const streams = new Set<string>();
    for (const core of this.#byHandle.values())
      if (core.mafaldaRouter === mafaldaRouter && core.className.endsWith('Producer')) streams.add(core.id);
    return this.#unbound.ending(mafaldaRouter, streams);
  }

  /** Returns the objects in a MafaldaRouter that this client has made. */
  ownIn(mafaldaRouter: string): MirrorCore[] {
    return [...this.#byHandle.values()].filter(core => core.isOwn && core.mafaldaRouter === mafaldaRouter);
  }

  /** Notes that another client has taken over objects of this client's. */
  disown(handles: readonly number[]): void {
    for (const handle of handles) {
      const core = this.#byHandle.get(handle);
      core?.disown();
      if (core?.mafaldaRouter !== undefined)
        this.#listener.onDisowned(core.mafaldaRouter, core.object as ObjectTypes[ObjectType]);
    }
  }

  /** Keeps a list to which the states of objects refer. @throws {TypeError} for a list that can't be one */
  learn(slot: number, list: unknown[], bytes: number): void {
    this.#lists.remember(slot, list, bytes);
  }

  /**
   * Adds the mirror of an object, or updates it if its handle is known.
   * @param mafaldaRouter undefined for objects in the client's own Workers
   * @param bytes of the message
   * @throws {Error} for an object that can't exist, or is beyond the limits
   */
  add(mafaldaRouter: string | undefined, addition: Addition, bytes: number): void {
    this.#lists.complete(addition.state);
    const known = this.#byHandle.get(addition.handle);
    if (known) {
      if (known.className !== addition.className || known.id !== addition.id)
        throw new TypeError(`the handle ${addition.handle} stands for another object`);
      known.catchUp(addition.state);
      return this.#countChanges(addition.handle, known, addition.state, bytes);
    }
    const { handle, className, id, key } = addition;
    const parent = addition.parent === undefined ? undefined : this.#byHandle.get(addition.parent);
    const identified = { className, id, parentId: parent?.id, mafaldaRouter, handle, key };
    if (this.#listener.hasClosed(identified)) return;
    this.#count(handle, bytes);
    if (className === 'SharedWorker' && mafaldaRouter !== undefined)
      return this.#addSharedWorker(mafaldaRouter, addition);
    if (this.#rebind(identified, addition)) return;
    if (className === 'Worker')
      return this.#listener.onWorker(this.#create(addition, undefined, undefined).object as Worker);
    // An object whose parent has been closed here in the meantime closes with it at the server.
    if (!parent || parent.closed) return this.#uncount(handle);
    checkParent(className, parent.className);
    const core = this.#create(addition, parent, mafaldaRouter);
    if (className === 'Router' && mafaldaRouter !== undefined) {
      if (addition.families) setFamilies(core.object as Router, addition.families);
      const { object } = parent;
      this.#listener.onRouter(mafaldaRouter, core.object as Router, object as Worker, parent.id);
    }
    if (addition.producedAt !== undefined) noteProducedAt(core.object, addition.producedAt);
    parent.announce(core);
  }

  /** @param bytes of the message @throws {Error} for changes that the object can't have, or beyond the limits */
  event(handle: number, name: string, args: unknown[], changes: Changes | undefined, bytes: number): void {
    const core = this.#byHandle.get(handle);
    if (!core || !Object.hasOwn(core.description.events, name)) return;
    if (changes) {
      core.apply(changes);
      this.#countChanges(handle, core, changes, bytes);
    }
    core.emit(name, args);
  }

  /** @param bytes of the message @throws {Error} for changes that the object can't have, or beyond the limits */
  change(handle: number, changes: Changes, bytes: number): void {
    const core = this.#byHandle.get(handle);
    if (!core) return;
    core.apply(changes);
    this.#countChanges(handle, core, changes, bytes);
    emitChanged(core.object as Closable);
  }

  /**
   * Closes a mirror, and all that is in it.
   * @returns the steps, which have to be taken before anything else that the server has told
   * @throws {TypeError} in the first step, for a cause that the object can't have
   */
  *close(handle: number, cause: CloseCause | undefined): Generator<void, void, undefined> {
    const core = this.#byHandle.get(handle);
    if (!core) return;
    if (cause && !core.description.closedBy.includes(cause.name))
      throw new TypeError(`a ${core.className} does not close by ${cause.name}`);
    const error = cause?.error && decodeError(cause.error);
    if (isWorker(core.object) && error) {
      yield* core.ending(cause.name, [error]);
      // The message concerns a single MafaldaRouter of the Worker, by its handle.
      const mafaldaRouter = this.#workers.get(core.id)?.mafaldaRouters.get(handle);
      if (mafaldaRouter !== undefined) this.#listener.onWorkerDied(mafaldaRouter, core.object, error);
    } else {
      yield* core.ending(cause?.name, error ? [error] : []);
    }
    // A Worker is forgotten later, when its process has ended.
    if (!isWorker(core.object)) this.forget(handle);
  }

  /** Removes a handle: the object has closed, or lives on, but not in this MafaldaRouter. */
  forget(handle: number): void {
    const core = this.#byHandle.get(handle);
    if (!core) return;
    this.#delete(handle);
    const worker = this.#workers.get(core.id);
    if (worker?.core !== core) return;
    worker.mafaldaRouters.delete(handle);
    if (worker.mafaldaRouters.size === 0) this.#workers.delete(core.id);
  }

  /**
   * Ends all mirrors. They count as closed at once, and end step by step, since they may be many.
   * @param death error with which Workers emit `died`, if the server is gone
   * @returns the steps, which have to be taken before anything is added
   */
  endAll(death?: Error): Generator<void, void, undefined> {
    for (const core of this.#roots()) core.markClosed(endOfRoot(core, death)[0]);
    return this.#ending(death);
  }

  *#ending(death: Error | undefined): Generator<void, void, undefined> {
    for (const core of this.#roots()) {
      yield* core.ending(...endOfRoot(core, death));
      endProcess(core);
      yield;
    }
    this.#clear();
    this.#unbound.clear();
  }

  /** Returns the Workers, which hold all other objects. */
  #roots(): Set<MirrorCore> {
    const roots = new Set<MirrorCore>();
    for (const core of this.#byHandle.values()) if (!core.parent) roots.add(core);
    for (const core of this.#unbound) if (!core.parent) roots.add(core);
    return roots;
  }

  #clear(): void {
    this.#lists.clear();
    this.#workers.clear();
    this.#byHandle.clear();
    this.#byKey.clear();
    this.#bytesOf.clear();
    this.#grown.clear();
    this.#bytes = 0;
  }

  #set(handle: number, core: MirrorCore): void {
    this.#byHandle.set(handle, core);
    if (core.key !== undefined) this.#byKey.set(core.key, core);
  }

  #delete(handle: number): void {
    const key = this.#byKey.size > 0 ? this.#byHandle.get(handle)?.key : undefined;
    if (key !== undefined) this.#byKey.delete(key);
    this.#byHandle.delete(handle);
    this.#uncount(handle);
  }

  #count(handle: number, bytes: number): void {
    const { objects } = this.#limits;
    if (this.#byHandle.size >= objects)
      throw new Error(`the server tells of more than ${objects} objects (limits.objects)`);
    this.#bytesOf.set(handle, bytes);
    this.#addBytes(bytes);
  }

  #countChanges(handle: number, core: MirrorCore, changes: Changes, bytes: number): void {
    if (bytes <= LARGE_BYTES || measure(changes).bytes <= LARGE_BYTES) return;
    const { stateBytes } = core;
    const more = stateBytes - (this.#grown.get(handle) ?? 0);
    this.#grown.set(handle, stateBytes);
    this.#addBytes(more);
  }

  #addBytes(bytes: number): void {
    const { objectBytes } = this.#limits;
    this.#bytes += bytes;
    if (this.#bytes > objectBytes)
      throw new Error(`the server tells of objects that take more than ${objectBytes} bytes (limits.objectBytes)`);
  }

  #uncount(handle: number): void {
    this.#bytes -= this.#bytesOf.get(handle) ?? 0;
    this.#bytesOf.delete(handle);
    if (this.#grown.size === 0) return;
    this.#bytes -= this.#grown.get(handle) ?? 0;
    this.#grown.delete(handle);
  }

  #addSharedWorker(mafaldaRouter: string, addition: Addition): void {
    const { id, handle } = addition;
    const known = this.#workers.get(id);
    // A closed Worker may come back: a server that is a client itself may have lost its node, and have found it again.
    const isOpen = known !== undefined && !known.core.closed;
    const worker = isOpen
      ? known
      : { core: this.#sharedWorker(mafaldaRouter, addition), mafaldaRouters: new Map<number, string>() };
    worker.mafaldaRouters.set(handle, mafaldaRouter);
    this.#workers.set(id, worker);
    this.#byHandle.set(handle, worker.core);
  }

  /** Returns the mirror of a Worker that is shown for the first time, also if another server has shown it before. */
  #sharedWorker(mafaldaRouter: string, addition: Addition): MirrorCore {
    const unbound = this.#unbound.take({ ...addition, parentId: undefined, mafaldaRouter });
    if (!unbound) return this.#create(addition, undefined, undefined);
    unbound.rebind(addition);
    return unbound;
  }

  /** Goes on with the mirror of an object that another server has shown. @returns whether there is one */
  #rebind(identified: Identified, addition: Addition): boolean {
    const core = this.#unbound.take(identified);
    if (!core) return false;
    const { handle, className } = addition;
    if (className === 'Router' && addition.families) setFamilies(core.object as Router, addition.families);
    this.#set(handle, core);
    core.rebind(addition);
    this.#listener.onBound(core);
    return true;
  }

  #create(addition: Addition, parent: MirrorCore | undefined, mafaldaRouter: string | undefined): MirrorCore {
    const { className, handle } = addition;
    const core = new MirrorCore(
      this.#caller,
      descriptionOf(className),
      addition,
      parent,
      mafaldaRouter,
      this.#parameters,
    );
    const appData = (decode(addition.appData, known => this.objectOf(known), true) ?? {}) as AppData;
    if (addition.key !== undefined) setKey(appData, addition.key);
    createMirror(className, core, appData);
    this.#set(handle, core);
    // A Worker keeps its handle, since the end of its process is still to be sent.
    if (!isWorker(core.object)) core.onClosed = () => this.#forgetClosed(core);
    return core;
  }

  #forgetClosed(core: MirrorCore): void {
    if (core.isBound) this.#delete(core.handle);
    else this.#unbound.delete(core);
  }
}

/**
 * Returns why a mirror ends that is in no other one.
 * @param death error with which Workers emit `died`, if the server is gone
 */
function endOfRoot(core: MirrorCore, death: Error | undefined): [cause: string | undefined, args: unknown[]] {
  return death && isWorker(core.object) ? ['died', [death]] : [undefined, []];
}

/** Takes the process of a Worker for ended, since the server will never send that. */
function endProcess(core: MirrorCore): void {
  core.apply({ subprocessClosed: true });
  core.emit('subprocessclose', []);
}
