/** Shows a MafaldaRouter to the clients that are attached to it: what is there, what comes, changes, happens and goes. */
import type { TreeNode } from '../../shared/objectTree.ts';
import { logger } from '../../shared/logger.ts';
import { onceClosed } from '../../shared/onceClosed.ts';
import type { PipeableMafaldaRouter } from '../../shared/types.ts';
import { encode } from '../protocol/codec.ts';
import type { Addition, ServerMessage } from '../protocol/messages.ts';
import type { ExportedObject, Exporter } from './exportedObject.ts';
import type { Exports } from './exports.ts';

const log = logger('server');

/** Whoever is told. */
export interface Audience {
  tell(message: ServerMessage): void;
}

export class MafaldaRouterExport implements Exporter {
  readonly mafaldaRouter: PipeableMafaldaRouter;
  readonly #exports: Exports;
  readonly #exported = new Map<TreeNode, ExportedObject>();
  readonly #audience = new Set<Audience>();

  constructor(mafaldaRouter: PipeableMafaldaRouter, exports: Exports) {
    this.mafaldaRouter = mafaldaRouter;
    this.#exports = exports;
    for (const node of mafaldaRouter.tree.nodes()) this.#add(node);
    mafaldaRouter.tree.on('add', this.#onAdd).on('remove', this.#onRemove);
  }

  get audience(): number {
    return this.#audience.size;
  }

  /** From now on this one is told too, beginning with what is there. */
  attach(member: Audience): void {
    if (this.#audience.has(member)) return;
    for (const exported of this.#exported.values()) member.tell(this.#addition(exported));
    this.#audience.add(member);
  }

  detach(member: Audience): void {
    this.#audience.delete(member);
  }

  onEvent(exported: ExportedObject, name: string, args: unknown[]): void {
    const changes = exported.takeChanges();
    this.#tell({ type: 'event', handle: exported.handle, name, args: this.#encode(args), changes });
  }

  isShownTo(member: Audience): boolean {
    return this.#audience.has(member);
  }

  /** Tells what an object's method has changed, so that everybody knows before its caller gets the answer. */
  tellChanges(exported: ExportedObject): void {
    const changes = exported.takeChanges();
    if (changes) this.#tell({ type: 'change', handle: exported.handle, changes });
  }

  tellClosed(): void {
    this.#tell({ type: 'closeMafaldaRouter', mafaldaRouter: this.mafaldaRouter.id });
  }

  /** Stops following. */
  close(): void {
    this.mafaldaRouter.tree.off('add', this.#onAdd).off('remove', this.#onRemove);
    for (const exported of this.#exported.values()) this.#exports.remove(exported);
    this.#exported.clear();
    this.#audience.clear();
  }

  readonly #onAdd = (node: TreeNode): void => {
    this.#tell(this.#addition(this.#add(node)));
  };

  readonly #onRemove = (node: TreeNode): void => {
    const exported = this.#exported.get(node);
    if (!exported) return;
    this.#exported.delete(node);
    if (node.type !== 'worker') {
      // What closes with its parent is closed by the client itself, as mediasoup does.
      if (!node.parent?.object.closed) this.#tellClose(exported);
      this.#exports.remove(exported);
    } else if (node.object.closed && this.#audience.size > 0) {
      // Its Routers have closed, but whether it died is told last.
      onceClosed(node.object, () => {
        this.#tellClose(exported);
        this.#exports.remove(exported);
      });
    } else {
      this.#tell({ type: 'forget', handle: exported.handle });
      this.#exports.remove(exported);
    }
  };

  #add(node: TreeNode): ExportedObject {
    const exported = this.#exports.add(node, this);
    exported.takeChanges();
    this.#exported.set(node, exported);
    return exported;
  }

  #addition(exported: ExportedObject): ServerMessage {
    const addition = exported.toAddition(exported.node.parent && this.#exported.get(exported.node.parent));
    if (addition.className === 'Worker') addition.id = this.#exports.workerId(addition.id);
    return { type: 'add', mafaldaRouter: this.mafaldaRouter.id, addition: { ...addition, appData: this.#encodeAppData(addition) } };
  }

  /** An application in this process may keep there what can't be sent: then clients see none. */
  #encodeAppData({ className, id, appData }: Addition): unknown {
    try {
      return this.#encode(appData);
    } catch (error) {
      log('appData of %s %s: %o', className, id, error);
      return {};
    }
  }

  #tellClose({ handle, cause }: ExportedObject): void {
    this.#tell({ type: 'close', handle, cause });
  }

  #tell(message: ServerMessage): void {
    for (const member of this.#audience) member.tell(message);
  }

  #encode<T>(value: T): T {
    return encode(value, object => this.#exports.byObject(object)?.handle) as T;
  }
}
