import { expect, test } from '@jest/globals';
import { availableParallelism, totalmem } from 'node:os';
import { availableCores, availableMemory } from '../../../src/api/resources.ts';

const machine = { total: 64e9, free: 40e9 };

function files(entries: Record<string, string>): (path: string) => string | undefined {
  return path => entries[path];
}

test('the cores of a container are those of its share of CPU, rounded down', () => {
  const inside = (max: string): number => availableCores(files({ '/sys/fs/cgroup/cpu.max': max }), 16);
  expect(inside('400000 100000')).toBe(4);
  expect(inside('250000 100000')).toBe(2);
  expect(inside('50000 100000')).toBe(1);
  expect(inside('max 100000')).toBe(16);
  expect(inside('6400000 100000')).toBe(16);
});

test('the smallest share of the groups around a service counts', () => {
  const read = files({
    '/proc/self/cgroup': '0::/media.slice/server.service',
    '/sys/fs/cgroup/media.slice/server.service/cpu.max': 'max 100000',
    '/sys/fs/cgroup/media.slice/cpu.max': '300000 100000',
    '/sys/fs/cgroup/media.slice/memory.max': '8000000000',
    '/sys/fs/cgroup/media.slice/memory.current': '3000000000',
    '/sys/fs/cgroup/media.slice/memory.stat': 'anon 2000000000\ninactive_file 500000000\nslab 1',
    '/sys/fs/cgroup/media.slice/server.service/memory.max': '10000000000',
    '/sys/fs/cgroup/media.slice/server.service/memory.current': '1000000000',
  });
  expect(availableCores(read, 16)).toBe(3);
  expect(availableMemory(read, machine)).toEqual({ total: 8e9, free: 5.5e9 });
});

test('the first version of cgroups has other files', () => {
  const read = files({
    '/proc/self/cgroup': '4:cpu,cpuacct:/\n3:memory:/',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '4000000000',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '3000000000',
    '/sys/fs/cgroup/memory/memory.stat': 'inactive_file 0\nrss 1\ntotal_inactive_file 1000000000',
  });
  expect(availableCores(read, 16)).toBe(2);
  expect(availableMemory(read, machine)).toEqual({ total: 4e9, free: 2e9 });
});

test('a service has groups of the first version of its own, and a container may name the machine’s, which it does not see', () => {
  const read = files({
    '/proc/self/cgroup': '9:name=systemd:/x\n8:cpuacct,cpu:/media/server\n4:memory:/docker/0b0e\n0::/',
    '/sys/fs/cgroup/cpu/media/server/cpu.cfs_quota_us': '-1',
    '/sys/fs/cgroup/cpu/media/server/cpu.cfs_period_us': '100000',
    '/sys/fs/cgroup/cpu/media/cpu.cfs_quota_us': '300000',
    '/sys/fs/cgroup/cpu/media/cpu.cfs_period_us': '100000',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '4000000000',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1000000000',
  });
  expect(availableCores(read, 16)).toBe(3);
  expect(availableMemory(read, machine)).toEqual({ total: 4e9, free: 3e9 });
});

test('without limits, and without cgroups, it is the machine’s', () => {
  const unlimited = files({ '/sys/fs/cgroup/memory.max': 'max', '/sys/fs/cgroup/cpu.max': 'max 100000' });
  for (const read of [unlimited, files({})]) {
    expect(availableCores(read, 16)).toBe(16);
    expect(availableMemory(read, machine)).toEqual(machine);
  }
});

test('here it is at least one core, and no more than the machine has', () => {
  expect(availableCores()).toBeGreaterThanOrEqual(1);
  expect(availableCores()).toBeLessThanOrEqual(availableParallelism());
  expect(availableMemory().total).toBeLessThanOrEqual(totalmem());
});
