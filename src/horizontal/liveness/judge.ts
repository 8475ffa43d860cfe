/** Judgement whether a silent node is dead, out of reach, or only slow, by evidence. */

/** Evidence for and against a node. */
export interface Signs {
  /** Duration of the node's silence, in ms. */
  readonly silentFor: number;
  /** Whether the node's machine has answered since that no process listens there. */
  readonly nobodyListens: boolean;
  /** Time since others got packets from the node, in ms; Infinity if no such packets are known. */
  readonly provenFor: number;
}

export type Verdict =
  | 'heard'
  /** The node is asked, and so are its possible witnesses. */
  | 'doubtful'
  /** The node is not heard, and nothing says that it is dead: its objects stay open. */
  | 'unreachable'
  | 'dead';

export interface Circumstances {
  /** Longest allowed silence of a node, in ms. */
  readonly timeout: number;
  /**
   * Shortest silence of the other nodes, in ms; Infinity if there is no other. Nodes of this process don't count: they
   * say nothing of the network.
   */
  readonly heardOther: number;
  /**
   * Whether this machine's network has been away until a moment ago: nodes that were silent with it are still coming
   * back.
   */
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
  // All nodes are asked as soon as one of them is doubtful: if none has answered since, this machine's own network is
  // down. A single node says nothing of that.
  const isNetworkWell = heardOther < silentFor - doubtAfter;
  return isNetworkWell && !isReturning ? 'dead' : 'unreachable';
}

/**
 * Returns the silence after which a node is doubtful, in ms. The rest of the timeout is for the answers of witnesses.
 */
export function doubtAfterMs(timeout: number): number {
  return timeout / 2;
}
