import type { Worker } from 'mediasoup/types';

/** Resolves when the process is gone, not just when it has been told to go. */
export async function closeWorker(worker: Worker): Promise<void> {
  if (worker.subprocessClosed) return;
  const gone = new Promise<void>(resolve => worker.once('subprocessclose', resolve));
  worker.close();
  await gone;
}
