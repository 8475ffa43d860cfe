/** Clients that have lost sight of what is at the other end of a link of a MafaldaRouter here. */
import type { Audience } from './exportedObject.ts';

/** Where a client says so of more links than it can have, it is not believed any more. */
const MAX_LINKS = 10_000;

export class Leavers {
  readonly #byLink = new Map<string, Set<Audience>>();

  /** @returns whether all others have said the same */
  add(leaver: Audience, link: string, everybody: ReadonlySet<Audience>): boolean {
    const leavers = this.#byLink.get(link) ?? new Set();
    leavers.add(leaver);
    if (this.#byLink.size < MAX_LINKS) this.#byLink.set(link, leavers);
    const isLast = [...everybody].every(member => leavers.has(member));
    if (isLast) this.#byLink.delete(link);
    return isLast;
  }

  forget(leaver: Audience): void {
    for (const [link, leavers] of this.#byLink)
      if (leavers.delete(leaver) && leavers.size === 0) this.#byLink.delete(link);
  }
}
