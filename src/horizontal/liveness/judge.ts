/** Whether a node that says nothing is dead, out of reach, or only slow: by evidence. */

/** What speaks for and against a node. */
export interface Signs {
  /** For how long nothing was heard of it, in ms. */
  readonly silentFor: number;
  /** Its machine has said since that no process listens there. */
  readonly nobodyListens: boolean;
  /** How long ago others got packets from it, in ms; Infinity if nobody knows of any. */
  readonly provenFor: number;
}

export type Verdict =
  | 'heard'
  /** It is asked, and so are those who may know of it. */
  | 'doubtful'
  /** We don't hear it, and nothing says that it is dead: what is there stays open. */
  | 'unreachable'
  | 'dead';

export interface Circumstances {
  /** How long a node may be silent, in ms. */
  readonly timeout: number;
  /**
   * For how long that one of the other nodes has been silent that was heard last, in ms; Infinity if there is no other. Those of this process are
   * not meant: they say nothing of the network.
   */
  readonly heardOther: number;
  /** Our own network has been away until a moment ago: those that were silent with it are still coming back. */
  readonly isReturning: boolean;
}

export function judge(
  { silentFor, nobodyListens, provenFor }: Signs,
  { timeout, heardOther, isReturning }: Circumstances,
): Verdict {
  const doubtAfter = doubtAfterMs(timeout);
  if (silentFor < doubtAfter) return 'heard';
  if (silentFor < timeout) return 'doubtful';
  if (nobodyListens) return 'dead';
  if (provenFor < timeout) return 'unreachable';
  // All are asked as soon as one is doubtful: where none has answered since, it is our own network. A single node tells nothing of that.
  const isNetworkWell = heardOther < silentFor - doubtAfter;
  return isNetworkWell && !isReturning ? 'dead' : 'unreachable';
}

/** The rest of the time is for those who may know of the node. */
export function doubtAfterMs(timeout: number): number {
  return timeout / 2;
}
