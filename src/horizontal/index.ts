export { MafaldaHorizontal, type MafaldaHorizontalEvents, type MafaldaHorizontalOptions } from './mafaldaHorizontal.ts';
export type { DrainOptions, DrainReport } from './drain.ts';
export type { Placement } from '../api/placement.ts';
export {
  concentrate,
  leastLoaded,
  regionFirst,
  strategies,
  twoChoices,
  type NodeState,
  type PlacementRequest,
  type Strategy,
} from '../placement/strategies.ts';
