/** mediasoup with real Workers of which only the load is made up: it is not measured, so that other work of the machine does not count, and what is expected of each object stays. */
import * as mediasoup from 'mediasoup';

export const unmeasured = {
  ...mediasoup,
  createWorker: async (...[settings]: Parameters<typeof mediasoup.createWorker>) => {
    const worker = await mediasoup.createWorker(settings);
    worker.getResourceUsage = () => Promise.reject(new Error('not measured'));
    return worker;
  },
} as typeof mediasoup;
