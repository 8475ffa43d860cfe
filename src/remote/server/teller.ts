/** Sends the objects of trees to one client, as fast as it can follow, and in turns with other work. */
import type { Turns } from '../../core/turns.ts';
import type { Audience } from './exportedObject.ts';

/** A tree some of whose objects the client does not know yet. */
export interface Untold {
  /** Sends one more object. @returns whether it did: false when all are sent */
  tellNext(member: Audience): boolean;
}

export interface TellerOptions {
  member: Audience;
  /** Whether more may be sent at present; if not, {@link Teller.goOn} is called when it may. */
  hasRoom: () => boolean;
  turns: Turns;
}

export class Teller {
  readonly #options: TellerOptions;
  /** Trees that are being sent, with the promise that ends with it. */
  readonly #untold = new Map<Untold, { done: Promise<void>; finish: () => void }>();

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** Sends the tree. Resolves when all of it has been sent, or sending has been stopped. */
  tell(tree: Untold): Promise<void> {
    const { hasRoom, member, turns } = this.#options;
    const underway = this.#untold.get(tree);
    if (underway) return underway.done;
    while (turns.hasTime && hasRoom()) if (!tree.tellNext(member)) return Promise.resolve();
    let finish!: () => void;
    const done = new Promise<void>(resolve => (finish = resolve));
    this.#untold.set(tree, { done, finish });
    this.goOn();
    return done;
  }

  /** Resolves when a sending of the tree that is underway has ended, at once if there is none. */
  async untilTold(tree: Untold): Promise<void> {
    await this.#untold.get(tree)?.done;
  }

  /** Goes on sending, since there is room again. */
  goOn(): void {
    if (this.#untold.size > 0) this.#options.turns.add(this.#step);
  }

  /** Stops sending. */
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
