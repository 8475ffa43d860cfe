/** Registry of all objects that clients of a server mirror, by their handles. */
import type { Router } from 'mediasoup/types';
import type { TreeNode } from '../../core/objectTree.ts';
import { familiesOf, type Family } from '../../core/addresses/families.ts';
import { ReferredLists } from '../protocol/lists.ts';
import type { MemoryBudget } from '../protocol/memory.ts';
import { isLinkTransport } from '../../piping/endpoint.ts';
import { ExportedObject, type Exporter } from './exportedObject.ts';

type Handled = Record<symbol, number | undefined>;

/** A tree some of whose objects have no handle yet. */
export interface Unfinished {
  /** Exports an object ahead of its turn, if it is in the tree. */
  exportNow(object: object): void;
}

export class Exports {
  /** Lists that what is told of objects refers to. */
  readonly lists = new ReferredLists();
  readonly #prefix: string;
  readonly #memory: MemoryBudget;
  readonly #families: readonly Family[] | undefined;
  readonly #byHandle = new Map<number, ExportedObject>();
  /**
   * Key of the handle in each object, also in closed ones: an answer may still refer to them, and the client knows that
   * they have closed. A property takes a fraction of the time and memory of a WeakMap of many objects.
   */
  readonly #handleKey = Symbol('handle');
  readonly #unfinished = new Set<Unfinished>();
  /** Called when an object has gone. */
  onRemove: () => void = () => undefined;
  #nextHandle = 1;
  #bytes = 0;

  /**
   * @param memory from which the objects take their bytes
   * @param families of this server's addresses for pipes, if it has addresses of its own
   */
  constructor(serverId: string, memory: MemoryBudget, families: readonly Family[] | undefined) {
    this.#prefix = serverId.slice(0, 8);
    this.#memory = memory;
    this.#families = families;
  }

  /**
   * Makes a Worker's id unique among machines, since processes of two machines may have the same pid. The id that a
   * server below has made is unique already, and stays: it is the same at each server that shows the Worker.
   */
  workerId(id: string): string {
    return id.includes(':') ? id : `${this.#prefix}:${id}`;
  }

  /** Returns the address families by which pipes reach the Router. */
  familiesOf(router: Router): readonly Family[] {
    return this.#families ?? familiesOf(router);
  }

  get size(): number {
    return this.#byHandle.size;
  }

  /** Whether there are no objects, with or without a handle. */
  get isEmpty(): boolean {
    return this.#byHandle.size === 0 && this.#unfinished.size === 0;
  }

  /** Bytes that the objects take; objects that existed before the first client attached are not counted. */
  get bytes(): number {
    return this.#bytes;
  }

  add(node: TreeNode, exporter: Exporter): ExportedObject {
    const exported = new ExportedObject(this.#nextHandle++, node, exporter);
    this.#byHandle.set(exported.handle, exported);
    // A shared Worker has a handle in each of its MafaldaRouters, and is never an argument or a result.
    if (exported.className !== 'SharedWorker') (node.object as object as Handled)[this.#handleKey] = exported.handle;
    return exported;
  }

  /** Counts a new object. @param bytes that it takes */
  count(exported: ExportedObject, bytes: number): void {
    exported.bytes = bytes;
    this.#bytes += bytes;
    this.#memory.add(bytes);
  }

  /** Counts a change of an object's size. @param bytes by which it has grown, or shrunk if negative */
  grow(exported: ExportedObject, bytes: number): void {
    exported.bytes += bytes;
    exported.grownBytes += bytes;
    this.#bytes += bytes;
    this.#memory.add(bytes);
  }

  remove(exported: ExportedObject): void {
    exported.unfollow();
    if (this.#byHandle.has(exported.handle)) {
      this.#bytes -= exported.bytes;
      this.#memory.add(-exported.bytes);
    }
    exported.holding?.forget(exported);
    this.#byHandle.delete(exported.handle);
    this.onRemove();
  }

  byHandle(handle: number): ExportedObject | undefined {
    return this.#byHandle.get(handle);
  }

  handleOf(object: object): number | undefined {
    const handle = (object as Handled)[this.#handleKey];
    if (this.#unfinished.size === 0) return handle;
    // An object that was shown before, and is shown anew, has an old handle until it is exported again.
    const exported = handle === undefined ? undefined : this.#byHandle.get(handle);
    if (exported && !exported.exporter.isClosed) return handle;
    for (const tree of this.#unfinished) tree.exportNow(object);
    return (object as Handled)[this.#handleKey];
  }

  byObject(object: object): ExportedObject | undefined {
    const handle = this.handleOf(object);
    return handle === undefined ? undefined : this.#byHandle.get(handle);
  }

  addUnfinished(tree: Unfinished): void {
    this.#unfinished.add(tree);
  }

  deleteUnfinished(tree: Unfinished): void {
    this.#unfinished.delete(tree);
  }
}

export function isPipe({ type, parent }: TreeNode): boolean {
  return (
    (type === 'consumer' || type === 'dataConsumer') && parent?.type === 'transport' && isLinkTransport(parent.object)
  );
}
