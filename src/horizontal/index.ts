export { MafaldaHorizontal } from './mafaldaHorizontal.ts';
export type { FullCall, MafaldaHorizontalEvents, MafaldaHorizontalOptions, WhenFull } from './horizontalOptions.ts';
export type { DrainOptions, DrainReport } from './drain.ts';
export type { Placement } from '../api/placement.ts';
export type { Candidate } from '../placement/selection.ts';
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
export type { Directory, DirectoryEvents, NodeRecord, Registration, RoomWatch } from './directory/directory.ts';
