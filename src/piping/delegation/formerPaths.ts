/** Paths by which streams came here before, so that a stream whose path is lost comes from where that path began. */
import type { StreamInRouter } from '../streams.ts';
import type { Path } from './paths.ts';

/** Paths that are remembered, the latest. */
const MAX_PATHS = 1000;

export class FormerPaths {
  readonly #paths = new Map<string, Path>();

  /** @param key of the stream and its destination */
  note(key: string, path: Path): void {
    this.#paths.delete(key);
    this.#paths.set(key, path);
    if (this.#paths.size <= MAX_PATHS) return;
    const [oldest] = this.#paths.keys();
    this.#paths.delete(oldest!);
  }

  /**
   * Returns the places on the former path that are left, the nearest to the destination first: a place that has lost a
   * branch has room for another one. Returns nothing if the path is whole, since a better one may have come up.
   */
  left(key: string, places: readonly StreamInRouter[]): StreamInRouter[] {
    const path = this.#paths.get(key) ?? [];
    const left = path.toReversed().map(id => places.find(({ router }) => router.id === id));
    return left[0] ? [] : left.filter(place => place !== undefined);
  }
}
