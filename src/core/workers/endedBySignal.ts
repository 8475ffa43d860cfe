/**
 * Workers that a signal has ended, though no call has closed them. A signal to the whole process group, from which
 * Workers can't always be shielded, mostly ends this process too, so no Worker is started for a while. A shielded
 * Worker was itself the target of the signal.
 */
import type { Worker } from 'mediasoup/types';
import { NodeUnavailableError } from '../../api/errors.ts';
import { onceClosed } from '../onceClosed.ts';

/** Time without new Workers, in ms: a process that still lives then was not meant by the signal. */
const QUIET_MS = 15_000;

const running = new Set<Worker>();
let quietUntil = 0;

/**
 * Returns whether a signal has ended the Worker: mediasoup's Workers end themselves at SIGINT and SIGTERM, with the
 * exit code 0, or are ended by them while they start.
 */
export function wasEndedBySignal({ message }: Error): boolean {
  return /\bcode:0\b|\bsignal:SIG(INT|TERM)\b/.test(message);
}

export function watchForSignal(worker: Worker, isShielded: boolean): void {
  running.add(worker);
  onceClosed(worker, () => running.delete(worker));
  worker.once('died', error => {
    if (!isShielded && wasEndedBySignal(error)) quietUntil = performance.now() + QUIET_MS;
  });
}

/**
 * Refuses to start a Worker while this process seems to be about to end.
 * @throws {NodeUnavailableError} if a signal has ended the Workers of this process a moment ago, and none runs
 */
export function refuseWhileEnding(): void {
  if (running.size > 0 || performance.now() >= quietUntil) return;
  throw new NodeUnavailableError(
    'a signal has ended the Workers of this process a moment ago, so it is taken to be about to end: no new one is started',
  );
}
