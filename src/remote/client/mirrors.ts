/** All mirrors of one connection to a server, and how they follow what the server tells. */
import type { AppData, Router, Worker } from 'mediasoup/types';
import { tellChanged } from '../../core/changed.ts';
import type { Closable } from '../../core/onceClosed.ts';
import { tellFamilies } from '../../core/addresses/families.ts';
import { descriptionOf } from '../protocol/classes.ts';
import { decode } from '../protocol/codec.ts';
import { decodeError } from '../protocol/errors.ts';
import type { Addition, Changes, CloseCause } from '../protocol/messages.ts';
import { measure } from '../protocol/measure.ts';
import { checkParent } from '../protocol/validateServer.ts';
import type { NodeLimits } from './nodeLimits.ts';
import { createMirror, isWorker } from './mirrorClasses.ts';
import { MirrorCore, type Caller } from './mirrorCore.ts';
import { SharedParameters } from './sharedParameters.ts';

export interface MirrorsListener {
  /** One that was made for us alone. */
  onWorker(worker: Worker): void;
  onRouter(mafaldaRouter: string, router: Router, worker: Worker, workerId: string): void;
  onWorkerDied(mafaldaRouter: string, worker: Worker, error: Error): void;
  /** Whether the object is closed for the application already, which the server does not know yet. */
  hasClosed(handle: number): boolean;
}

/** What is told of an object later is counted when it is more than this: scores and states, which come often, are less. */
const LARGE_BYTES = 256;

export class Mirrors {
  readonly #caller: Caller;
  readonly #listener: MirrorsListener;
  readonly #limits: NodeLimits;
  readonly #parameters = new SharedParameters();
  readonly #byHandle = new Map<number, MirrorCore>();
  /** What they take, by the same handles. */
  readonly #bytesOf = new Map<number, number>();
  /** What those take beyond that, of which something large was told later. */
  readonly #grown = new Map<number, number>();
  #bytes = 0;
  /** MafaldaRouters of one server share Workers: each has a handle of its own for them, and one mirror serves all. */
  readonly #workers = new Map<string, { core: MirrorCore; mafaldaRouters: Map<number, string> }>();

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

  /**
   * @param mafaldaRouter undefined for what is in a Worker of our own
   * @param bytes that it takes
   * @throws {Error} for what can't be there, or is too much
   */
  add(mafaldaRouter: string | undefined, addition: Addition, bytes: number): void {
    const known = this.#byHandle.get(addition.handle);
    if (known) {
      if (known.className !== addition.className || known.id !== addition.id)
        throw new TypeError(`the handle ${addition.handle} stands for another object`);
      known.catchUp(addition.state);
      return this.#countChanges(addition.handle, known, addition.state, bytes);
    }
    if (this.#listener.hasClosed(addition.handle)) return;
    this.#count(addition.handle, bytes);
    if (addition.className === 'SharedWorker' && mafaldaRouter !== undefined)
      return this.#addSharedWorker(mafaldaRouter, addition);
    if (addition.className === 'Worker')
      return this.#listener.onWorker(this.#create(addition, undefined, undefined).object as Worker);
    const parent = addition.parent === undefined ? undefined : this.#byHandle.get(addition.parent);
    // We have closed its parent while this was on its way: it closes with it at the server.
    if (!parent || parent.closed) return this.#uncount(addition.handle);
    checkParent(addition.className, parent.className);
    const core = this.#create(addition, parent, mafaldaRouter);
    if (addition.className === 'Router' && mafaldaRouter !== undefined) {
      if (addition.families) tellFamilies(core.object as Router, addition.families);
      const { object } = parent;
      this.#listener.onRouter(mafaldaRouter, core.object as Router, object as Worker, parent.id);
    }
    parent.announce(core);
  }

  /** @param bytes that the message takes @throws {Error} for what can't be told of it, or is too much */
  event(handle: number, name: string, args: unknown[], changes: Changes | undefined, bytes: number): void {
    const core = this.#byHandle.get(handle);
    if (!core || !Object.hasOwn(core.description.events, name)) return;
    if (changes) {
      core.apply(changes);
      this.#countChanges(handle, core, changes, bytes);
    }
    core.emit(name, args);
  }

  /** @param bytes that the message takes @throws {Error} for what can't be told of it, or is too much */
  change(handle: number, changes: Changes, bytes: number): void {
    const core = this.#byHandle.get(handle);
    if (!core) return;
    core.apply(changes);
    this.#countChanges(handle, core, changes, bytes);
    tellChanged(core.object as Closable);
  }

  close(handle: number, cause: CloseCause | undefined): void {
    const core = this.#byHandle.get(handle);
    if (!core) return;
    if (cause && !core.description.closedBy.includes(cause.name))
      throw new TypeError(`a ${core.className} does not close by ${cause.name}`);
    const error = cause?.error && decodeError(cause.error);
    if (isWorker(core.object) && error) {
      core.end(cause.name, [error]);
      // Each of its MafaldaRouters has a handle of its own, and hears of it by that one.
      const mafaldaRouter = this.#workers.get(core.id)?.mafaldaRouters.get(handle);
      if (mafaldaRouter !== undefined) this.#listener.onWorkerDied(mafaldaRouter, core.object, error);
    } else {
      core.end(cause?.name, error ? [error] : []);
    }
    // A Worker's process ends later, and is forgotten then.
    if (!isWorker(core.object)) this.forget(handle);
  }

  /** The object lives on, but not in this MafaldaRouter. */
  forget(handle: number): void {
    const core = this.#byHandle.get(handle);
    if (!core) return;
    this.#delete(handle);
    const worker = this.#workers.get(core.id);
    if (worker?.core !== core) return;
    worker.mafaldaRouters.delete(handle);
    if (worker.mafaldaRouters.size === 0) this.#workers.delete(core.id);
  }

  /** Everything closes. @param death what has become of the server: its Workers are told to have died of it */
  closeAll(death?: Error): void {
    for (const core of new Set(this.#byHandle.values())) {
      if (core.parent) continue;
      if (death && isWorker(core.object)) core.end('died', [death]);
      else core.end(undefined, []);
      // Nobody will ever tell.
      core.apply({ subprocessClosed: true });
      core.emit('subprocessclose', []);
    }
    this.#workers.clear();
    this.#byHandle.clear();
    this.#bytesOf.clear();
    this.#grown.clear();
    this.#bytes = 0;
  }

  #delete(handle: number): void {
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
    this.#bytes -= (this.#bytesOf.get(handle) ?? 0) + (this.#grown.get(handle) ?? 0);
    this.#bytesOf.delete(handle);
    this.#grown.delete(handle);
  }

  #addSharedWorker(mafaldaRouter: string, addition: Addition): void {
    const { id, handle } = addition;
    const known = this.#workers.get(id);
    // A server that lost sight of a Worker has told that it closed, and may find it again.
    const isOpen = known !== undefined && !known.core.closed;
    const worker = isOpen
      ? known
      : { core: this.#create(addition, undefined, undefined), mafaldaRouters: new Map<number, string>() };
    worker.mafaldaRouters.set(handle, mafaldaRouter);
    this.#workers.set(id, worker);
    this.#byHandle.set(handle, worker.core);
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
    createMirror(className, core, (decode(addition.appData, known => this.objectOf(known), true) ?? {}) as AppData);
    this.#byHandle.set(handle, core);
    // Of a Worker there is more to be told.
    if (!isWorker(core.object)) core.onClosed = () => this.#delete(handle);
    return core;
  }
}
