/** What one session has made in one MafaldaRouter: it is closed with the session, whatever else goes on there. */
import { turns } from '../../core/turns.ts';
import type { ExportedObject } from './exportedObject.ts';
import type { Attached } from './servedMafalda.ts';

/** A session, also when it is over. */
export interface Owner {
  /** Its id. */
  readonly session: string;
  /** Of its client, if that has one. */
  readonly name: string | undefined;
  /** Tells the client apart from others of the same name. */
  readonly instance: string | undefined;
}

export class Holding {
  readonly owner: Owner;
  readonly attached: Attached;
  /** Called when nothing is left of it, once the session can add nothing more. */
  onEmpty: () => void = () => undefined;
  readonly #objects = new Set<ExportedObject>();
  #isOpen = true;

  constructor(owner: Owner, attached: Attached) {
    this.owner = owner;
    this.attached = attached;
  }

  /** Whether the session is there, and attached: what its calls make later closes at once. */
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

  /** To be called when the object has closed. */
  forget(exported: ExportedObject): void {
    this.#objects.delete(exported);
    if (!this.#isOpen && this.#objects.size === 0) this.onEmpty();
  }

  /** Nothing is added from now on. What is there stays. */
  seal(): void {
    this.#isOpen = false;
  }

  /** Closes all that is in it, in turns with others where that is much. Resolves when it is closed. */
  async close(): Promise<void> {
    this.seal();
    // A Transport takes what is in it along, and that leaves the set while it is gone through.
    await turns.forEach(this.#objects, ({ node }) => node.object.close());
  }
}

/** Closes what a call has made for a session that is over by now, or has left. */
export function closeMade(result: unknown): void {
  if (isClosable(result)) result.close();
}

function isClosable(value: unknown): value is { close(): void } {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}
