export { MafaldaHorizontal, type MafaldaHorizontalEvents, type MafaldaHorizontalOptions } from './mafaldaHorizontal.ts';
export type { Placement } from './nodePool.ts';
export { concentrate, leastLoaded, type NodeState, type PlacementRequest, type Strategy } from './strategies.ts';
