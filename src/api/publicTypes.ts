/** Types that each entry of the package exports beside its own. */
export type {
  MafaldaDump,
  MafaldaRouterDump,
  NodeDump,
  ObjectDump,
  OrphanDump,
  PipeDump,
  RouterDump,
  RtpObserverDump,
  TransportDump,
  WorkerDump,
} from './dump.ts';
export type { ResolvedMafaldaRouterOptions } from './mafaldaRouterOptions.ts';
export type { HostLoad, LoadReport, WorkerLoad } from './load.ts';
export type {
  DirectoryStatistics,
  MafaldaStatistics,
  NodeStatistics,
  PipeReason,
  PlacementReason,
} from './statistics.ts';
export type * from './types.ts';
