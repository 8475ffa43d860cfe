/**
 * Long work is done in turns, between which the event loop has its own: all such work of this process shares them, so that
 * ten who have much to do hold up others no longer than one.
 */

/** After so many ms others have their turn. */
const TURN_MS = 5;

/** Does a little. @returns whether there is more to do */
export type Step = () => boolean;

export class Turns {
  readonly #now: () => number;
  readonly #later: (run: () => void) => unknown;
  readonly #steps = new Set<Step>();
  #began: number | undefined;

  /**
   * @param now milliseconds, from any moment on
   * @param later calls back when others have had their turn
   */
  constructor(now: () => number = () => performance.now(), later: (run: () => void) => unknown = setImmediate) {
    this.#now = now;
    this.#later = later;
  }

  /** Whether something may be done at once: the time since others had their turn is not over. */
  get hasTime(): boolean {
    return this.#now() - this.#begin() < TURN_MS;
  }

  /** Does step after step, in turns with others, until there is no more to do. What is added twice is done once. */
  add(step: Step): void {
    this.#steps.add(step);
    this.#begin();
  }

  delete(step: Step): void {
    this.#steps.delete(step);
  }

  /** Does something to each, at once as far as there is time. Resolves when that is done. */
  async forEach<T>(things: Iterable<T, void>, act: (thing: T) => void): Promise<void> {
    const iterator = things[Symbol.iterator]();
    const step = (): boolean => {
      const next = iterator.next();
      if (!next.done) act(next.value);
      return !next.done;
    };
    while (this.hasTime) if (!step()) return;
    await new Promise<void>((resolve, reject) => {
      this.add(() => {
        try {
          const isMore = step();
          if (!isMore) resolve();
          return isMore;
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return false;
        }
      });
    });
  }

  /** @returns when the present turn has begun */
  #begin(): number {
    if (this.#began === undefined) {
      this.#began = this.#now();
      this.#later(this.#run);
    }
    return this.#began;
  }

  readonly #run = (): void => {
    this.#began = undefined;
    // A single step of each at a time: a Set that is gone through shows also what was put at its end meanwhile.
    for (const step of this.#steps) {
      if (!this.hasTime) return;
      this.#steps.delete(step);
      if (step()) this.#steps.add(step);
    }
  };
}

/** The turns of this process. */
export const turns = new Turns();
