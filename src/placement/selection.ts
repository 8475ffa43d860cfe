/**
 * Selection of the fullest or emptiest of several places. The functions are pure, and pass once over the candidates, of
 * which there may be a thousand.
 */

/** Place that something new may be created in. */
export interface Candidate {
  /** Load in percent of the candidate's capacity: measured, plus objects that are on their way. */
  readonly load: number;
  /** Number of objects that were ever placed there: distinguishes candidates of the same load. */
  readonly placed: number;
  /** Whether the candidate holds a part of the MafaldaRouter already. */
  readonly hasRouter: boolean;
}

/** Compares candidates: the emptiest comes first. */
export function byLoad(a: Candidate, b: Candidate): number {
  return a.load - b.load || a.placed - b.placed;
}

/**
 * Returns, of the candidates below the watermark, the fullest that is in use already, else the fullest of the others;
 * undefined if all are above.
 */
export function fullestWithRoom<C extends Candidate>(candidates: readonly C[], watermark: number): C | undefined {
  let choice: C | undefined;
  for (const candidate of candidates)
    if (candidate.load < watermark && (!choice || isFuller(candidate, choice))) choice = candidate;
  return choice;
}

/** Returns whether a candidate is fuller than another; of equals, the later candidate is. */
function isFuller(candidate: Candidate, other: Candidate): boolean {
  return candidate.hasRouter === other.hasRouter ? byLoad(candidate, other) >= 0 : candidate.hasRouter;
}

/** Returns the least loaded candidate, the first of equals. */
export function emptiest<C extends Candidate>(candidates: readonly C[]): C | undefined {
  let choice: C | undefined;
  for (const candidate of candidates) if (!choice || byLoad(candidate, choice) < 0) choice = candidate;
  return choice;
}
