import { emptiest, fullestWithRoom, type Candidate } from './selection.ts';

export interface PlacementRequest<W extends Candidate> {
  readonly workers: readonly W[];
  /** Percent of one core. */
  readonly watermark: number;
  readonly mayCreateWorker: boolean;
}

/**
 * Which Worker gets what is created next: concentrated rather than spread, so that few pipes are needed. A new Worker is
 * for when all are above the watermark; without one the least loaded has to do. Undefined if there is none at all.
 */
export function placeOnWorker<W extends Candidate>({ workers, watermark, mayCreateWorker }: PlacementRequest<W>): W | 'new' | undefined {
  return fullestWithRoom(workers, watermark) ?? (mayCreateWorker ? 'new' : emptiest(workers));
}
