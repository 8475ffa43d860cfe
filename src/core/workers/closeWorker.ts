import type { Worker } from 'mediasoup/types';

/** Closes a Worker. Resolves when its process has ended, which takes longer than the request to end. */
export async function closeWorker(worker: Worker): Promise<void> {
  if (worker.subprocessClosed) return;
  const ended = new Promise<void>(resolve => worker.once('subprocessclose', resolve));
  worker.close();
  await ended;
}
