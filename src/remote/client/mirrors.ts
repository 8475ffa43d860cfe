/** All mirrors of one connection to a server, and how they follow what the server tells. */
import type { AppData, Router, Worker } from 'mediasoup/types';
import { classes, descriptionOf } from '../protocol/classes.ts';
import { decode } from '../protocol/codec.ts';
import { decodeError } from '../protocol/errors.ts';
import type { Addition, Changes, CloseCause } from '../protocol/messages.ts';
import { createMirror, RemoteWorker } from './mirrorClasses.ts';
import { MirrorCore, type Caller } from './mirrorCore.ts';

export interface MirrorsListener {
  onRouter(mafaldaRouter: string, router: Router, worker: Worker, workerId: string): void;
  onWorkerDied(mafaldaRouter: string, worker: Worker, error: Error): void;
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

  add(mafaldaRouter: string, addition: Addition): void {
    if (!Object.hasOwn(classes, addition.className)) throw new TypeError(`unknown class ${addition.className}`);
    if (addition.className === 'Worker') return this.#addWorker(mafaldaRouter, addition);
    const parent = addition.parent === undefined ? undefined : this.#byHandle.get(addition.parent);
    // We have closed its parent while this was on its way: it closes with it at the server.
    if (!parent || parent.closed) return;
    const core = this.#create(addition, parent);
    if (addition.className === 'Router') {
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
    if (core.object instanceof RemoteWorker && error) {
      core.object.markDied();
      core.end(cause.name, [error]);
      // Each of its MafaldaRouters has a handle of its own, and hears of it by that one.
      const mafaldaRouter = this.#workers.get(core.id)?.mafaldaRouters.get(handle);
      if (mafaldaRouter !== undefined) this.#listener.onWorkerDied(mafaldaRouter, core.object, error);
    } else {
      core.end(cause?.name, error ? [error] : []);
    }
    this.forget(handle);
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
    for (const { core } of this.#workers.values()) core.end(undefined, []);
    this.#workers.clear();
    this.#byHandle.clear();
  }

  #addWorker(mafaldaRouter: string, addition: Addition): void {
    const { id, handle } = addition;
    const worker = this.#workers.get(id) ?? { core: this.#create(addition, undefined), mafaldaRouters: new Map<number, string>() };
    worker.mafaldaRouters.set(handle, mafaldaRouter);
    this.#workers.set(id, worker);
    this.#byHandle.set(handle, worker.core);
  }

  #create(addition: Addition, parent: MirrorCore | undefined): MirrorCore {
    const { className, handle } = addition;
    const core = new MirrorCore(this.#caller, descriptionOf(className), addition, parent);
    createMirror(className, core, (decode(addition.appData, known => this.objectOf(known)) ?? {}) as AppData);
    this.#byHandle.set(handle, core);
    // A Worker's other handles are still to be told of.
    if (className !== 'Worker') core.onClosed = () => this.#byHandle.delete(handle);
    return core;
  }
}
