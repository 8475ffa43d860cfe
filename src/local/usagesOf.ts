import { logger } from '../core/logger.ts';
import { answersWithin } from '../core/within.ts';
import type { ResourceUsages } from '../api/types.ts';
import type { PooledWorker } from './pooledWorker.ts';

const log = logger('workers');

/** Limit for a Worker's answer, in ms: a Worker that takes longer hangs. */
const ANSWER_TIMEOUT_MS = 2000;

/** Resolves with the usage of each Worker, by its id. Workers that never start, or don't answer, are left out. */
export async function usagesOf(workers: PooledWorker[]): Promise<ResourceUsages> {
  const asked = workers.map(async pooled => [String((await pooled.ready).pid), await pooled.usage()] as const);
  const usages = await answersWithin(asked, ANSWER_TIMEOUT_MS, (index, reason) =>
    log.warn('no usage of Worker %s: %o', workers[index]?.id, reason),
  );
  return Object.fromEntries(usages.filter(usage => usage !== undefined));
}
