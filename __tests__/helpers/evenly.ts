import type { Strategy } from '../../src/placement/strategies.ts';

/** Beside what is wished for, the least loaded node, whatever pipes cost: so that a few transports of one room are on different nodes. */
export const evenly: Strategy = nodes =>
  [...nodes].sort((a, b) => (b.near ?? 0) - (a.near ?? 0) || a.load - b.load || a.placed - b.placed)[0];
