/** Strategies choose the node for what is created next. They are pure functions: the same state gives the same choice. */
import { emptiest, fullestWithRoom, type Candidate } from '../shared/selection.ts';

/** A node, as a strategy sees it. */
export interface NodeState extends Candidate {
  readonly id: string;
}

export interface PlacementRequest {
  readonly mafaldaRouterId: string;
  /** Load percentage above which a node gets nothing new while another has room. */
  readonly watermark: number;
}

/** Returns one of the candidates, of which there is always at least one. */
export type Strategy = (candidates: readonly NodeState[], request: PlacementRequest) => NodeState | undefined;

/** Fills a node up to the watermark before it uses the next: fewest pipes, fewest machines. The default. */
export const concentrate: Strategy = (candidates, { watermark }) => fullestWithRoom(candidates, watermark) ?? emptiest(candidates);

/** Spreads evenly. */
export const leastLoaded: Strategy = candidates => emptiest(candidates);
