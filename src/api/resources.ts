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
  const shares = groupsOf('cpu', read).map(folder =>
    shareOf(
      read(join(folder, 'cpu.max')) ??
        `${read(join(folder, 'cpu.cfs_quota_us'))} ${read(join(folder, 'cpu.cfs_period_us'))}`,
    ),
  );
  return Math.max(1, Math.floor(Math.min(cores, ...shares.filter(share => share > 0))));
}

export interface Memory {
  /** Memory in bytes. */
  total: number;
  /** Memory that is not in use, in bytes. */
  free: number;
}

/** Returns the memory of the machine, or of the cgroup if that has less. */
export function availableMemory(read = readFile, machine: Memory = { total: totalmem(), free: freemem() }): Memory {
  const limits = groupsOf('memory', read).flatMap(folder => {
    const total = Number(read(join(folder, 'memory.max')) ?? read(join(folder, 'memory.limit_in_bytes')));
    return total > 0 && total < machine.total ? [{ total, free: Math.max(0, total - usedBy(folder, read)) }] : [];
  });
  return limits.reduce(
    (least, limit) => ({ total: Math.min(least.total, limit.total), free: Math.min(least.free, limit.free) }),
    machine,
  );
}

/** Returns the memory that a cgroup uses, without the cached files that the system gives up at once. */
function usedBy(folder: string, read: Read): number {
  const used = read(join(folder, 'memory.current')) ?? read(join(folder, 'memory.usage_in_bytes'));
  // The first version counts the groups within this one only in the totals.
  const cached = /^(?:total_)?inactive_file (\d+)$/gm;
  const files = [...(read(join(folder, 'memory.stat')) ?? '').matchAll(cached)].map(([, bytes]) => Number(bytes));
  return (Number(used) || 0) - Math.max(0, ...files);
}

/**
 * Returns the folders of this process's cgroups and of those around them, each of which has its own limits. The second
 * version of cgroups has one tree of them; the first one has a tree for each kind of limit.
 */
function groupsOf(kind: 'cpu' | 'memory', read: Read): string[] {
  const own = read('/proc/self/cgroup') ?? '';
  const [, path = '/'] = /^0::(\/.*)$/m.exec(own) ?? [];
  const [, oldPath = '/'] = new RegExp(`^\\d+:(?:[^:]*,)?${kind}(?:,[^:]*)?:(/.*)$`, 'm').exec(own) ?? [];
  return [...foldersUp(CGROUPS, path), ...foldersUp(join(CGROUPS, kind), oldPath)];
}

/** Returns the folder at a path, and those above it up to the root. In a container the path may be the machine's, and not be there. */
function foldersUp(root: string, path: string): string[] {
  const folders = [root];
  for (let folder = join(root, path); folder.startsWith(`${root}/`); folder = dirname(folder)) folders.push(folder);
  return folders;
}

/** Returns the cores that `quota period` gives; NaN for `max`, and for a missing file. */
function shareOf(quota: string): number {
  const [time, period] = quota.split(' ').map(Number);
  return time! / period!;
}
