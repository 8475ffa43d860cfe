/** Tells one client what there is in the trees that it is shown: as fast as it can follow, and in turns with others. */
import type { Turns } from '../../core/turns.ts';
import type { Audience } from './exportedObject.ts';

/** A tree of which the client does not know everything yet. */
export interface Untold {
  /** Tells of one more object. @returns whether there is another one */
  tellNext(member: Audience): boolean;
}

export interface TellerOptions {
  member: Audience;
  /** Whether more may be told at present; if not, {@link Teller.goOn} is called when it may. */
  hasRoom: () => boolean;
  turns: Turns;
}

export class Teller {
  readonly #options: TellerOptions;
  /** With who waits for the end of it. */
  readonly #untold = new Map<Untold, { told: Promise<void>; finish: () => void }>();

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** Resolves when all of the tree has been told, or is not to be told any more. */
  tell(tree: Untold): Promise<void> {
    const { hasRoom, member, turns } = this.#options;
    const underway = this.#untold.get(tree);
    if (underway) return underway.told;
    while (turns.hasTime && hasRoom()) if (!tree.tellNext(member)) return Promise.resolve();
    let finish!: () => void;
    const told = new Promise<void>(resolve => (finish = resolve));
    this.#untold.set(tree, { told, finish });
    this.goOn();
    return told;
  }

  /** The same, for what is being told, if anything is. */
  async untilTold(tree: Untold): Promise<void> {
    await this.#untold.get(tree)?.told;
  }

  /** There is room for more. */
  goOn(): void {
    if (this.#untold.size > 0) this.#options.turns.add(this.#step);
  }

  /** Nothing more is told. */
  close(): void {
    this.#options.turns.delete(this.#step);
    for (const { finish } of this.#untold.values()) finish();
    this.#untold.clear();
  }

  readonly #step = (): boolean => {
    const { hasRoom, member } = this.#options;
    const [next] = this.#untold;
    if (!next || !hasRoom()) return false;
    const [tree, { finish }] = next;
    if (!tree.tellNext(member)) {
      this.#untold.delete(tree);
      finish();
    }
    return this.#untold.size > 0;
  };
}
