export { RemoteMafaldaClient, ReadyState, scope, type RemoteMafaldaClientEvents, type RemoteMafaldaClientOptions } from './client.ts';
