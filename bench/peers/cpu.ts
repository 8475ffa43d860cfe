/** CPU time of processes and their children, read from Linux: the peers are not asked for it, so it is the same for all. */
import { readdirSync, readFileSync } from 'node:fs';

/** Duration of a tick, the unit of Linux' counters, in ms. */
const TICK_MS = 10;
/** Positions in the line behind the name, which is in parentheses. */
const [PARENT, USER, SYSTEM] = [1, 11, 12];

/** Returns the CPU time of the processes and all of their descendants, in ms. */
export function cpuOf(pids: readonly number[]): number {
  const processes = new Map<number, { parent: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (!fields) continue;
    processes.set(Number(name), { parent: fields[PARENT]!, ticks: fields[USER]! + fields[SYSTEM]! });
  }
  const isMeant = (pid: number): boolean => {
    if (pids.includes(pid)) return true;
    const parent = processes.get(pid)?.parent;
    return parent !== undefined && parent > 0 && isMeant(parent);
  };
  return [...processes].reduce((sum, [pid, { ticks }]) => (isMeant(pid) ? sum + ticks * TICK_MS : sum), 0);
}

function statOf(pid: string): number[] | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line
      .slice(line.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    // The process has ended since its name was read.
    return undefined;
  }
}
