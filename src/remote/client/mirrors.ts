/** All mirrors of one connection to a server, and how they follow what the server tells. */
import type { AppData, Router, Worker } from 'mediasoup/types';
import { classes, descriptionOf } from '../protocol/classes.ts';
import { decode } from '../protocol/codec.ts';
import { decodeError } from '../protocol/errors.ts';
import type { Addition, Changes, CloseCause } from '../protocol/messages.ts';
import { createMirror, isWorker } from './mirrorClasses.ts';
import { MirrorCore, type Caller } from './mirrorCore.ts';

export interface MirrorsListener {
  /** One that was made for us alone. */
  onWorker(worker: Worker): void;
  onRouter(mafaldaRouter: string, router: Router, worker: Worker, workerId: string): void;
  onWorkerDied(mafaldaRouter: string, worker: Worker, error: Error): void;
  /** Whether the object is closed for the application already, which the server does not know yet. */
  hasClosed(handle: number): boolean;
}

export class Mirrors {
  readonly #caller: Caller;
  readonly #listener: MirrorsListener;
  readonly #byHandle = new Map<number, MirrorCore>();
  /** MafaldaRouters of one server share Workers: each has a handle of its own for them, and one mirror serves all. */
  readonly #workers = new Map<string, { core: MirrorCore; mafaldaRouters: Map<number, string> }>();

  constructor(caller: Caller, listener: MirrorsListener) {
    this.#caller = caller;
    this.#listener = listener;
  }

  get size(): number {
    return this.#byHandle.size;
  }

  objectOf(handle: number): object | undefined {
    return this.#byHandle.get(handle)?.object;
  }

  /** @param mafaldaRouter undefined for what is in a Worker of our own */
  add(mafaldaRouter: string | undefined, addition: Addition): void {
    if (!Object.hasOwn(classes, addition.className)) throw new TypeError(`unknown class ${addition.className}`);
    const known = this.#byHandle.get(addition.handle);
    if (known) return known.catchUp(addition.state);
    if (this.#listener.hasClosed(addition.handle)) return;
    if (addition.className === 'SharedWorker' && mafaldaRouter !== undefined) return this.#addSharedWorker(mafaldaRouter, addition);
    if (addition.className === 'Worker') return this.#listener.onWorker(this.#create(addition, undefined, undefined).object as Worker);
    const parent = addition.parent === undefined ? undefined : this.#byHandle.get(addition.parent);
    // We have closed its parent while this was on its way: it closes with it at the server.
    if (!parent || parent.closed) return;
    const core = this.#create(addition, parent, mafaldaRouter);
    if (addition.className === 'Router' && mafaldaRouter !== undefined) {
      const { object } = parent;
      this.#listener.onRouter(mafaldaRouter, core.object as Router, object as Worker, parent.id);
    }
    parent.announce(core);
  }

  event(handle: number, name: string, args: unknown[], changes: Changes | undefined): void {
    const core = this.#byHandle.get(handle);
    if (!core || !Object.hasOwn(core.description.events, name)) return;
    if (changes) core.apply(changes);
    core.emit(name, args);
  }

  change(handle: number, changes: Changes): void {
    this.#byHandle.get(handle)?.apply(changes);
  }

  close(handle: number, cause: CloseCause | undefined): void {
    const core = this.#byHandle.get(handle);
    if (!core) return;
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
    this.#byHandle.delete(handle);
    const worker = this.#workers.get(core.id);
    if (worker?.core !== core) return;
    worker.mafaldaRouters.delete(handle);
    if (worker.mafaldaRouters.size === 0) this.#workers.delete(core.id);
  }

  /** The server is gone, and everything with it. */
  closeAll(): void {
    for (const core of new Set(this.#byHandle.values())) {
      if (core.parent) continue;
      core.end(undefined, []);
      // Nobody will ever tell.
      core.apply({ subprocessClosed: true });
      core.emit('subprocessclose', []);
    }
    this.#workers.clear();
    this.#byHandle.clear();
  }

  #addSharedWorker(mafaldaRouter: string, addition: Addition): void {
    const { id, handle } = addition;
    const known = this.#workers.get(id);
    // A server that lost sight of a Worker has told that it closed, and may find it again.
    const isOpen = known !== undefined && !known.core.closed;
    const worker = isOpen ? known : { core: this.#create(addition, undefined, undefined), mafaldaRouters: new Map<number, string>() };
    worker.mafaldaRouters.set(handle, mafaldaRouter);
    this.#workers.set(id, worker);
    this.#byHandle.set(handle, worker.core);
  }

  #create(addition: Addition, parent: MirrorCore | undefined, mafaldaRouter: string | undefined): MirrorCore {
    const { className, handle } = addition;
    const core = new MirrorCore(this.#caller, descriptionOf(className), addition, parent, mafaldaRouter);
    createMirror(className, core, (decode(addition.appData, known => this.objectOf(known), true) ?? {}) as AppData);
    this.#byHandle.set(handle, core);
    // Of a Worker there is more to be told.
    if (!isWorker(core.object)) core.onClosed = () => this.#byHandle.delete(handle);
    return core;
  }
}
