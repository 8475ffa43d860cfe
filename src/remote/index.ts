import { scope } from './client/index.ts';

export {
  RemoteMafaldaClient,
  ReadyState,
  type ConnectFailure,
  type Fingerprints,
  type NodeLimits,
  type RemoteMafaldaClientEvents,
  type RemoteMafaldaClientOptions,
  type ServerSigns,
  type Token,
} from './client/index.ts';
export { RemoteMafaldaServer, type ServerCounts } from './server/remoteMafaldaServer.ts';
export type { RemoteMafaldaServerOptions, ServerDrainOptions } from './server/serverOptions.ts';
export type { Auth } from './server/authenticate.ts';
export type { Limits } from './server/limits.ts';
export type { PlainTarget } from './server/targets.ts';
export type { ClientWorkerSetting } from './server/settingsPolicy.ts';
export type { AddressOptions } from '../core/addresses/addresses.ts';
export type { Orphans } from './server/orphanRegistry.ts';
export type * from '../api/publicTypes.ts';
export { mafaldaRouterDefaultOptions } from '../api/mafaldaRouterOptions.ts';

// Objects of the RemoteMafaldaClients of this process. The Maps are read-only, and always current.
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
} = scope.exports;
