/**
 * Division of long work into turns, between which the event loop runs other work. All long work of this process shares
 * the turns, so that ten tasks delay others no longer than a single task does.
 */

/** Length of a turn, in ms. */
const TURN_MS = 5;

/**
 * Does a small part of a task.
 * @returns whether more is left to do
 */
export type Step = () => boolean;

export class Turns {
  readonly #now: () => number;
  readonly #later: (run: () => void) => unknown;
  readonly #steps = new Set<Step>();
  #began: number | undefined;

  /**
   * @param now returns milliseconds, from any moment on
   * @param later calls back when other work has had its turn
   */
  constructor(now: () => number = () => performance.now(), later: (run: () => void) => unknown = setImmediate) {
    this.#now = now;
    this.#later = later;
  }

  /** Whether work may be done at once: the present turn is not over. */
  get hasTime(): boolean {
    return this.#now() - this.#begin() < TURN_MS;
  }

  /** Runs a task step by step, in turns with others, until it is done. A task that is added twice runs once. */
  add(step: Step): void {
    this.#steps.add(step);
    this.#begin();
  }

  delete(step: Step): void {
    this.#steps.delete(step);
  }

  /** Calls a function with each member, at once as far as there is time. Resolves when all calls are done. */
  async forEach<T>(members: Iterable<T, void>, act: (member: T) => void): Promise<void> {
    const iterator = members[Symbol.iterator]();
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

  /**
   * Begins a turn unless a turn is running.
   * @returns the time at which the present turn has begun
   */
  #begin(): number {
    if (this.#began === undefined) {
      this.#began = this.#now();
      this.#later(this.#run);
    }
    return this.#began;
  }

  readonly #run = (): void => {
    this.#began = undefined;
    // Each task does a single step at a time: iteration over a Set includes tasks that were put at its end meanwhile.
    for (const step of this.#steps) {
      if (!this.hasTime) return;
      this.#steps.delete(step);
      if (step()) this.#steps.add(step);
    }
  };
}

/** Turns of this process. */
export const turns = new Turns();
