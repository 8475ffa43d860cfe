/** Measures the load of this machine, by all of its processes. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { availableCores, availableMemory } from '../api/resources.ts';
import type { HostLoad } from '../api/load.ts';

/** Minimum time between two samples, in ms: the CPU share of a shorter time would be noise. */
const MIN_SAMPLE_MS = 500;
const CORES = availableCores();
/** Linux' counters of each network interface. */
const NETWORK_FILE = '/proc/net/dev';

export class HostMeter {
  #latest = sample();
  #load: HostLoad | undefined;

  /** Returns the latest load: reading it takes a dozen system calls, and load reports may come ten times a second. */
  read(): HostLoad {
    if (performance.now() - this.#latest.atMs >= MIN_SAMPLE_MS) {
      const before = this.#latest;
      this.#latest = sample();
      const total = this.#latest.total - before.total;
      this.#load = readLoad(total > 0 ? (100 * (this.#latest.busy - before.busy)) / total : 0);
    }
    return (this.#load ??= readLoad(0));
  }
}

function readLoad(cpu: number): HostLoad {
  return { cores: CORES, cpu, memory: availableMemory(), network: readNetwork() };
}

function sample(): { atMs: number; total: number; busy: number } {
  const times = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    idle,
    total: user + nice + sys + idle + irq,
  }));
  const total = times.reduce((sum, cpu) => sum + cpu.total, 0);
  const idle = times.reduce((sum, cpu) => sum + cpu.idle, 0);
  return { atMs: performance.now(), total, busy: total - idle };
}

function readNetwork(): HostLoad['network'] {
  let text: string;
  try {
    text = readFileSync(NETWORK_FILE, 'utf8');
  } catch {
    // Systems other than Linux have no such file.
    return undefined;
  }
  const totals = { received: 0, sent: 0 };
  for (const line of text.split('\n')) {
    const [name, counters] = line.split(':') as [string, string?];
    if (counters === undefined || name.trim() === 'lo') continue;
    const values = counters.trim().split(/\s+/).map(Number);
    totals.received += values[0] ?? 0;
    totals.sent += values[8] ?? 0;
  }
  return totals;
}
