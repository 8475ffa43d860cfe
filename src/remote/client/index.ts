export {
  RemoteMafaldaClient,
  ReadyState,
  scope,
  type ConnectFailure,
  type RemoteMafaldaClientEvents,
  type RemoteMafaldaClientOptions,
  type ServerSigns,
} from './client.ts';
export { connectionOptions } from './connectionOptions.ts';
