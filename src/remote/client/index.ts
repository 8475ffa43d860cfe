export {
  RemoteMafaldaClient,
  ReadyState,
  scope,
  type ConnectFailure,
  type RemoteMafaldaClientEvents,
  type RemoteMafaldaClientOptions,
  type ServerSigns,
} from './remoteMafaldaClient.ts';
export { clusterConnectionOptions } from './connectionOptions.ts';
