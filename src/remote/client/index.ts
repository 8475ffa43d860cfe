export { RemoteMafaldaClient, ReadyState, scope, type RemoteMafaldaClientEvents, type RemoteMafaldaClientOptions } from './client.ts';
export { connectionOptions } from './connection.ts';
