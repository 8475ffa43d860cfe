/** How the fullest, or the emptiest, of several places is chosen. Pure. */

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
  const withRoom = candidates.filter(({ load }) => load < watermark).sort(byLoad);
  return withRoom.findLast(({ hasRouter }) => hasRouter) ?? withRoom.at(-1);
}

export function emptiest<C extends Candidate>(candidates: readonly C[]): C | undefined {
  return [...candidates].sort(byLoad)[0];
}
