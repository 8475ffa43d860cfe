export { RemoteMafaldaClient, scope } from './remoteMafaldaClient.ts';
export { ReadyState } from './readyState.ts';
export type { ConnectFailure, RemoteMafaldaClientEvents, ServerSigns } from './clientEvents.ts';
export {
  clusterConnectionOptions,
  type Fingerprints,
  type RemoteMafaldaClientOptions,
  type Token,
} from './connectionOptions.ts';
export type { NodeLimits } from './nodeLimits.ts';
