/** Searches for MafaldaRouters that the server has not answered: what it announces on the way belongs to them. */
import type { SoughtRoom } from '../../base/roomFinder.ts';

export interface Search {
  readonly options: SoughtRoom;
  /** Resolves with the number of the attachment; with undefined if there is no such MafaldaRouter. */
  readonly attaching: Promise<number | undefined>;
}

export class Searches {
  readonly #byId = new Map<string, Set<Search>>();

  /** Resolves and rejects as the question does. The search is underway until then. */
  async run<T>(search: Search, question: Promise<T>): Promise<T> {
    const { id } = search.options;
    const searches = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, searches.add(search));
    // Only a MafaldaRouter that is found waits for it.
    search.attaching.catch(() => undefined);
    try {
      return await question;
    } finally {
      searches.delete(search);
      if (searches.size === 0) this.#byId.delete(id);
    }
  }

  /** Returns a search for this id; undefined if none is underway. */
  get(id: string): Search | undefined {
    const [search] = this.#byId.get(id) ?? [];
    return search;
  }
}
