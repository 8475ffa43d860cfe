/** How the fullest, or the emptiest, of several places is chosen. Pure, and one pass over them: there may be a thousand. */

export interface Candidate {
  /** Percent of what it can take: measured, plus what is on its way. */
  readonly load: number;
  /** How much was ever placed there: tells places of the same load apart. */
  readonly placed: number;
  /** Whether it holds a part of the MafaldaRouter in question already. */
  readonly hasRouter: boolean;
}

/** The emptiest first. */
export function byLoad(a: Candidate, b: Candidate): number {
  return a.load - b.load || a.placed - b.placed;
}

/** Of those below the watermark the fullest that is used already, else the fullest that isn't. Undefined if all are above. */
export function fullestWithRoom<C extends Candidate>(candidates: readonly C[], watermark: number): C | undefined {
  let choice: C | undefined;
  for (const candidate of candidates) if (candidate.load < watermark && (!choice || isFuller(candidate, choice))) choice = candidate;
  return choice;
}

/** The later of equals. */
function isFuller(candidate: Candidate, other: Candidate): boolean {
  return candidate.hasRouter === other.hasRouter ? byLoad(candidate, other) >= 0 : candidate.hasRouter;
}

/** The first of the least loaded. */
export function emptiest<C extends Candidate>(candidates: readonly C[]): C | undefined {
  let choice: C | undefined;
  for (const candidate of candidates) if (!choice || byLoad(candidate, choice) < 0) choice = candidate;
  return choice;
}
