/** Sends the objects of trees to one client, as fast as it can follow, and in turns with other work. */
import type { Turns } from '../../core/turns.ts';
import type { Member } from './exportedObject.ts';

/** A tree some of whose objects the client does not know yet. */
export interface SendableTree {
  /** Sends one more object. @returns whether it did: false when all are sent */
  sendNext(member: Member): boolean;
}

export interface TreeSenderOptions {
  member: Member;
  /** Whether more may be sent at present; if not, {@link TreeSender.resume} is called when it may. */
  hasRoom: () => boolean;
  turns: Turns;
}

export class TreeSender {
  readonly #options: TreeSenderOptions;
  /** Trees that are being sent, with the promise that ends with it. */
  readonly #underway = new Map<SendableTree, { done: Promise<void>; finish: () => void }>();

  constructor(options: TreeSenderOptions) {
    this.#options = options;
  }

  /** Sends the tree. Resolves when all of it has been sent, or sending has been stopped. */
  send(tree: SendableTree): Promise<void> {
    const { hasRoom, member, turns } = this.#options;
    const underway = this.#underway.get(tree);
    if (underway) return underway.done;
    while (turns.hasTime && hasRoom()) if (!tree.sendNext(member)) return Promise.resolve();
    let finish!: () => void;
    const done = new Promise<void>(resolve => (finish = resolve));
    this.#underway.set(tree, { done, finish });
    this.resume();
    return done;
  }

  /** Resolves when a sending of the tree that is underway has ended, at once if there is none. */
  async untilSent(tree: SendableTree): Promise<void> {
    await this.#underway.get(tree)?.done;
  }

  /** Goes on sending, since there is room again. */
  resume(): void {
    if (this.#underway.size > 0) this.#options.turns.add(this.#step);
  }

  /** Stops sending. */
  close(): void {
    this.#options.turns.delete(this.#step);
    for (const { finish } of this.#underway.values()) finish();
    this.#underway.clear();
  }

  readonly #step = (): boolean => {
    const { hasRoom, member } = this.#options;
    const [next] = this.#underway;
    if (!next || !hasRoom()) return false;
    const [tree, { finish }] = next;
    if (!tree.sendNext(member)) {
      this.#underway.delete(tree);
      finish();
    }
    return this.#underway.size > 0;
  };
}
