import { packageScope } from './base/moduleScope.ts';

export { MafaldaHorizontal as default } from './horizontal/index.ts';
export * from './horizontal/index.ts';
export { RemoteMafaldaClient, RemoteMafaldaServer, ReadyState } from './remote/index.ts';
export type {
  AddressOptions,
  Auth,
  ClientWorkerSetting,
  ConnectFailure,
  Fingerprints,
  Limits,
  NodeLimits,
  Orphans,
  PlainTarget,
  RemoteMafaldaClientEvents,
  RemoteMafaldaClientOptions,
  RemoteMafaldaServerOptions,
  ServerCounts,
  ServerDrainOptions,
  ServerSigns,
  Token,
} from './remote/index.ts';
export { Mafalda, mafaldaRouterDefaultOptions } from './local/index.ts';
export * from './errors.ts';
export { setLogEventListeners, type LogEventListeners, type LogFacts, type LogListener } from './core/logger.ts';
export type { MafaldaOptions, WorkerBudgetOptions } from './local/index.ts';
export type * from './api/publicTypes.ts';

// Objects of all Mafaldas of this process. The Maps are read-only, and always current.
export const {
  /** MafaldaRouters, by id. */
  mafaldaRouters,
  /** mediasoup Workers, by id. */
  workers,
  /** mediasoup Routers, by id. */
  routers,
  /** Transports, by id. */
  transports,
  /** RtpObservers, by id. */
  rtpObservers,
  /** Closes all MafaldaRouters. */
  closeAllMafaldaRouters,
  /** Resolves with the usage of each Worker, by its id, of the Mafaldas that answer within 8 s. */
  getResourceUsages,
  /** Resolves with a dump of each Mafalda that answers within 8 s. */
  dump,
} = packageScope.exports;
