import { logger } from '../core/logger.ts';
import { answersWithin } from '../core/within.ts';
import type { ResourceUsages } from '../api/types.ts';
import type { PooledWorker } from './pooledWorker.ts';

const log = logger('workers');

/** A Worker that has not answered by then hangs. */
const ANSWER_TIMEOUT_MS = 2000;

/** Usage of each Worker, by worker id. Those that never start are left out, and so are those that don't answer. */
export async function usagesOf(workers: PooledWorker[]): Promise<ResourceUsages> {
  const asked = workers.map(async pooled => [String((await pooled.ready).pid), await pooled.usage()] as const);
  const usages = await answersWithin(asked, ANSWER_TIMEOUT_MS, (index, why) =>
    log('no usage of Worker %s: %o', workers[index]?.id, why),
  );
  return Object.fromEntries(usages.filter(usage => usage !== undefined));
}
