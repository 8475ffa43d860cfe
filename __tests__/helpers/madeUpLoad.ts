/** mediasoup with real Workers of which only the load is made up, so that other work of the machine does not count. */
import * as mediasoup from 'mediasoup';
import type { Worker } from 'mediasoup/types';

function withUsage(usageOf: (worker: Worker) => Worker['getResourceUsage']): typeof mediasoup {
  return {
    ...mediasoup,
    createWorker: async (...[settings]: Parameters<typeof mediasoup.createWorker>) => {
      const worker = await mediasoup.createWorker(settings);
      worker.getResourceUsage = usageOf(worker);
      return worker;
    },
  } as typeof mediasoup;
}

/** Workers that are not measured: what is expected of each new object stays. */
export const unmeasured = withUsage(() => () => Promise.reject(new Error('not measured')));

/** Workers that are busy for so many percent of a core, whatever they do. */
export function busyFor(percent: number): typeof mediasoup {
  return withUsage(worker => {
    const getResourceUsage = worker.getResourceUsage.bind(worker);
    return async () => ({
      ...(await getResourceUsage()),
      ru_utime: (performance.now() * percent) / 100,
      ru_stime: 0,
    });
  });
}
