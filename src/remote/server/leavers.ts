/** Clients that have lost contact to the other end of a link, for the links of one MafaldaRouter. */
import type { Audience } from './exportedObject.ts';

/** Number of links that are remembered, more than a MafaldaRouter has; a client could name any number of links. */
const MAX_LINKS = 10_000;

export class Leavers {
  readonly #byLink = new Map<string, Set<Audience>>();

  /** Records a client that has lost contact. @returns whether all clients have */
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
