/**
 * Lease: the right to decide alone, for a time. Of all who want it one has it; when that one has died, or is silent for
 * longer than `duration`, another one gets it.
 */
export interface Lease {
  /** Duration for which it is taken each time, in ms. */
  readonly duration: number;
  /**
   * Takes the lease if nobody has it, or makes it last longer if this process has it.
   * @returns its fencing token, which is greater for each new holder: what a former holder still does can be told from
   * what the present one does; undefined if somebody else has the lease
   * @throws {Error} if it can't be known at present who has it
   */
  acquire(): Promise<number | undefined>;
  /** Gives the lease back, so that another one can have it at once. Does nothing if this process does not have it. */
  release(): Promise<void>;
}
