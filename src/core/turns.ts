/**
 * Division of long work into turns, between which the event loop runs other work. All long work of this process shares
 * the turns, so that ten tasks delay others no longer than a single task does.
 */

/** Length of a turn, in ms. */
const TURN_MS = 5;
/**
 * Longest length of a turn on a busy machine, in ms. There a turn is measured by the processor time that it gets: the
 * time that passes is mostly that of other processes, and work would pile up.
 */
const BUSY_TURN_MS = 25;

/**
 * Does a small part of a task.
 * @returns whether more is left to do
 */
export type Step = () => boolean;

export class Turns {
  readonly #now: () => number;
  readonly #later: (run: () => void) => unknown;
  readonly #cpu: () => number;
  readonly #steps = new Set<Step>();
  #began: number | undefined;
  /** Processor time at the beginning of the turn, in ms; undefined unless the turn before had too little. */
  #cpuBegan: number | undefined;
  /** Whether a turn has ended with work left. */
  #isBehind = false;

  /**
   * @param now returns milliseconds, from any moment on
   * @param later calls back when other work has had its turn
   * @param cpu returns the processor time that this process has used, in ms
   */
  constructor(
    now: () => number = () => performance.now(),
    later: (run: () => void) => unknown = setImmediate,
    cpu: () => number = cpuTime,
  ) {
    this.#now = now;
    this.#later = later;
    this.#cpu = cpu;
  }

  /** Whether work may be done at once: the present turn is not over. */
  get hasTime(): boolean {
    const passed = this.#now() - this.#begin();
    if (passed < TURN_MS) return true;
    if (this.#cpuBegan !== undefined && passed < BUSY_TURN_MS && this.#cpu() - this.#cpuBegan < TURN_MS) return true;
    this.#isBehind = true;
    return false;
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
    await this.begin(
      (function* () {
        for (const member of members) {
          act(member);
          yield;
        }
      })(),
    );
  }

  /** Takes steps, at once as far as there is time. Resolves when all are taken. */
  async run(steps: Iterator<unknown, void>): Promise<void> {
    await this.begin(steps);
  }

  /**
   * Takes steps, at once as far as there is time.
   * @returns promise that resolves when all are taken; undefined if they are
   * @throws what one of the first steps throws
   */
  begin(steps: Iterator<unknown, void>): Promise<void> | undefined {
    const step = (): boolean => !steps.next().done;
    while (this.hasTime) if (!step()) return undefined;
    return new Promise<void>((resolve, reject) => {
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
      // The clock of the processor takes longer to read than the other one, and is needed only by work that piles up.
      this.#cpuBegan = this.#isBehind ? this.#cpu() : undefined;
      this.#isBehind = false;
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

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Turns of this process. */
export const turns = new Turns();
