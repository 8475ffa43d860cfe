/**
 * Objects that one session has made in one MafaldaRouter. They close with the session, also while others use the
 * MafaldaRouter.
 */
import { turns } from '../../core/turns.ts';
import type { ExportedObject } from './exportedObject.ts';
import type { Attached } from './servedMafalda.ts';

/** Identity of a session, also after its end. */
export interface Owner {
  /** Id of the session. */
  readonly session: string;
  /** Name of its client, if that has one. */
  readonly name: string | undefined;
  /** Random string that distinguishes clients of the same name. */
  readonly instance: string | undefined;
}

export class Holding {
  readonly owner: Owner;
  readonly attached: Attached;
  /** Called when a sealed holding has become empty. */
  onEmpty: () => void = () => undefined;
  readonly #objects = new Set<ExportedObject>();
  readonly #onTaken: (handles: number[]) => void;
  #isOpen = true;

  /** @param onTaken called with the handles of objects that other clients have taken over, while the session lives */
  constructor(owner: Owner, attached: Attached, onTaken: (handles: number[]) => void) {
    this.owner = owner;
    this.attached = attached;
    this.#onTaken = onTaken;
  }

  /** Whether the session lives, and is attached. Objects that its calls make later close at once. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get size(): number {
    return this.#objects.size;
  }

  [Symbol.iterator](): Iterator<ExportedObject> {
    return this.#objects.values();
  }

  add(exported: ExportedObject): void {
    this.#objects.add(exported);
    exported.holding = this;
  }

  /** Takes over objects from the holdings that they are in, whose sessions close them no longer. */
  adopt(objects: readonly ExportedObject[]): void {
    const taken = new Map<Holding, ExportedObject[]>();
    for (const exported of objects) {
      const { holding } = exported;
      if (holding === this) continue;
      if (holding) {
        const lost = taken.get(holding);
        if (lost) lost.push(exported);
        else taken.set(holding, [exported]);
      }
      this.add(exported);
    }
    for (const [holding, lost] of taken) holding.lose(lost);
  }

  /** Lets go of objects that another client has taken over, here or at a server below. */
  lose(objects: readonly ExportedObject[]): void {
    for (const exported of objects) {
      if (exported.holding === this) exported.holding = undefined;
      this.forget(exported);
    }
    if (this.#isOpen) this.#onTaken(objects.map(({ handle }) => handle));
  }

  /** To be called when the object has closed. */
  forget(exported: ExportedObject): void {
    this.#objects.delete(exported);
    if (!this.#isOpen && this.#objects.size === 0) this.onEmpty();
  }

  /** Ends the adding of objects. Objects in it stay. */
  seal(): void {
    this.#isOpen = false;
  }

  /** Closes all of its objects, in turns with other work if they are many. Resolves when they are closed. */
  async close(): Promise<void> {
    this.seal();
    // A Transport closes its children too, which leave the set during the iteration.
    await turns.forEach(this.#objects, ({ node }) => node.object.close());
  }
}

/**
 * Closes an object that a call has made for a session that has ended, or has left the MafaldaRouter, in the meantime.
 */
export function closeMade(result: unknown): void {
  if (isClosable(result)) result.close();
}

function isClosable(value: unknown): value is { close(): void } {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}
