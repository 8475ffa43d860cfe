/**
 * Cores and memory that this process may use. In a container or a service these are what its cgroup gives, which may be
 * far less than the machine has: Node.js counts the machine's cores.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** Folder of cgroups, in a container those of the container. */
const CGROUPS = '/sys/fs/cgroup';

/** Returns the text of a file; undefined if there is none. */
type Read = (path: string) => string | undefined;

const readFile: Read = path => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Other systems than Linux have no such files, and neither have cgroups without a limit.
    return undefined;
  }
};

/** Returns the number of cores for Workers, at least 1: the cgroup's share of CPU, rounded down. */
export function availableCores(read = readFile, cores = availableParallelism()): number {
  const quotas = [...ownGroups(read)].map(folder => read(join(folder, 'cpu.max')));
  const [quota, period] = [read(`${CGROUPS}/cpu/cpu.cfs_quota_us`), read(`${CGROUPS}/cpu/cpu.cfs_period_us`)];
  if (quota && period) quotas.push(`${quota} ${period}`);
  const shares = quotas.map(shareOf).filter(share => share > 0);
  return Math.max(1, Math.floor(Math.min(cores, ...shares)));
}

export interface Memory {
  /** Memory in bytes. */
  total: number;
  /** Memory that is not in use, in bytes. */
  free: number;
}

/** Returns the memory of the machine, or of the cgroup if that has less. */
export function availableMemory(read = readFile, machine: Memory = { total: totalmem(), free: freemem() }): Memory {
  const limits = [...ownGroups(read)].flatMap(folder => {
    const total = Number(read(join(folder, 'memory.max')));
    return total > 0 && total < machine.total ? [{ total, free: Math.max(0, total - usedBy(folder, read)) }] : [];
  });
  return limits.reduce(
    (least, limit) => ({ total: Math.min(least.total, limit.total), free: Math.min(least.free, limit.free) }),
    machine,
  );
}

/** Returns the memory that a cgroup uses, without the cached files that the system gives up at once. */
function usedBy(folder: string, read: Read): number {
  const cached = /^inactive_file (\d+)$/m.exec(read(join(folder, 'memory.stat')) ?? '')?.[1] ?? 0;
  return (Number(read(join(folder, 'memory.current'))) || 0) - Number(cached);
}

/** Returns the folders of this process's cgroup and of those around it, each of which has its own limits. */
function* ownGroups(read: Read): Generator<string, void, undefined> {
  const path = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  let folder = join(CGROUPS, path);
  while (folder.startsWith(`${CGROUPS}/`)) {
    yield folder;
    folder = dirname(folder);
  }
  yield CGROUPS;
}

/** Returns the cores that `quota period` gives; NaN for `max`, and for a missing file. */
function shareOf(quota: string | undefined): number {
  const [time, period] = (quota ?? '').split(' ').map(Number);
  return time! / period!;
}
