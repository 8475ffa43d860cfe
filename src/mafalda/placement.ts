/** Which Worker gets what is created next. Pure, so that it can be tried on machines that nobody has. */

export interface WorkerState {
  /** Percent of one core: measured, plus what has been placed there since. */
  readonly load: number;
  /** How much was ever placed there: breaks ties between Workers of the same load. */
  readonly placed: number;
  /** Whether it already holds a Router of the MafaldaRouter in question. */
  readonly hasRouter: boolean;
}

export interface PlacementRequest<W extends WorkerState> {
  readonly workers: readonly W[];
  readonly watermark: number;
  readonly mayCreateWorker: boolean;
}

/**
 * Concentrates rather than spreads: the fullest Worker below the watermark that holds a Router already, else the fullest
 * below it that doesn't, else a new Worker, else the least loaded one. Undefined if there is none and none may be made.
 */
export function placeOnWorker<W extends WorkerState>({ workers, watermark, mayCreateWorker }: PlacementRequest<W>): W | 'new' | undefined {
  const byLoad = [...workers].sort((a, b) => a.load - b.load || a.placed - b.placed);
  const withRoom = byLoad.filter(({ load }) => load < watermark);
  return withRoom.findLast(({ hasRouter }) => hasRouter) ?? withRoom.at(-1) ?? (mayCreateWorker ? 'new' : byLoad[0]);
}
