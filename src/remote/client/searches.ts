/** Searches for MafaldaRouters that the server has not answered: what it announces on the way belongs to them. */
import type { PipeableMafaldaRouter } from '../../base/pipeableMafaldaRouter.ts';
import type { OnSeen, SoughtRoom } from '../../base/roomFinder.ts';

export interface Search {
  readonly options: SoughtRoom;
  /** Resolves with the number of the attachment; with undefined if there is no such MafaldaRouter. */
  readonly attaching: Promise<number | undefined>;
  /** Called when the MafaldaRouter is seen, before its first object. */
  readonly onSeen: OnSeen;
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

  /** Tells all who look for a MafaldaRouter that it is about to be shown. */
  tell(mafaldaRouter: PipeableMafaldaRouter): void {
    for (const { onSeen } of [...(this.#byId.get(mafaldaRouter.id) ?? [])]) onSeen(mafaldaRouter);
  }

  /** Returns a search for this id; undefined if none is underway. */
  get(id: string): Search | undefined {
    const [search] = this.#byId.get(id) ?? [];
    return search;
  }
}
