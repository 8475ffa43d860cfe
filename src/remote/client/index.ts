export {
  RemoteMafaldaClient,
  ReadyState,
  scope,
  type ConnectFailure,
  type RemoteMafaldaClientEvents,
  type ServerSigns,
} from './remoteMafaldaClient.ts';
export { clusterConnectionOptions, type RemoteMafaldaClientOptions, type Token } from './connectionOptions.ts';
export type { NodeLimits } from './nodeLimits.ts';
