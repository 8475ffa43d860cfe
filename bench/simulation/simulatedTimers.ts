/**
 * Timers of a simulated time, in place of those of this process. A wheel with a slot for each millisecond: where there are hundreds of
 * thousands of timers, most of which are cleared before they are due, the heap of Node.js' mocks is a large part of the work.
 */

/** Milliseconds after which the slots are used again. */
const SLOTS = 1 << 16;

type Globals = Pick<typeof globalThis, 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval'>;

/** Members of a timer that code under simulation uses. */
class SimulatedTimer {
  due: number;
  readonly interval: number | undefined;
  /** Undefined once it is cleared, or over. */
  act: (() => void) | undefined;

  constructor(due: number, interval: number | undefined, act: () => void) {
    this.due = due;
    this.interval = interval;
    this.act = act;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

export class SimulatedTimers {
  readonly #slots = new Map<number, SimulatedTimer[]>();
  readonly #real: Globals;
  #now = 0;

  /** Replaces the timers of this process, until {@link restore}. */
  constructor() {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    this.#real = { setTimeout, clearTimeout, setInterval, clearInterval };
    const set = (
      act: (...args: unknown[]) => void,
      ms: number,
      args: unknown[],
      isInterval: boolean,
    ): SimulatedTimer => {
      const delay = Math.max(1, Math.trunc(ms) || 1);
      const call = args.length === 0 ? act : (): void => act(...args);
      return this.#add(new SimulatedTimer(this.#now + delay, isInterval ? delay : undefined, call));
    };
    const clear = (timer: unknown): void => {
      if (timer instanceof SimulatedTimer) timer.act = undefined;
      else this.#real.clearTimeout(timer as NodeJS.Timeout | undefined);
    };
    const simulated = {
      setTimeout: (act: () => void, ms = 1, ...args: unknown[]) => set(act, ms, args, false),
      setInterval: (act: () => void, ms = 1, ...args: unknown[]) => set(act, ms, args, true),
      clearTimeout: clear,
      clearInterval: clear,
    };
    Object.assign(globalThis, simulated as unknown as Globals);
  }

  /** Lets a millisecond pass: what is due then is called, in the order in which it was set. */
  tick(): void {
    const slot = ++this.#now % SLOTS;
    const timers = this.#slots.get(slot);
    if (!timers) return;
    this.#slots.delete(slot);
    for (const timer of timers) {
      if (timer.act && timer.due > this.#now) this.#add(timer);
      else if (timer.act) this.#call(timer, timer.act);
    }
  }

  /** Gives the process its own timers back. The simulated ones are forgotten. */
  restore(): void {
    Object.assign(globalThis, this.#real);
    this.#slots.clear();
  }

  #call(timer: SimulatedTimer, act: () => void): void {
    if (timer.interval === undefined) timer.act = undefined;
    act();
    if (timer.interval === undefined || !timer.act) return;
    timer.due = this.#now + timer.interval;
    this.#add(timer);
  }

  #add(timer: SimulatedTimer): SimulatedTimer {
    const slot = timer.due % SLOTS;
    const timers = this.#slots.get(slot);
    if (timers) timers.push(timer);
    else this.#slots.set(slot, [timer]);
    return timer;
  }
}
