import type { Worker } from 'mediasoup/types';

/** Closes a Worker. Resolves when its process has ended, not just when it has been told to. */
export async function closeWorker(worker: Worker): Promise<void> {
  if (worker.subprocessClosed) return;
  const gone = new Promise<void>(resolve => worker.once('subprocessclose', resolve));
  worker.close();
  await gone;
}
