import { packageScope } from './base/moduleScope.ts';

export { MafaldaHorizontal as default } from './horizontal/index.ts';
export * from './horizontal/index.ts';
export { RemoteMafaldaClient, RemoteMafaldaServer, ReadyState } from './remote/index.ts';
export type {
  Auth,
  ClientWorkerSetting,
  ConnectFailure,
  Limits,
  Orphans,
  PlainTarget,
  RemoteMafaldaClientEvents,
  RemoteMafaldaClientOptions,
  RemoteMafaldaServerOptions,
  ServerCounts,
} from './remote/index.ts';
export { Mafalda, mafaldaRouterDefaultOptions } from './local/index.ts';
export * from './errors.ts';
export { setLogEventListeners, type LogEventListeners, type LogFacts, type LogListener } from './core/logger.ts';
export type { MafaldaOptions, WorkerBudgetOptions } from './local/index.ts';
export type * from './api/publicTypes.ts';

export const {
  mafaldaRouters,
  workers,
  routers,
  transports,
  rtpObservers,
  closeAllMafaldaRouters,
  getResourceUsages,
  dump,
} = packageScope.exports;
