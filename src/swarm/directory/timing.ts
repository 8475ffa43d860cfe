/** Times of a SwarmDirectory, in ms, which tests make shorter. */
export interface SwarmTiming {
  /** Interval in which some peers are asked for their load. */
  sampleInterval: number;
  /** Interval in which the peers of a watched room are looked up again, where there are few rooms. */
  lookupInterval: number;
  /** Interval in which the peers that are known are written to the file of peers. */
  rememberInterval: number;
  /** Pauses after the lookups of a refresh. */
  refreshPauses: readonly number[];
}

export const defaultTiming: SwarmTiming = {
  sampleInterval: 5000,
  lookupInterval: 30_000,
  rememberInterval: 60_000,
  refreshPauses: [50, 200, 0],
};
