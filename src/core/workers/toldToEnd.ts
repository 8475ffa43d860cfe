/**
 * Workers that a signal has ended, though nobody has closed them. Where they can't be shielded from what is sent to the whole process group, that is about to end
 * this process too, as a rule, so nothing new is begun meanwhile. A Worker that is shielded was meant itself.
 */
import type { Worker } from 'mediasoup/types';
import { NodeUnavailableError } from '../../api/errors.ts';
import { onceClosed } from '../onceClosed.ts';

/** After it, it was only that Worker that somebody wanted to end. */
const QUIET_MS = 15_000;

const running = new Set<Worker>();
let quietUntil = 0;

/** mediasoup's Workers end themselves at SIGINT and SIGTERM, with the exit code 0, or are ended by them while they start. */
export function wasToldToEnd({ message }: Error): boolean {
  return /\bcode:0\b|\bsignal:SIG(INT|TERM)\b/.test(message);
}

export function watch(worker: Worker, isShielded: boolean): void {
  running.add(worker);
  onceClosed(worker, () => running.delete(worker));
  worker.once('died', error => {
    if (!isShielded && wasToldToEnd(error)) quietUntil = performance.now() + QUIET_MS;
  });
}

/** @throws {NodeUnavailableError} if all Workers of this process were told to end a moment ago, so that it will end as well */
export function refuseWhileEnding(): void {
  if (running.size > 0 || performance.now() >= quietUntil) return;
  throw new NodeUnavailableError(
    'a signal has ended the Workers of this process a moment ago, so it is taken to be about to end: no new one is started',
  );
}
