import type { ResourceUsages } from '../shared/types.ts';
import type { PooledWorker } from './pooledWorker.ts';

/** Usage of each Worker, by worker id. Those that never start are left out. */
export async function usagesOf(workers: PooledWorker[]): Promise<ResourceUsages> {
  const usages = await Promise.allSettled(
    workers.map(async pooled => [String((await pooled.ready).pid), await pooled.usage()] as const),
  );
  return Object.fromEntries(usages.filter(result => result.status === 'fulfilled').map(({ value }) => value));
}
