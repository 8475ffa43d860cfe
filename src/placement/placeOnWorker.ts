import { emptiest, fullestWithRoom, type Candidate } from './selection.ts';

export interface PlacementRequest<W extends Candidate> {
  readonly workers: readonly W[];
  /** Load, in percent of one core, from which on a Worker gets nothing new while another Worker has room. */
  readonly watermark: number;
  readonly mayCreateWorker: boolean;
}

/**
 * Chooses the Worker for the next object: concentrated rather than spread, so that few pipes are needed. A new Worker
 * is chosen when all are above the watermark; if none may be created, the least loaded Worker.
 * @returns undefined if there is no Worker and none may be created
 */
export function placeOnWorker<W extends Candidate>({
  workers,
  watermark,
  mayCreateWorker,
}: PlacementRequest<W>): W | 'new' | undefined {
  return fullestWithRoom(workers, watermark) ?? (mayCreateWorker ? 'new' : emptiest(workers));
}
