/** Clients that have lost contact to the other end of a link, for the links of one MafaldaRouter. */
import type { Member } from './exportedObject.ts';

/** Number of links that are remembered, more than a MafaldaRouter has; a client could name any number of links. */
const MAX_LINKS = 10_000;

export class LostLinks {
  readonly #byLink = new Map<string, Set<Member>>();

  /** Records a client that has lost contact. @returns whether all clients have */
  add(member: Member, link: string, all: ReadonlySet<Member>): boolean {
    const members = this.#byLink.get(link) ?? new Set();
    members.add(member);
    if (this.#byLink.size < MAX_LINKS) this.#byLink.set(link, members);
    const isLast = [...all].every(other => members.has(other));
    if (isLast) this.#byLink.delete(link);
    return isLast;
  }

  forget(member: Member): void {
    for (const [link, members] of this.#byLink)
      if (members.delete(member) && members.size === 0) this.#byLink.delete(link);
  }
}
