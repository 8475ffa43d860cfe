/**
 * Tells a process that is blocked from one that gets no CPU: what counts is CPU time that the process has used, or time in which the one that waits
 * has had its turns, but never the clock. So a busy machine is no finding.
 */

/** The longest time between two turns of a process's event loop since it was asked last; in ms. */
export interface LongestTurn {
  /** By the clock. */
  wall: number;
  /** CPU time. */
  cpu: number;
}

const LOOK_EVERY_MS = 20;
/** Far more than anything may take in one go, on a slow machine too. */
const MAX_TURN_CPU_MS = 3000;
const STARVED_MS = 1000;
const TICK_MS = 100;
const PATIENCE_TICKS = 300;

/** @returns to be called for what has been since it was called last; it holds no process */
export function watchTurns(): () => LongestTurn {
  let longest: LongestTurn = { wall: 0, cpu: 0 };
  let at = performance.now();
  let before = process.cpuUsage();
  const look = (): void => {
    const { user, system } = process.cpuUsage(before);
    longest = {
      wall: Math.max(longest.wall, performance.now() - at),
      cpu: Math.max(longest.cpu, (user + system) / 1000),
    };
    at = performance.now();
    before = process.cpuUsage();
  };
  setInterval(look, LOOK_EVERY_MS).unref();
  return () => {
    look();
    const seen = longest;
    longest = { wall: 0, cpu: 0 };
    return seen;
  };
}

/** @throws if it has blocked its event loop */
export function assertResponsive({ cpu }: LongestTurn): void {
  if (cpu > MAX_TURN_CPU_MS)
    throw new Error(`it has blocked its event loop: ${Math.round(cpu)} ms of CPU time in one turn`);
}

/** Whether a process, ours or the one that is attacked, had to wait for the machine so long that connections may have been given up. */
export function isStarved(...turns: LongestTurn[]): boolean {
  return turns.some(({ wall, cpu }) => wall - cpu > STARVED_MS);
}

/** @throws if it takes too many turns of our own event loop */
export async function patiently<T>(promise: Promise<T>, what: string): Promise<T> {
  let ticks = 0;
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setInterval(() => ++ticks > PATIENCE_TICKS && reject(new Error(`no sign of life: ${what}`)), TICK_MS);
  });
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    clearInterval(timer);
  }
}
