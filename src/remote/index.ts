import { scope } from './client/index.ts';

export {
  RemoteMafaldaClient,
  ReadyState,
  type ConnectFailure,
  type RemoteMafaldaClientEvents,
  type RemoteMafaldaClientOptions,
  type ServerSigns,
} from './client/index.ts';
export { RemoteMafaldaServer, type ServerCounts } from './server/remoteMafaldaServer.ts';
export type { RemoteMafaldaServerOptions } from './server/serverOptions.ts';
export type { Auth } from './server/authenticate.ts';
export type { Limits } from './server/limits.ts';
export type { PlainTarget } from './server/targets.ts';
export type { ClientWorkerSetting } from './server/settingsPolicy.ts';
export type { Orphans } from './server/orphanRegistry.ts';
export type * from '../api/publicTypes.ts';
export { mafaldaRouterDefaultOptions } from '../api/options.ts';

export const {
  mafaldaRouters,
  workers,
  routers,
  transports,
  rtpObservers,
  closeAllMafaldaRouters,
  getResourceUsages,
  dump,
} = scope.exports;
